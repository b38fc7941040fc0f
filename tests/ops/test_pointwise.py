"""Elementwise arithmetic, in all forms, against numpy and C's rules."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import assert_tensor, check_update, lua
from torch7py.bridge.errors import LuaError
from torch7py.ops import memory

FLOATING = (torch.float64, torch.float32)
INTEGER = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)

X = np.array([[1.5, -2.0, 3.25], [-0.5, 7.0, 0.75]])
Y = np.array([[2.0, 0.5, -1.25], [4.0, -3.0, 2.5]])
Z = np.array([[-1.0, 2.0, 0.5], [3.0, 1.5, -2.0]])
P = np.abs(X)  # positive, for powers


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


FLOAT_CASES = [
    ("add", "2.5", X + 2.5),
    ("add", "y", X + Y),
    ("add", "-0.5, y", X - 0.5 * Y),
    ("csub", "2.5", X - 2.5),
    ("csub", "y", X - Y),
    ("csub", "3, y", X - 3 * Y),
    ("mul", "-1.5", X * -1.5),
    ("div", "4", X / 4),
    ("cmul", "y", X * Y),
    ("cdiv", "y", X / Y),
    ("addcmul", "y, z", X + Y * Z),
    ("addcmul", "0.5, y, z", X + 0.5 * Y * Z),
    ("addcdiv", "y, z", X + Y / Z),
    ("addcdiv", "2, y, z", X + 2 * Y / Z),
    ("fmod", "2", np.fmod(X, 2)),
    ("mod", "-2", np.fmod(X, -2)),
    ("cfmod", "y", np.fmod(X, Y)),
    ("cmod", "y", np.fmod(X, Y)),
    ("remainder", "2", X - 2 * np.floor(X / 2)),
    ("remainder", "-2", X + 2 * np.floor(X / -2)),
    ("cremainder", "y", X - Y * np.floor(X / Y)),
    ("clamp", "-1, 2", np.clip(X, -1, 2)),
    ("cmax", "1", np.maximum(X, 1)),
    ("cmax", "y", np.maximum(X, Y)),
    ("cmin", "1", np.minimum(X, 1)),
    ("cmin", "y", np.minimum(X, Y)),
    ("atan2", "y", np.arctan2(X, Y)),
    ("lerp", "y, 0.25", X + 0.25 * (Y - X)),
    ("pow", "2", X**2),
    ("pow", "3", X**3),
    ("pow", "-1", 1 / X),
    ("pow", "-2", 1 / X**2),
]


@pytest.mark.parametrize("dtype", FLOATING)
@pytest.mark.parametrize(("name", "arguments", "expected"), FLOAT_CASES)
def test_floating(rt: Runtime, name: str, arguments: str, expected: np.ndarray, dtype: torch.dtype) -> None:
    x, y, z = (torch.tensor(values, dtype=dtype) for values in (X, Y, Z))
    check_update(rt, name, arguments, x, expected, y=y, z=z)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [("pow", "0.5", P**0.5), ("pow", "-0.5", P**-0.5), ("pow", "1.7", P**1.7), ("cpow", "y", P**Y)],
)
def test_powers_of_positive_numbers(rt: Runtime, name: str, arguments: str, expected: np.ndarray) -> None:
    check_update(rt, name, arguments, torch.tensor(P), expected, y=torch.tensor(Y))


def test_a_number_to_the_power_of_a_tensor(rt: Runtime) -> None:
    for form in ("torch.pow(3, x)", "torch.pow(out, 3, x)", "out:pow(3, x)"):
        result = lua(rt, f"return {form}", x=torch.tensor(X), out=torch.zeros(1, dtype=torch.float64))
        assert_tensor(result, 3.0**X, torch.float64)


# Integers: the number is cast first, division cuts, the type wraps around. 200 + 100 = 44 mod 256, and so on.
INTEGER_CASES = [
    (torch.uint8, "add", "100", [[44, 107], [200, 255]], [[200, 7], [100, 155]]),
    (torch.uint8, "add", "-1", [[199, 6], [99, 154]], [[200, 7], [100, 155]]),
    (torch.uint8, "add", "2.9", [[202, 9], [102, 157]], [[200, 7], [100, 155]]),
    (torch.uint8, "add", "258", [[202, 9], [102, 157]], [[200, 7], [100, 155]]),
    (torch.uint8, "csub", "8", [[192, 255], [92, 147]], [[200, 7], [100, 155]]),
    (torch.int8, "mul", "3", [[44, -3], [127, -128]], [[100, -1], [-43, -128]]),
    (torch.int32, "add", "1", [[-(2**31), 0], [8, -6]], [[2**31 - 1, -1], [7, -7]]),
    (torch.int32, "mul", "2.7", [[-2, -2], [14, -14]], [[2**31 - 1, -1], [7, -7]]),
    (torch.int32, "div", "2", [[1, -1], [3, -3]], [[3, -3], [7, -7]]),
    (torch.int64, "div", "-2.5", [[-1, 1], [-3, 3]], [[3, -3], [7, -7]]),
    (torch.int32, "fmod", "3", [[0, -1], [1, -1]], [[3, -4], [7, -7]]),
    (torch.int32, "remainder", "3", [[0, 2], [1, 2]], [[3, -4], [7, -7]]),
    (torch.int16, "remainder", "-3", [[0, -1], [-2, -1]], [[3, -4], [7, -7]]),
    (torch.int64, "clamp", "-3.7, 5.2", [[3, -3], [5, -3]], [[3, -4], [7, -7]]),
    (torch.int32, "cmax", "0.9", [[3, 0], [7, 0]], [[3, -4], [7, -7]]),
    (torch.int32, "cmin", "4", [[3, -4], [4, -7]], [[3, -4], [7, -7]]),
]


@pytest.mark.parametrize(("dtype", "name", "arguments", "expected", "x"), INTEGER_CASES)
def test_integers(
    rt: Runtime, dtype: torch.dtype, name: str, arguments: str, expected: list[object], x: list[object]
) -> None:
    check_update(rt, name, arguments, torch.tensor(x, dtype=dtype), expected)


A = np.array([[7, -7], [13, -128]])
B = np.array([[2, 3], [-4, 5]])
INTEGER_PAIRS = [
    ("add", "y", A + B),
    ("add", "3, y", A + 3 * B),
    ("csub", "y", A - B),
    ("csub", "2, y", A - 2 * B),
    ("cmul", "y", A * B),
    ("cdiv", "y", np.trunc(A / B)),
    ("cfmod", "y", np.fmod(A, B)),
    ("cmod", "y", np.fmod(A, B)),
    ("cremainder", "y", np.mod(A, B)),
    ("addcmul", "2, y, y", A + 2 * B * B),
    ("addcdiv", "7, y, w", A + np.trunc(7 * B / 2)),
    ("cmax", "y", np.maximum(A, B)),
    ("cmin", "y", np.minimum(A, B)),
    ("cpow", "w", A**2),
]


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.int16])
@pytest.mark.parametrize(("name", "arguments", "expected"), INTEGER_PAIRS)
def test_integer_pairs(
    rt: Runtime, name: str, arguments: str, expected: np.ndarray, dtype: torch.dtype
) -> None:
    x, y, w = torch.tensor(A, dtype=dtype), torch.tensor(B, dtype=dtype), torch.full((2, 2), 2, dtype=dtype)
    check_update(rt, name, arguments, x, expected, y=y, w=w)


@pytest.mark.parametrize("dtype", [*FLOATING, *INTEGER])
def test_fill_and_zero(rt: Runtime, dtype: torch.dtype) -> None:
    x = torch.ones(3, 4, dtype=dtype).t()
    assert lua(rt, "return rawequal(x, x:fill(3))", x=x) is True
    assert_tensor(x, np.full((4, 3), 3), dtype)
    assert lua(rt, "return rawequal(x, torch.fill(x, 4))", x=x) is True
    assert_tensor(x, np.full((4, 3), 4), dtype)
    assert lua(rt, "return rawequal(x, x:zero())", x=x) is True
    assert_tensor(x, np.zeros((4, 3)), dtype)
    x.fill_(1)
    assert_tensor(lua(rt, "return torch.zero(x)", x=x), np.zeros((4, 3)), dtype)


def test_what_a_float_cannot_hold_is_infinite(rt: Runtime) -> None:
    x = torch.zeros(2, dtype=torch.float32)
    assert lua(rt, "return x:fill(1e300)", x=x).tolist() == [math.inf, math.inf]
    assert lua(rt, "return x:fill(-1e300)", x=x).tolist() == [-math.inf, -math.inf]


# -- copy -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [*FLOATING, *INTEGER])
@pytest.mark.parametrize("source", [*FLOATING, *INTEGER])
def test_copy_casts(rt: Runtime, source: torch.dtype, target: torch.dtype) -> None:
    x, y = torch.zeros(2, 3, dtype=target), torch.tensor([0, 1, 2, 3, 100, 77], dtype=source)
    assert lua(rt, "return rawequal(x, x:copy(y))", x=x, y=y) is True
    assert_tensor(x, [[0, 1, 2], [3, 100, 77]], target)


def test_copy_cuts_fractions_and_wraps(rt: Runtime) -> None:
    y = torch.tensor([1.9, -1.9, 300.0], dtype=torch.float64)
    assert lua(rt, "return x:copy(y)", x=torch.zeros(3, dtype=torch.int32), y=y).tolist() == [1, -1, 300]
    assert lua(rt, "return x:copy(y)", x=torch.zeros(3, dtype=torch.uint8), y=y).tolist() == [1, 255, 44]


def test_copy_goes_by_the_order_of_elements(rt: Runtime) -> None:
    x, y = torch.zeros(3, 2).t(), torch.arange(6.0).view(3, 2)
    assert lua(rt, "return x:copy(y)", x=x, y=y).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_copy_between_views_of_one_memory(rt: Runtime) -> None:
    x = torch.arange(5.0)
    lua(rt, "a:copy(b)", a=x[:-1], b=x[1:])
    assert x.tolist() == [1, 2, 3, 4, 4]


def test_copy_needs_as_many_elements(rt: Runtime) -> None:
    with pytest.raises(LuaError, match="6 elements against 4"):
        lua(rt, "x:copy(y)", x=torch.zeros(2, 3), y=torch.zeros(4))


# -- shapes, types and errors -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form", ["torch.add(x, y)", "x:add(y)", "torch.add(out, x, y)", "torch.cmul(x, y)", "x:cmax(y)"]
)
def test_operands_fit_by_number_of_elements(rt: Runtime, form: str) -> None:
    x, y = torch.arange(6.0).view(2, 3), torch.full((3, 2), 10.0)
    wanted = {"cmul": x * 10, "cmax": torch.full((2, 3), 10.0)}
    expected = next((value for name, value in wanted.items() if name in form), x + 10)
    result = lua(rt, f"return {form}", x=x, y=y, out=torch.zeros(1))
    assert_tensor(result, expected.numpy(), torch.float32)


@pytest.mark.parametrize(
    "call", ["x:add(y)", "torch.cmul(x, y)", "x:cdiv(y)", "x:addcmul(y, y)", "x:cmax(y)", "x:lerp(y, 1)"]
)
def test_nothing_is_broadcast(rt: Runtime, call: str) -> None:
    with pytest.raises(LuaError, match="6 elements against 3"):
        lua(rt, call, x=torch.zeros(2, 3), y=torch.zeros(3))


@pytest.mark.parametrize(
    "call",
    ["x:add(y)", "torch.add(x, y)", "x:cmul(y)", "x:addcmul(1, x, y)", "torch.add(y, x, 1)", "return x + y"],
)
def test_types_do_not_mix(rt: Runtime, call: str) -> None:
    with pytest.raises(LuaError, match=r"FloatTensor.*DoubleTensor|DoubleTensor.*FloatTensor"):
        lua(rt, call, x=torch.zeros(3), y=torch.zeros(3, dtype=torch.float64))


@pytest.mark.parametrize("call", ["x:pow(2)", "torch.atan2(x, x)", "x:lerp(x, 1)"])
def test_some_functions_are_for_floating_types_only(rt: Runtime, call: str) -> None:
    with pytest.raises(LuaError, match=r"invalid arguments.*IntTensor"):
        lua(rt, call, x=torch.ones(3, dtype=torch.int32))


@pytest.mark.parametrize("call", ["x:div(0)", "x:cdiv(y)", "x:fmod(0)", "x:remainder(0)", "x:div(0.5)"])
def test_integer_division_by_zero_is_an_error(rt: Runtime, call: str) -> None:
    with pytest.raises(LuaError, match="ZeroDivisionError"):
        lua(rt, call, x=torch.ones(3, dtype=torch.int32), y=torch.zeros(3, dtype=torch.int32))


# -- where the rule is not PyTorch's ----------------------------------------------------------------------


def test_remainder_follows_the_formula(rt: Runtime) -> None:
    x = torch.tensor([1.0, math.inf, 5.0], dtype=torch.float64)
    found = lua(rt, "return torch.remainder(x, 0.1)", x=x)
    assert found[0] == 0  # 1 - 0.1 * floor(1 / 0.1)
    assert math.isnan(found[1])
    assert lua(rt, "return torch.remainder(x, 0)", x=x).isnan().all()


def test_clamp_with_bounds_in_the_wrong_order(rt: Runtime) -> None:
    x = torch.tensor([0.0, 2.0, 3.0, 5.0, math.nan], dtype=torch.float64)
    assert lua(rt, "return torch.clamp(x, 3, 1)", x=x).tolist()[:4] == [3, 3, 1, 1]
    assert math.isnan(lua(rt, "return torch.clamp(x, 3, 1)", x=x)[4])


def test_nan_in_cmax_and_cmin(rt: Runtime) -> None:
    x, y = torch.tensor([math.nan, 1.0]), torch.tensor([2.0, math.nan])
    for name in ("cmax", "cmin"):
        first, second = lua(rt, f"return torch.{name}(x, y)", x=x, y=y).tolist()
        assert first == 2
        assert math.isnan(second)
    assert lua(rt, "return torch.cmax(x, 0)", x=x).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("torch.pow(2, 10)", 1024),
        ("torch.atan2(1, -1)", 3 * math.pi / 4),
        ("torch.lerp(2, 4, 0.25)", 2.5),
    ],
)
def test_of_numbers(rt: Runtime, expression: str, expected: float) -> None:
    assert lua(rt, f"return {expression}") == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("dtype", FLOATING)
@pytest.mark.parametrize("size", [5, 1000, 200_001])
def test_products_are_rounded_before_they_are_added(rt: Runtime, dtype: torch.dtype, size: int) -> None:
    x, y, z = torch.randn(3, size, dtype=dtype, generator=torch.Generator().manual_seed(size)).unbind()
    weight = torch.tensor(0.37, dtype=dtype).numpy()
    numpy = [t.clone().numpy() for t in (x, y, z)]
    wanted = {
        "addcmul(0.37, y, z)": numpy[0] + weight * numpy[1] * numpy[2],
        "addcmul(y, z)": numpy[0] + numpy[1] * numpy[2],
        "addcmul(x, y)": numpy[0] + numpy[0] * numpy[1],
        "addcdiv(0.37, y, z)": numpy[0] + weight * numpy[1] / numpy[2],
        "lerp(y, 0.37)": numpy[0] + weight * (numpy[1] - numpy[0]),
    }
    for call, expected in wanted.items():
        for receiver in (x.clone(), torch.stack([x, x], 1)[:, 0]):
            lua(rt, f"x:{call}", x=receiver, y=y, z=z)
            assert np.array_equal(receiver.numpy(), expected), call


def test_a_product_of_what_overlaps(rt: Runtime) -> None:
    memory = torch.arange(200_000, dtype=torch.float64) % 7
    x, shifted = memory[:-1], memory[1:]
    expected = x + shifted * shifted
    lua(rt, "x:addcmul(y, y)", x=x, y=shifted)
    assert torch.equal(x, expected)


@pytest.mark.parametrize("inside", [0, 1])
@pytest.mark.parametrize(
    ("call", "function"),
    [
        ("round({x})", lambda a, b, c: np.copysign(np.floor(np.abs(a) + 0.5), a)),
        ("cmax({x}, b)", lambda a, b, c: np.maximum(a, b)),
        ("cmin({x}, 0.5)", lambda a, b, c: np.minimum(a, 0.5)),
        ("cmax({x}, 0)", lambda a, b, c: a),
        ("remainder({x}, 0.7)", lambda a, b, c: a - np.floor(a / 0.7) * 0.7),
        ("cremainder({x}, b)", lambda a, b, c: a - np.floor(a / b) * b),
        ("lerp({x}, b, 0.3)", lambda a, b, c: a + 0.3 * (b - a)),
        ("addcmul({x}, 0.3, b, c)", lambda a, b, c: a + 0.3 * b * c),
        ("addcmul({x}, b, c)", lambda a, b, c: a + b * c),
        ("cpow({x}, b)", lambda a, b, c: a**b),
    ],
)
def test_large_tensors(rt: Runtime, call: str, function, inside: int) -> None:
    """Into a new tensor, a given one, one that shares memory elsewhere, and in place: the same bits each time."""
    count = 2 * memory.LARGE + 7
    source = np.random.default_rng(0)
    a, b, c = (source.uniform(0.1, 4, count + inside)[inside:] for _ in range(3))
    new = f"torch.{call.format(x='a')}"
    given = f"r:{call.format(x='a')}"
    itself = f"a:{call.format(x='').replace('(, ', '(')}"
    shifted = f"s:narrow(1, 1, n):{call.format(x='s:narrow(1, 2, n)')}"
    names = {"a": torch.tensor(a), "b": torch.tensor(b), "c": torch.tensor(c)}
    names["s"] = torch.tensor(np.append(0.0, a))
    script = f"local r, n = torch.Tensor(), {count} return {new}, {given}, {shifted}:clone(), {itself}"
    results = lua(rt, script, **names)
    np.testing.assert_allclose(results[0].numpy(), function(a, b, c), rtol=1e-12, atol=1e-12)
    for other in results[1:]:
        assert other.equal(results[0])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("number", [0, 1, -2.5, math.nan, math.inf, -math.inf])
def test_bounds_of_special_numbers(rt: Runtime, dtype: type[Any], number: float) -> None:
    """The signs of zeros too, in a new tensor and in place: of two that are equal the bound is taken."""
    x = np.random.default_rng(3).choice([0.0, -0.0, 1, -1, 3, np.nan, np.inf, -np.inf], 5003).astype(dtype)
    for name, better in (("cmax", np.greater), ("cmin", np.less)):
        with np.errstate(invalid="ignore"):
            expected = np.where(better(x, number), x, dtype(number))
        for found in lua(rt, f"return torch.{name}(x, v), x:{name}(v)", x=torch.tensor(x), v=number):
            assert np.array_equal(found.numpy(), expected, equal_nan=True)
            whole = ~np.isnan(expected)
            assert np.array_equal(np.signbit(found.numpy()[whole]), np.signbit(expected[whole]))


def test_nan_gives_way_in_a_large_tensor_too(rt: Runtime) -> None:
    x = torch.ones(2 * memory.LARGE, dtype=torch.float64)
    x[5] = math.nan
    found = lua(rt, "return torch.cmax(x, 0.5), torch.cmin(x, y)", x=x, y=torch.full_like(x, 3))
    assert [result[5].item() for result in found] == [0.5, 3]
    assert [result.sum().item() for result in found] == [len(x) - 0.5, len(x) + 2]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("value", [1, -1, 0.3])
def test_a_product_added_is_rounded_at_each_step(rt: Runtime, dtype: type[Any], value: float) -> None:
    """Of a large tensor too, with the signs of zeros."""
    source = np.random.default_rng(1)
    x, a, b = source.normal(size=(3, memory.LARGE + 100)).astype(dtype)
    x[:4], a[:4], b[:4] = [0, -0.0, 0, -0.0], 0, [1, 1, -1, -1]
    expected = x + dtype(value) * a * b
    names = {"x": torch.tensor(x), "a": torch.tensor(a), "b": torch.tensor(b), "v": value}
    for found in lua(rt, "return torch.addcmul(x, v, a, b), x:addcmul(v, a, b)", **names):
        assert found.numpy().tobytes() == expected.tobytes()
