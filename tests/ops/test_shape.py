"""What a tensor tells about itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import failure, lua, plain
from torch7py.ops import types


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


X = "local x = torch.Tensor(4, 5, 6) local y = x:select(2, 3) local e = torch.Tensor() "


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("x:size()", [4, 5, 6]),
        ("#x", [4, 5, 6]),
        ("torch.LongStorage():resize(3):copy(x:size())", [4, 5, 6]),
        ("torch.Tensor(x:size()):size()", [4, 5, 6]),
        ("x:size(1)", 4),
        ("x:size(3)", 6),
        ("x:stride()", [30, 6, 1]),
        ("x:stride(2)", 6),
        ("y:size()", [4, 6]),
        ("y:stride()", [30, 1]),
        ("y:stride(1)", 30),
        ("x:dim()", 3),
        ("x:nDimension()", 3),
        ("y:dim()", 2),
        ("x:nElement()", 120),
        ("x:numel()", 120),
        ("torch.numel(x)", 120),
        ("y:nElement()", 24),
        ("torch.Tensor(2, 1, 3, 1, 2):nElement()", 12),
        ("x:isContiguous()", True),
        ("y:isContiguous()", False),
        ("x:transpose(1, 2):isContiguous()", False),
        ("torch.Tensor(3, 1):t():isContiguous()", True),
        ("x:storageOffset()", 1),
        ("y:storageOffset()", 13),
        ("y:storage():size()", 120),
        ("x:storage() == y:storage()", True),
        ("x:storage() == x:clone():storage()", False),
        ("x:isTensor()", True),
        ("x:isSize(torch.LongStorage{4, 5, 6})", True),
        ("x:isSize(torch.LongStorage{4, 5})", False),
        ("x:isSize(x:size())", True),
        ("x:isSameSizeAs(torch.IntTensor(4, 5, 6))", True),
        ("x:isSameSizeAs(y)", False),
        ("x:isSetTo(torch.Tensor(x))", True),
        ("x:isSetTo(x:clone())", False),
        ("x:isSetTo(x:transpose(1, 2))", False),
        ("e:isSetTo(e)", False),
        ("x:retain()", None),
        ("x:free()", None),
        # a tensor without elements has no dimension
        ("e:dim()", 0),
        ("e:size()", []),
        ("e:stride()", []),
        ("e:nElement()", 0),
        ("e:isContiguous()", True),
        ("e:storage()", None),
        ("torch.Tensor(3, 0):dim()", 1),
        ("torch.Tensor(3, 0):size()", [3]),
        ("torch.Tensor(0, 3):dim()", 0),
        ("torch.IntTensor():dim()", 0),
    ],
)
def test_queries(rt: Runtime, expression: str, expected: Any) -> None:
    assert plain(lua(rt, f"{X} return {expression}")) == expected


@pytest.mark.parametrize("number_type", types.NUMBER_TYPES, ids=lambda t: t.name)
def test_element_size(rt: Runtime, number_type: types.NumberType) -> None:
    source = f"local x = {number_type.tensor}(2, 3) return x:elementSize(), x:size(2), x:dim(), x:nElement()"
    assert lua(rt, source) == (number_type.size, 3, 2, 6)


def test_sizes_are_a_copy(rt: Runtime) -> None:
    assert plain(lua(rt, f"{X} local s = x:size() s[1] = 9 return x:size(1), s")) == (4, [9, 5, 6])


def test_sizes_follow_a_resize(rt: Runtime) -> None:
    assert lua(rt, f"{X} local before = x:size(1) x:resize(7) return before, x:size(1), x:dim()") == (4, 7, 1)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("x:size(4)", "dimension 4 out of range of 3D tensor"),
        ("x:size(0)", "dimension 0 out of range of 3D tensor"),
        ("x:stride(-1)", "dimension -1 out of range of 3D tensor"),
        ("e:size(1)", "dimension 1 out of range of 0D tensor"),
        ("x:size('a')", "invalid arguments for method 'size': (DoubleTensor, string)"),
        ("x:isSize(3)", "invalid arguments for method 'isSize'"),
    ],
)
def test_errors(rt: Runtime, expression: str, message: str) -> None:
    assert message in failure(rt, f"{X} local _ = {expression}")
