"""Calls that Torch7 took although an argument has another type: numbers as strings, result types by name."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import failure, lua
from torch7py.bridge.errors import LuaError
from torch7py.ops.dispatch.lenient import lua_number


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3", 3),
        (" -2.5 ", -2.5),
        ("1e3", 1000),
        (".5", 0.5),
        ("5.", 5),
        ("0x10", 16),
        ("-0xff", -255),
        ("", None),
        ("3a", None),
        ("1_000", None),
        ("e3", None),
        ("0x", None),
        ("torch.FloatTensor", None),
    ],
)
def test_numbers_in_strings(rt: Runtime, text: str, number: float | None) -> None:
    assert lua_number(text) == number
    assert rt.execute(f"return tonumber('{text}')") == number


def test_infinite_numbers() -> None:
    assert lua_number("inf") == math.inf
    assert math.isnan(lua_number("nan") or 0)


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("return torch.zeros('2', 3):nElement()", 6),
        ("return torch.Tensor('2', '3'):nElement()", 6),
        ("return torch.Tensor{'4', 5}[1]", 4),
        ("return torch.ones(3):mul('2.5')[3]", 2.5),
        ("return torch.IntTensor{1}:add('2.9')[1]", 3),
        ("return torch.ones(3, 2):narrow('1', 2, '2'):size('1')", 2),
        ("local x = torch.ones(3) x[2] = '7' return x[2]", 7),
        ("local x = torch.ones(3) x[{{1, 2}}] = '7' return x:sum()", 15),
        ("local s = torch.DoubleStorage{1, 2} s[2] = '0x10' return s[2]", 16),
        (
            "torch.manualSeed('12') local a = torch.random() torch.manualSeed(12) return a == torch.random()",
            True,
        ),
        ("return torch.uniform('4', '4')", 4),
    ],
)
def test_strings_for_numbers(rt: Runtime, source: str, result: object) -> None:
    assert lua(rt, source) == result


@pytest.mark.parametrize(
    ("call", "type_name"),
    [
        ("zeros(2, 'torch.FloatTensor')", "torch.FloatTensor"),
        ("ones(2, 3, 'torch.LongTensor')", "torch.LongTensor"),
        ("rand(2, 'torch.FloatTensor')", "torch.FloatTensor"),
        ("randperm(4, 'torch.IntTensor')", "torch.IntTensor"),
        ("range(1, 3, 'torch.ByteTensor')", "torch.ByteTensor"),
        ("eye('2', 'torch.FloatTensor')", "torch.FloatTensor"),
    ],
)
def test_the_type_of_a_result(rt: Runtime, call: str, type_name: str) -> None:
    source = f"local x = torch.{call} return torch.type(x), torch.type(torch.zeros(1))"
    assert lua(rt, source) == (type_name, "torch.DoubleTensor")


@pytest.mark.parametrize(
    ("call", "type_name", "total"),
    [
        ("zeros(2, 3, 'torch.CudaTensor')", "torch.CudaTensor", 0),
        ("ones('2', 'torch.CudaDoubleTensor')", "torch.CudaDoubleTensor", 2),
        ("range(1, 3, 'torch.CudaLongTensor')", "torch.CudaLongTensor", 6),
        ("eye(3, 'torch.CudaTensor')", "torch.CudaTensor", 3),
    ],
)
def test_results_on_a_card(call: str, type_name: str, total: float) -> None:
    source = f"""
        local function made() return torch.{call} end
        local before = pcall(made)
        require 'cutorch'
        local x = made()
        return before, torch.type(x), x:sum(), torch.type(torch.zeros(1)), torch.type(x:clone())
    """
    with Runtime(cuda_as="cpu") as rt:
        assert rt.execute(source) == (False, type_name, total, "torch.DoubleTensor", type_name)


def test_a_string_is_what_it_is_at_each_call(rt: Runtime) -> None:
    # The two calls have the same kinds of arguments.
    assert lua(
        rt, "return torch.zeros(2, '3'):nElement(), torch.type(torch.zeros(2, 'torch.IntTensor'))"
    ) == (
        6,
        "torch.IntTensor",
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "torch.ones(3):add('a')",
            "invalid arguments for method 'add': (DoubleTensor, string); expected (src: tensor, value: number) | (src",
        ),
        ("torch.zeros(2, 'torch.NoTensor')", "invalid arguments for function 'zeros': (number, string)"),
        ("torch.zeros('torch.FloatTensor')", "invalid arguments for function 'zeros': (string)"),
        ("torch.ones(2):zero('torch.FloatTensor')", "invalid arguments for method 'zero'"),
        ("torch.Tensor('a')", "invalid arguments for a new tensor: (string); expected () | (x: tensor)"),
        ("torch.Storage(2, {})", "invalid arguments for a new storage"),
        ("local x = torch.ones(2) x[1] = 'a'", "a tensor element cannot be set to a string"),
        (
            "local x = torch.ones(2) x.y = 1",
            "invalid arguments for tensor[...] = ...: (DoubleTensor, string, number)",
        ),
        ("torch.mm(torch.ones(2), torch.ones(2))", "mm: 2D and 2D tensors expected, got 1D and 1D"),
        ("torch.mm(torch.ones(2, 3), torch.ones(2, 3))", "mm: size mismatch in a product of 2x3 by 2x3"),
        ("torch.mv(torch.ones(2, 3), torch.ones(2))", "mv: size mismatch in a product of 2x3 by 2"),
        (
            "torch.bmm(torch.ones(1, 2, 3), torch.ones(2, 3, 2))",
            "bmm: size mismatch in a product of 1x2x3 by 2x3x2",
        ),
        ("torch.ger(torch.ones(2, 2), torch.ones(2))", "ger: 1D and 1D tensors expected, got 2D and 1D"),
    ],
)
def test_refusals(rt: Runtime, source: str, message: str) -> None:
    assert message in failure(rt, source)


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("torch.LongStorage{3, 4}:size(1)", 2),
        ("x:nElement(1)", 6),
        ("x:dim(true)", 2),
        ("x:isContiguous({})", True),
        ("x:narrow(1, 1, 1, 7):size(1)", 1),
        ("x:select(1, 1, 'a'):size(1)", 3),
    ],
)
def test_arguments_that_nobody_looked_at(rt: Runtime, source: str, result: object) -> None:
    assert rt.execute(f"local x = torch.ones(2, 3) return {source}") == result


@pytest.mark.parametrize(
    "source", ["torch.zeros(2):sum(1, 2, 3)", "torch.abs(1, 2, 3)", "torch.Tensor(2):sort(1, 2)"]
)
def test_other_functions_count_their_arguments(rt: Runtime, source: str) -> None:
    with pytest.raises(LuaError, match="invalid arguments"):
        rt.execute(source)


def test_tensors_that_only_differ_in_type(rt: Runtime) -> None:
    """The message says so: every other reading of the forms fits them."""
    with pytest.raises(
        LuaError, match=r"\(DoubleTensor, LongTensor\); expected .*, with tensors of one type$"
    ):
        rt.execute("torch.cmul(torch.ones(2), torch.LongTensor(2))")
    with pytest.raises(LuaError, match=r"other: tensor\)$"):
        rt.execute("torch.cmul(torch.ones(2), 'a')")
