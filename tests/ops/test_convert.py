"""Types and copies."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import assert_tensor, failure, lua, plain
from torch7py.ops import types

NAMES = [t.name for t in types.NUMBER_TYPES]
# What C makes of these numbers in each type; 300 and -2.7 do not fit a byte.
NUMBERS = "{1.25, -2.75, 3, 100.9}"
CAST = {
    "Double": [1.25, -2.75, 3, 100.9],
    "Float": [1.25, -2.75, 3, 100.9],
    "Half": [1.25, -2.75, 3, 100.9],
    "Byte": [1, 254, 3, 100],
}


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "form", ["x:{lower}()", "x:type('torch.{name}Tensor')", "x:typeAs(torch.{name}Tensor())"]
)
def test_to_every_type(rt: Runtime, name: str, form: str) -> None:
    call = form.format(name=name, lower=name.lower())
    converted = lua(rt, f"local x = torch.Tensor{NUMBERS} return {call}")
    assert_tensor(converted, CAST.get(name, [1, -2, 3, 100]), types.BY_NAME[name].dtype)


@pytest.mark.parametrize("name", NAMES)
def test_from_every_type(rt: Runtime, name: str) -> None:
    for other in NAMES:
        source = f"return torch.{name}Tensor{{{{1, 2}}, {{3, 4}}}}:t():{other.lower()}()"
        assert_tensor(lua(rt, source), [[1, 3], [2, 4]], types.BY_NAME[other].dtype)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_type_is_the_same_tensor(rt: Runtime, name: str) -> None:
    source = f"""
        local x = torch.{name}Tensor(2, 3):t()
        return rawequal(x, x:{name.lower()}()), rawequal(x, x:type(x:type())), rawequal(x, x:typeAs(x)), x:type()"""
    assert lua(rt, source) == (True, True, True, f"torch.{name}Tensor")


def test_a_copy_is_contiguous(rt: Runtime) -> None:
    source = """
        local x = torch.Tensor(2, 3):t()
        return x:clone():stride(), x:float():stride(), x:contiguous():stride(), (x + 1):stride()"""
    assert plain(lua(rt, source)) == ([2, 1], [2, 1], [2, 1], [2, 1])


def test_real_is_the_default_type(rt: Runtime) -> None:
    assert lua(rt, "return torch.IntTensor(2):real():type()") == "torch.DoubleTensor"


def test_clone_has_memory_of_its_own(rt: Runtime) -> None:
    source = "local x = torch.Tensor{1, 2} local y = x:clone() y[1] = 9 return x, y, torch.typename(y)"
    assert plain(lua(rt, source)) == ([1, 2], [9, 2], "torch.DoubleTensor")


def test_contiguous_is_the_same_tensor_if_it_can_be(rt: Runtime) -> None:
    source = """
        local x = torch.Tensor{{1, 2}, {3, 4}}
        local y = x:t():contiguous()
        y[1][1] = 9
        return rawequal(x, x:contiguous()), x, y"""
    assert plain(lua(rt, source)) == (True, [[1, 2], [3, 4]], [[9, 3], [2, 4]])


def test_empty_tensors(rt: Runtime) -> None:
    source = """
        local e = torch.Tensor()
        return e:float():dim(), e:clone():dim(), e:contiguous():dim(), torch.typename(e:long())"""
    assert lua(rt, source) == (0, 0, 0, "torch.LongTensor")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("torch.Tensor(2):type('torch.Tensor')", "'torch.Tensor' is not a tensor type"),
        ("torch.Tensor(2):type('DoubleTensor')", "'DoubleTensor' is not a tensor type"),
        ("torch.Tensor(2):typeAs(3)", "invalid arguments for method 'typeAs'"),
    ],
)
def test_errors(rt: Runtime, source: str, message: str) -> None:
    assert message in failure(rt, f"local x = {source}")
