"""Views: what they show, that they share memory, and the errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import failure, lua, plain
from torch7py.ops import types

M = np.arange(1, 13).reshape(3, 4)
C = np.arange(1, 25).reshape(2, 3, 4)
PRELUDE = """
    local m = torch.range(1, 12):view(3, 4)
    local c = torch.range(1, 24):view(2, 3, 4)
    local r = torch.Tensor(5)
    local L = torch.LongStorage
"""


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


VIEWS: list[tuple[str, Any]] = [
    ("m:narrow(1, 2, 2)", M[1:3]),
    ("m:narrow(2, 1, 3)", M[:, :3]),
    ("m:t():narrow(1, 2, 1)", M.T[1:2]),
    ("torch.narrow(m, 1, 3, 1)", M[2:3]),
    ("m:select(1, 2)", M[1]),
    ("m:select(2, 4)", M[:, 3]),
    ("c:select(2, 1)", C[:, 0]),
    ("m:sub(2, 3)", M[1:3]),
    ("m:sub(2, -1)", M[1:]),
    ("m:sub(-2, -1, -3, 3)", M[1:, 1:3]),
    ("c:sub(1, 1, 2, 3, 4, 4)", C[:1, 1:3, 3:]),
    ("torch.range(1, 16):view(2, 2, 2, 2):sub(1, 1, 2, 2, 1, 1, 2, 2)", np.full((1, 1, 1, 1), 6)),
    ("m:unfold(2, 2, 1)", np.stack([M[:, i : i + 2] for i in range(3)], 1)),
    ("m:unfold(2, 2, 2)", M.reshape(3, 2, 2)),
    ("torch.range(1, 7):unfold(1, 3, 3)", [[1, 2, 3], [4, 5, 6]]),
    ("m:transpose(1, 2)", M.T),
    ("c:transpose(1, 3)", C.transpose(2, 1, 0)),
    ("m:transpose(2, 2)", M),
    ("m:t()", M.T),
    ("c:permute(3, 1, 2)", C.transpose(2, 0, 1)),
    ("c:permute(1, 2, 3)", C),
    ("torch.permute(c, 2, 3, 1)", C.transpose(1, 2, 0)),
    ("m:view(12)", M.reshape(12)),
    ("m:view(-1)", M.reshape(12)),
    ("m:view(2, 6)", M.reshape(2, 6)),
    ("m:view(2, -1)", M.reshape(2, 6)),
    ("m:view(2, 1, 3, 2)", M.reshape(2, 1, 3, 2)),
    ("m:view(L{4, -1})", M.reshape(4, 3)),
    ("r:view(m, 6, 2)", M.reshape(6, 2)),
    ("torch.view(r, m, L{6, 2})", M.reshape(6, 2)),
    ("m:view(1, 2, 1, 3, 1, 2)", M.reshape(1, 2, 1, 3, 1, 2)),
    ("m:viewAs(torch.IntTensor(4, 3))", M.reshape(4, 3)),
    ("r:viewAs(m, torch.Tensor(4, 3))", M.reshape(4, 3)),
    ("m:narrow(1, 2, 1):expand(3, 4)", np.repeat(M[1:2], 3, 0)),
    ("m:narrow(1, 2, 1):expand(L{2, 4})", np.repeat(M[1:2], 2, 0)),
    ("torch.expand(m:narrow(2, 1, 1), 3, 2)", np.repeat(M[:, :1], 2, 1)),
    ("r:expand(m:narrow(2, 1, 1), 3, 2)", np.repeat(M[:, :1], 2, 1)),
    ("m:narrow(1, 1, 1):expandAs(m)", np.repeat(M[:1], 3, 0)),
    ("r:expandAs(m:narrow(1, 1, 1), m)", np.repeat(M[:1], 3, 0)),
    ("m:view(1, 3, 1, 4):squeeze()", M),
    ("m:view(1, 3, 1, 4):squeeze(1)", M.reshape(3, 1, 4)),
    ("m:view(1, 3, 1, 4):squeeze(2)", M.reshape(1, 3, 1, 4)),
    ("torch.squeeze(r, m:view(3, 1, 4))", M),
    ("r:squeeze(m:view(3, 1, 4), 2)", M),
    ("torch.Tensor(m)", M),
    ("torch.Tensor():set(m)", M),
    ("r:set(m:storage(), 2, 2, 4, 3, 1)", [[2, 3, 4], [6, 7, 8]]),
    ("r:set(m:storage(), 3, L{2, 2})", [[3, 4], [5, 6]]),
    ("r:set(m:storage(), 3, L{2, 2}, L{1, 4})", [[3, 7], [4, 8]]),
    ("r:set(m:storage())", M.reshape(12)),
]


@pytest.mark.parametrize(("expression", "expected"), VIEWS)
def test_views(rt: Runtime, expression: str, expected: Any) -> None:
    """The elements, and that writing them writes the original."""
    source = f"""{PRELUDE}
        local v = {expression}
        local seen = v:clone()
        v:fill(0)
        return seen, m:sum() + c:sum() < 78 + 300 or m:nElement() ~= 12"""
    seen, shared = lua(rt, source)
    np.testing.assert_array_equal(seen.numpy(), expected)
    if "range(" not in expression:
        assert shared is True


@pytest.mark.parametrize("number_type", types.NUMBER_TYPES, ids=lambda t: t.name)
def test_of_every_type(rt: Runtime, number_type: types.NumberType) -> None:
    source = f"""
        local x = {number_type.tensor}{{{{1, 2, 3}}, {{4, 5, 6}}}}
        return x:narrow(2, 2, 2), x:select(1, 2), x:t(), x:view(3, 2), x:unfold(2, 2, 1), x:sub(2, 2),
               x:narrow(1, 1, 1):expand(2, 3), x:select(1, 1):select(1, 3)"""
    assert plain(lua(rt, source)) == (
        [[2, 3], [5, 6]],
        [4, 5, 6],
        [[1, 4], [2, 5], [3, 6]],
        [[1, 2], [3, 4], [5, 6]],
        [[[1, 2], [2, 3]], [[4, 5], [5, 6]]],
        [[4, 5, 6]],
        [[1, 2, 3], [1, 2, 3]],
        3,
    )


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("m:select(1, 2):select(1, 3)", 7),
        ("torch.Tensor{5}:squeeze()", 5),
        ("torch.Tensor(1, 1):fill(3):squeeze()", 3),
        ("torch.Tensor(1, 1):fill(3):squeeze(1)", [3]),
        ("torch.Tensor{5}:squeeze(1)", 5),
        ("torch.squeeze(torch.IntTensor{{7}})", 7),
        ("r:squeeze(torch.Tensor{{7}})", 7),
        ("torch.Tensor():squeeze()", []),
    ],
)
def test_numbers_where_no_dimension_is_left(rt: Runtime, expression: str, expected: Any) -> None:
    assert plain(lua(rt, f"{PRELUDE} return {expression}")) == expected


def test_writing_an_expanded_tensor(rt: Runtime) -> None:
    """All places of an expanded dimension are one element: the last value written stays."""
    source = """
        local x = torch.Tensor(2, 1)
        local y = x:expand(2, 3)
        y:copy(torch.range(1, 6))
        return x, y"""
    assert plain(lua(rt, source)) == ([[3], [6]], [[3, 3, 3], [6, 6, 6]])


class TestResize:
    def test_grows_and_keeps_what_was_there(self, rt: Runtime) -> None:
        source = """
            local x = torch.Tensor{1, 2, 3}
            local grown = x:resize(2, 2)
            return rawequal(x, grown), x:select(1, 1), x:storage():size(), x:resize(2), x:storage():size()"""
        same, row, size, shrunk, kept = lua(rt, source)
        assert (same, row.tolist(), size, shrunk.tolist(), kept) == (True, [1, 2], 4, [1, 2], 4)

    @pytest.mark.parametrize(
        ("arguments", "sizes"),
        [
            ("2, 3", [2, 3]),
            ("torch.LongStorage{3, 2, 1}", [3, 2, 1]),
            ("2, 0, 3", [2]),
            ("0", []),
            ("torch.LongStorage()", []),
            ("1, 1, 1, 1, 1, 1", [1] * 6),
        ],
    )
    def test_forms(self, rt: Runtime, arguments: str, sizes: list[int]) -> None:
        assert plain(lua(rt, f"return torch.Tensor(7):resize({arguments}):size()")) == sizes

    def test_strides(self, rt: Runtime) -> None:
        source = "return torch.range(1, 6):resize(torch.LongStorage{3, 2}, torch.LongStorage{1, 3})"
        assert plain(lua(rt, source)) == [[1, 4], [2, 5], [3, 6]]

    def test_the_storage_grows_under_all_its_tensors(self, rt: Runtime) -> None:
        source = """
            local x = torch.Tensor{1, 2, 3}
            local y = torch.Tensor(x)
            y:resize(1000)
            y[1] = 9
            return x:storage():size(), x[1], x:storage() == y:storage()"""
        assert lua(rt, source) == (1000, 9, True)

    def test_sizes_that_are_there_keep_the_strides(self, rt: Runtime) -> None:
        assert lua(rt, "return torch.Tensor(2, 3):t():resize(3, 2):stride(1)") == 1

    def test_resize_as(self, rt: Runtime) -> None:
        source = """
            local x = torch.Tensor()
            local y = x:resizeAs(torch.IntTensor(2, 3))
            return rawequal(x, y), x:size(), x:resizeAs(torch.Tensor()):dim()"""
        assert plain(lua(rt, source)) == (True, [2, 3], 0)

    def test_a_part_grows_from_its_offset(self, rt: Runtime) -> None:
        source = "local x = torch.range(1, 4) return x:narrow(1, 3, 2):resize(3):narrow(1, 1, 2), x:storage():size()"
        assert plain(lua(rt, source)) == ([3, 4], 5)


class TestSet:
    def test_returns_the_tensor(self, rt: Runtime) -> None:
        assert lua(
            rt, "local x, y = torch.Tensor(), torch.Tensor(3) return rawequal(x, x:set(y)), x:isSetTo(y)"
        ) == (
            True,
            True,
        )

    def test_nothing(self, rt: Runtime) -> None:
        assert plain(lua(rt, "local x = torch.Tensor(3) x:set() return x:dim(), x:storage()")) == (0, None)

    def test_a_storage_grows_to_what_is_asked(self, rt: Runtime) -> None:
        source = "local s = torch.Storage(2) torch.Tensor():set(s, 2, 3) return s:size()"
        assert lua(rt, source) == 4

    def test_an_offset_alone_gives_no_elements(self, rt: Runtime) -> None:
        assert lua(rt, "return torch.Tensor():set(torch.Storage(4), 2):dim()") == 0

    def test_with_itself(self, rt: Runtime) -> None:
        assert plain(lua(rt, "local x = torch.Tensor{1, 2} return x:set(x)")) == [1, 2]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("m:narrow(3, 1, 1)", "dimension 3 out of range of 2D tensor"),
        ("m:narrow(0, 1, 1)", "dimension 0 out of range of 2D tensor"),
        ("m:narrow(1, 4, 1)", "narrow: index 4 out of range of dimension 1 of size 3"),
        ("m:narrow(1, 0, 1)", "narrow: index 0 out of range of dimension 1 of size 3"),
        ("m:narrow(1, 2, 3)", "narrow: size 3 from index 2 out of range of dimension 1 of size 3"),
        ("m:narrow(1, 2, 0)", "narrow: size 0 from index 2 out of range of dimension 1 of size 3"),
        ("m:narrow(1, 2)", "invalid arguments for method 'narrow': (DoubleTensor, number, number)"),
        ("m:select(3, 1)", "dimension 3 out of range of 2D tensor"),
        ("m:select(1, 4)", "select: index 4 out of range of dimension 1 of size 3"),
        ("m:select(2, 0)", "select: index 0 out of range of dimension 2 of size 4"),
        ("torch.Tensor():select(1, 1)", "dimension 1 out of range of 0D tensor"),
        ("m:sub(2)", "sub: expected a first and a last index"),
        ("m:sub(0, 2)", "sub: index 0 out of range of dimension 1 of size 3"),
        ("m:sub(2, 4)", "sub: index 4 out of range of dimension 1 of size 3"),
        ("m:sub(3, 2)", "sub: end smaller than beginning in dimension 1"),
        ("m:sub(1, 1, 1, 1, 1, 1)", "dimension 3 out of range of 2D tensor"),
        ("m:unfold(1, 4, 1)", "unfold: size 4 out of range of dimension 1 of size 3"),
        ("m:unfold(1, 2, 0)", "unfold: invalid step 0"),
        ("m:transpose(1, 3)", "dimension 3 out of range of 2D tensor"),
        ("c:t()", "t: tensor must have 2 dimensions, not 3"),
        ("c:permute(1, 2)", "permute: invalid permutation (1, 2) of 3 dimensions"),
        ("c:permute(1, 2, 2)", "permute: invalid permutation (1, 2, 2) of 3 dimensions"),
        ("m:t():view(12)", "expecting a contiguous tensor"),
        ("m:view(5)", "Wrong size for view. Input size: 3x4. Output size: 5"),
        ("m:view(-1, -1)", "Only one of torch.view dimensions can be -1."),
        ("m:view(5, -1)", "not a multiple of all elements"),
        ("m:viewAs(torch.Tensor(5))", "Wrong size for view"),
        ("m:view()", "invalid arguments for method 'view'"),
        ("m:expand(3, 4, 5)", "the number of dimensions provided must equal tensor:dim()"),
        ("m:expand(6, 4)", "only supporting singleton expansion (size=1), got 3x4 to 6x4"),
        ("m:squeeze(3)", "dimension 3 out of range of 2D tensor"),
        ("r:set(torch.FloatTensor(3))", "invalid arguments for method 'set': (DoubleTensor, FloatTensor)"),
        ("r:set(torch.FloatStorage(3))", "expecting number or torch.DoubleTensor or torch.DoubleStorage"),
        ("r:set(m:storage(), 0, 2)", "invalid storage offset"),
        ("r:resize('a')", "invalid arguments for method 'resize'"),
        ("r:resize(L{2, 2}, L{1})", "stride and size are inconsistent"),
    ],
)
def test_errors(rt: Runtime, expression: str, message: str) -> None:
    prelude = " ".join(PRELUDE.split())
    assert message in failure(rt, f"{prelude} local _ = {expression}")


def test_select_of_a_vector_asks_for_no_dimension(rt: Runtime) -> None:
    assert lua(rt, "local x = torch.Tensor{4, 5} return x:select(1, 2), x:select(3, 2)") == (5, 5)
    assert "select: index 3 out of range" in failure(rt, "torch.Tensor{4, 5}:select(2, 3)")


STRIDES = """
    local b = torch.range(1, 24)
    local function strided(at, sizes, strides)
        return torch.Tensor(b:storage(), at, torch.LongStorage(sizes), torch.LongStorage(strides))
    end
    local found = {}
    for _, x in ipairs{strided(2, {1}, {5}), strided(1, {1, 4}, {9, 1}), strided(3, {1, 1}, {6, 6}),
                       b:view(24, 1):t(), b:view(1, 24):t(), b:view(2, 3, 4):narrow(1, 2, 1),
                       b:view(4, 6):select(2, 3):narrow(1, 2, 1)} do
        local n = x:nElement()
        for _, y in ipairs{x:view(-1), x:view(n, 1), x:view(1, n), x:viewAs(torch.Tensor(1, n, 1))} do
            found[#found + 1] = table.concat(y:stride():totable(), ',') .. ' ' .. y:storageOffset()
        end
    end
    return table.concat(found, ' | ')"""


def test_a_view_has_the_strides_of_a_contiguous_tensor(rt: Runtime) -> None:
    """Those of dimensions of size 1 too, whatever they were: what Torch7 of 2017 printed."""
    assert lua(rt, STRIDES) == (
        "1 2 | 1,1 2 | 1,1 2 | 1,1,1 2 | 1 1 | 1,1 1 | 4,1 1 | 4,1,1 1 | 1 3 | 1,1 3 | 1,1 3 | 1,1,1 3 | "
        "1 1 | 1,1 1 | 24,1 1 | 24,1,1 1 | 1 1 | 1,1 1 | 24,1 1 | 24,1,1 1 | "
        "1 13 | 1,1 13 | 12,1 13 | 12,1,1 13 | 1 9 | 1,1 9 | 1,1 9 | 1,1,1 9"
    )
