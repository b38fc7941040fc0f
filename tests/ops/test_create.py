"""New tensors: constructors of every type and in every form, and tensors by a rule."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from tests.ops.lua_forms import assert_tensor, failure, lua, plain
from tests.together import together
from torch7py.ops import types

EYE = [[1, 0, 0], [0, 1, 0]]
SQUARE = "torch.Tensor{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}"


@pytest.fixture(scope="module")
def rt() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


@pytest.mark.parametrize("number_type", types.NUMBER_TYPES, ids=lambda t: t.name)
class TestConstructors:
    @pytest.mark.parametrize(
        ("arguments", "shape"),
        [
            ("", (0,)),
            ("3", (3,)),
            ("2.9, 3", (2, 3)),
            ("2, 3, 4", (2, 3, 4)),
            ("1, 2, 3, 4, 5", (1, 2, 3, 4, 5)),
            ("3, 0", (3,)),
            ("0, 3", (0,)),
            ("{}", (0,)),
        ],
    )
    def test_sizes(
        self, rt: Runtime, number_type: types.NumberType, arguments: str, shape: tuple[int, ...]
    ) -> None:
        made = lua(rt, f"return {number_type.tensor}({arguments})")
        assert_tensor(made, np.zeros(shape), number_type.dtype)

    def test_table(self, rt: Runtime, number_type: types.NumberType) -> None:
        made = lua(rt, f"return {number_type.tensor}{{{{1, 2, 3}}, {{4, 5, 60}}}}")
        assert_tensor(made, [[1, 2, 3], [4, 5, 60]], number_type.dtype)

    def test_tensor_shares_its_memory(self, rt: Runtime, number_type: types.NumberType) -> None:
        source = f"local x = {number_type.tensor}{{1, 2}} local y = {number_type.tensor}(x) y[1] = 9 return x"
        assert plain(lua(rt, source)) == [9, 2]

    def test_storage(self, rt: Runtime, number_type: types.NumberType) -> None:
        source = f"""
            local s = {number_type.storage}{{1, 2, 3, 4, 5, 6}}
            local new, L = {number_type.tensor}, torch.LongStorage
            return new(s), new(s, 2), new(s, 2, L{{2, 2}}), new(s, 2, L{{2, 2}}, L{{1, 3}}), new(s, 3, 2),
                   new(s, 3, 2, 2), new(s, 1, 2, 3, 2), new(s, 1, 2, 3, 3, 1)"""
        assert plain(lua(rt, source)) == (
            [1, 2, 3, 4, 5, 6],
            [],
            [[2, 3], [4, 5]],
            [[2, 5], [3, 6]],
            [3, 4],
            [3, 5],
            [[1, 2], [4, 5]],
            [[1, 2, 3], [4, 5, 6]],
        )

    def test_storage_is_shared(self, rt: Runtime, number_type: types.NumberType) -> None:
        source = f"""
            local s = {number_type.storage}{{1, 2, 3}}
            {number_type.tensor}(s, 2, 2)[1] = 7
            return s[2]"""
        assert lua(rt, source) == 7

    def test_new_of_a_tensor(self, rt: Runtime, number_type: types.NumberType) -> None:
        source = f"""
            local x = {number_type.tensor}{{1, 2}}
            return x.new(3), x.new{{4, 5}}, x.new(), x:new()"""
        assert plain(lua(rt, source)) == ([0, 0, 0], [4, 5], [], [1, 2])


def test_long_storage_is_sizes_but_for_a_long_tensor(rt: Runtime) -> None:
    source = (
        "local s = torch.LongStorage{2, 1} return torch.Tensor(s), torch.LongTensor(s), torch.IntTensor(s)"
    )
    assert plain(lua(rt, source)) == ([[0], [0]], [2, 1], [[0], [0]])


def test_strides(rt: Runtime) -> None:
    source = """
        local L = torch.LongStorage
        local x, y = torch.Tensor(L{4}, L{0}), torch.Tensor(L{2, 3}, L{-1, -1})
        x[1] = 1
        return x, y:stride(), torch.Tensor(L{2, 3}, L{1, 2}):stride()"""
    assert plain(lua(rt, source)) == ([1, 1, 1, 1], [3, 1], [1, 2])


def test_a_table_is_cast(rt: Runtime) -> None:
    assert plain(lua(rt, "return torch.IntTensor{2.7, -2.7}, torch.ByteTensor{300, -1}")) == (
        [2, -2],
        [44, 255],
    )


def test_the_default_type(rt: Runtime) -> None:
    source = """
        torch.setdefaulttensortype('torch.FloatTensor')
        local made = {torch.Tensor(1), torch.zeros(1), torch.ones(1), torch.eye(1), torch.range(1, 1),
                      torch.linspace(1, 2, 2), torch.rand(1), torch.randn(1), torch.randperm(1), torch.Tensor{1}}
        torch.setdefaulttensortype('torch.DoubleTensor')
        return made, torch.zeros(1)"""
    made, after = lua(rt, source)
    assert [x.dtype for x in made] == [torch.float32] * 10
    assert after.dtype == torch.float64


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "torch.Tensor(torch.FloatTensor(2))",
            "expecting number or torch.DoubleTensor or torch.DoubleStorage",
        ),
        (
            "torch.Tensor(torch.FloatStorage(2))",
            "expecting number or torch.DoubleTensor or torch.DoubleStorage",
        ),
        ("torch.Tensor{{1, 2}, {3}}", "the rows of dimension 2"),
        ("torch.Tensor{1, {2}}", "where a number was expected"),
        ("torch.Tensor{'a'}", "where a number was expected"),
        ("torch.Tensor('a')", "invalid arguments"),
        ("torch.Tensor(torch.Storage(4), 0, 2)", "invalid storage offset"),
        ("torch.Tensor(torch.LongStorage{2, 3}, torch.LongStorage{1})", "stride and size are inconsistent"),
    ],
)
def test_wrong_arguments(rt: Runtime, source: str, message: str) -> None:
    assert message in failure(rt, f"local x = {source}")


RULES = [
    ("zeros", "2, 3", np.zeros((2, 3))),
    ("zeros", "torch.LongStorage{3, 1}", np.zeros((3, 1))),
    ("ones", "2, 3", np.ones((2, 3))),
    ("ones", "torch.LongStorage{3}", np.ones(3)),
    ("eye", "3", np.eye(3)),
    ("eye", "2, 3", np.eye(2, 3)),
    ("eye", "3, 2", np.eye(3, 2)),
    ("range", "2, 5", [2, 3, 4, 5]),
    ("range", "5, 2, -1", [5, 4, 3, 2]),
    ("range", "3, 3", [3]),
]


@together(("name", "arguments", "expected"), RULES)
@together("number_type", types.NUMBER_TYPES, ids=lambda t: t.name)
def test_by_a_rule(
    rt: Runtime, number_type: types.NumberType, name: str, arguments: str, expected: Any
) -> None:
    if number_type is types.DOUBLE:
        assert_tensor(lua(rt, f"return torch.{name}({arguments})"), expected, torch.float64)
    for form in (f"torch.{name}(out, {arguments})", f"out:{name}({arguments})"):
        out = torch.full((7,), 5, dtype=number_type.dtype)
        assert lua(rt, f"return rawequal(out, {form})", out=out) is True
        assert_tensor(out, expected, number_type.dtype)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("range", "2, 5, 1.2", [2, 3.2, 4.4]),
        ("range", "0, -1, -0.5", [0, -0.5, -1]),
        ("linspace", "0, 1, 5", [0, 0.25, 0.5, 0.75, 1]),
        ("linspace", "1, -1, 3", [1, 0, -1]),
        ("linspace", "2, 2, 1", [2]),
        ("linspace", "3, 8", np.linspace(3, 8, 100)),
        ("logspace", "-1, 2, 4", [0.1, 1, 10, 100]),
        ("logspace", "0, 1", np.logspace(0, 1, 100)),
    ],
)
def test_of_real_numbers(rt: Runtime, dtype: torch.dtype, name: str, arguments: str, expected: Any) -> None:
    if dtype == torch.float64:
        assert_tensor(lua(rt, f"return torch.{name}({arguments})"), expected, dtype)
    for form in (f"torch.{name}(out, {arguments})", f"out:{name}({arguments})"):
        out = torch.zeros(2, dtype=dtype)
        assert lua(rt, f"return rawequal(out, {form})", out=out) is True
        assert_tensor(out, expected, dtype)


def test_range_of_whole_numbers_cuts_its_bounds(rt: Runtime) -> None:
    assert plain(lua(rt, "return torch.IntTensor():range(1.9, 5.9, 2.9)")) == [1, 3, 5]


@pytest.mark.parametrize("first", [1, 2**24 - 20, -(2**24) - 20])
def test_range_of_floats_rounds_whole_numbers(rt: Runtime, first: int) -> None:
    found = lua(rt, f"return torch.FloatTensor():range({first}, {first + 39})")
    assert np.array_equal(found.numpy(), np.arange(first, first + 40).astype(np.float32))


def test_range_and_linspace_keep_a_shape_that_fits(rt: Runtime) -> None:
    source = "return torch.Tensor(2, 2):range(1, 4), torch.Tensor(2, 2):t():linspace(1, 4, 4)"
    assert plain(lua(rt, source)) == ([[1, 2], [3, 4]], [[1, 2], [3, 4]])


def test_logspace_beyond_the_largest_number(rt: Runtime) -> None:
    assert plain(lua(rt, "return torch.logspace(0, 400, 2)")) == [1, math.inf]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("torch.eye(0)", "n must be above 0"),
        ("torch.range(1, 5, 0)", "step must not be 0"),
        ("torch.range(1, 5, -1)", "cannot be reached"),
        ("torch.range(5, 1)", "cannot be reached"),
        ("torch.IntTensor():range(1, 5, 0.5)", "step must not be 0"),
        ("torch.linspace(0, 1, 1)", "invalid number of points"),
        ("torch.IntTensor():linspace(0, 1, 5)", "only DoubleTensor and FloatTensor"),
        ("torch.zeros()", "invalid arguments for function 'zeros'"),
        ("torch.zeros('a')", "invalid arguments for function 'zeros'"),
    ],
)
def test_rules_that_cannot_be(rt: Runtime, source: str, message: str) -> None:
    assert message in failure(rt, f"local x = {source}")


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("diag(OUTtorch.Tensor{1, 2})", [[1, 0], [0, 2]]),
        ("diag(OUTtorch.Tensor{1, 2}, 1)", [[0, 1, 0], [0, 0, 2], [0, 0, 0]]),
        ("diag(OUTtorch.Tensor{1, 2}, -1)", [[0, 0, 0], [1, 0, 0], [0, 2, 0]]),
        ("diag(OUT" + SQUARE + ")", [1, 5, 9]),
        ("diag(OUT" + SQUARE + ", 1)", [2, 6]),
        ("diag(OUT" + SQUARE + ":t(), 1)", [4, 8]),
        ("diag(OUT" + SQUARE + ", -2)", [7]),
        ("tril(OUT" + SQUARE + ")", [[1, 0, 0], [4, 5, 0], [7, 8, 9]]),
        ("tril(OUT" + SQUARE + ", -1)", [[0, 0, 0], [4, 0, 0], [7, 8, 0]]),
        ("triu(OUT" + SQUARE + ")", [[1, 2, 3], [0, 5, 6], [0, 0, 9]]),
        ("triu(OUT" + SQUARE + ":t(), 1)", [[0, 4, 7], [0, 0, 8], [0, 0, 0]]),
    ],
)
def test_matrices(rt: Runtime, call: str, expected: Any) -> None:
    assert plain(lua(rt, "return torch." + call.replace("OUT", ""))) == expected
    assert plain(lua(rt, "local r = torch.Tensor(7) return torch." + call.replace("OUT", "r, "))) == expected
    assert plain(lua(rt, "local r = torch.Tensor(7) return r:" + call.replace("OUT", ""))) == expected


def test_a_matrix_is_expected(rt: Runtime) -> None:
    assert "expected a matrix" in failure(rt, "torch.tril(torch.Tensor(3))")
    assert "expected a matrix" in failure(rt, "torch.triu(torch.Tensor(3, 3, 3))")
    assert "matrix or a vector expected" in failure(rt, "torch.diag(torch.Tensor(3, 3, 3))")
