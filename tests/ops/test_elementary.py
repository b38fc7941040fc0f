"""Elementary functions, in all forms, against numpy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import assert_tensor, check_update, lua
from torch7py.bridge.errors import LuaError
from torch7py.ops import memory

POSITIVE = np.array([[0.25, 1.0, 2.75], [0.5, 3.5, 10.0]])
SIGNED = np.array([[-2.5, -0.5, 0.0], [0.5, 1.5, 2.75]])
UNIT = np.array([[-1.0, -0.3, 0.0], [0.25, 0.5, 0.999]])


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


def half_away(x: np.ndarray) -> np.ndarray:
    result: np.ndarray = np.sign(x) * np.floor(np.abs(x) + 0.5)
    return result


CASES: list[tuple[str, np.ndarray, Callable[[np.ndarray], np.ndarray]]] = [
    ("abs", SIGNED, np.abs),
    ("acos", UNIT, np.arccos),
    ("asin", UNIT, np.arcsin),
    ("atan", SIGNED, np.arctan),
    ("ceil", SIGNED, np.ceil),
    ("cinv", POSITIVE, lambda x: 1 / x),
    ("cos", SIGNED, np.cos),
    ("cosh", SIGNED, np.cosh),
    ("exp", SIGNED, np.exp),
    ("floor", SIGNED, np.floor),
    ("frac", SIGNED, lambda x: x - np.trunc(x)),
    ("log", POSITIVE, np.log),
    ("log1p", POSITIVE, np.log1p),
    ("neg", SIGNED, lambda x: -x),
    ("round", SIGNED, half_away),
    ("rsqrt", POSITIVE, lambda x: 1 / np.sqrt(x)),
    ("sigmoid", SIGNED, lambda x: 1 / (1 + np.exp(-x))),
    ("sign", SIGNED, np.sign),
    ("sin", SIGNED, np.sin),
    ("sinh", SIGNED, np.sinh),
    ("sqrt", POSITIVE, np.sqrt),
    ("tan", UNIT, np.tan),
    ("tanh", SIGNED, np.tanh),
    ("trunc", SIGNED, np.trunc),
]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(("name", "x", "function"), CASES, ids=[case[0] for case in CASES])
def test_of_tensors(
    rt: Runtime, name: str, x: np.ndarray, function: Callable[[np.ndarray], np.ndarray], dtype: torch.dtype
) -> None:
    check_update(rt, name, "", torch.tensor(x, dtype=dtype), function(x))


@pytest.mark.parametrize(("name", "x", "function"), CASES, ids=[case[0] for case in CASES])
def test_of_numbers(
    rt: Runtime, name: str, x: np.ndarray, function: Callable[[np.ndarray], np.ndarray]
) -> None:
    if name in ("neg", "cinv", "sign"):
        with pytest.raises(LuaError, match=f"invalid arguments for function '{name}'"):
            lua(rt, f"return torch.{name}(0.5)")
        return
    for value, expected in zip(x.ravel(), function(x).ravel(), strict=True):
        assert lua(rt, f"return torch.{name}({value})") == pytest.approx(expected, rel=1e-14, abs=1e-15)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32])
def test_of_integers(rt: Runtime, dtype: torch.dtype) -> None:
    x = torch.tensor([[-3, 0], [5, -1]], dtype=dtype)
    check_update(rt, "abs", "", x, [[3, 0], [5, 1]])
    check_update(rt, "sign", "", x, [[-1, 0], [1, -1]])
    check_update(rt, "neg", "", x, [[3, 0], [-5, 1]])


def test_sign_of_bytes(rt: Runtime) -> None:
    check_update(rt, "sign", "", torch.tensor([[0, 3, 255]], dtype=torch.uint8), [[0, 1, 1]])


@pytest.mark.parametrize("name", [case[0] for case in CASES if case[0] not in ("abs", "neg", "sign")])
def test_integers_have_no_transcendental_functions(rt: Runtime, name: str) -> None:
    with pytest.raises(LuaError, match=f"invalid arguments for method '{name}': .IntTensor."):
        lua(rt, f"x:{name}()", x=torch.ones(2, dtype=torch.int32))


def test_a_half_rounds_away_from_zero(rt: Runtime) -> None:
    below = math.nextafter(0.5, 0)
    x = torch.tensor([[0.5, 1.5, 2.5], [-0.5, -2.5, below]], dtype=torch.float64)
    check_update(rt, "round", "", x, [[1, 2, 3], [-1, -3, 0]])
    assert lua(rt, "return torch.round(x)", x=torch.tensor([2.0**52 + 1, math.inf])).tolist() == [
        2.0**52,
        math.inf,
    ]
    assert lua(rt, "return torch.round(2.5), torch.round(-2.5)") == (3, -3)


def test_out_of_the_domain(rt: Runtime) -> None:
    assert lua(rt, "return torch.log(0), torch.exp(1000), torch.pow(0, -1)") == (
        -math.inf,
        math.inf,
        math.inf,
    )
    assert math.isnan(lua(rt, "return torch.sqrt(-1)"))
    assert lua(rt, "return torch.cinv(x)", x=torch.tensor([0.0, -0.0])).tolist() == [math.inf, -math.inf]


def test_numbers_are_computed_in_the_default_type() -> None:
    with Runtime(dtype="float32") as runtime:
        assert lua(runtime, "return torch.exp(1)") == np.float32(math.e)
        assert lua(runtime, "return torch.lerp(0.3, 0.2, 0.7)") == np.float32(0.23)
        assert_tensor(lua(runtime, "return torch.exp(x)", x=torch.zeros(2)), [1, 1], torch.float32)


@pytest.mark.parametrize("name", ["ceil", "floor", "trunc"])
@pytest.mark.parametrize(
    "value", [0.0, -0.0, 0.5, -0.5, -1.0, -2.5, 2.0**53, -1e300, math.inf, -math.inf, 5e-324]
)
def test_whole_numbers_of_a_number(rt: Runtime, name: str, value: float) -> None:
    rt.globals["value"] = value
    found = rt.execute(f"local y = torch.{name}(value) return 1 / y, y")
    with np.errstate(divide="ignore"):
        wanted = getattr(np, name)(np.float64(value))
        assert found == (1 / wanted, wanted)  # the first tells zeros apart


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("special", [[], [0.5, -1.5, 2.5], [np.nan, 3.5], [np.inf, -2.5]])
def test_round_of_a_large_tensor(rt: Runtime, dtype: type[Any], special: list[float]) -> None:
    """Halves, if there are any, go away from zero; the greatest number below a half is none."""
    x = np.random.default_rng(2).uniform(-100, 100, memory.LARGE + 100).astype(dtype)
    below = np.nextafter(dtype(0.5), dtype(0))
    x[:6] = [below, -below, 0.0, -0.0, -0.3, 2.0**30 + 1]
    x[6 : 6 + len(special)] = special
    expected = np.copysign(np.floor(np.abs(x) + below), x)
    for found in lua(rt, "return torch.round(x), x:round()", x=torch.tensor(x)):
        assert np.array_equal(found.numpy(), expected, equal_nan=True)
        assert np.array_equal(np.signbit(found.numpy()), np.signbit(expected))
