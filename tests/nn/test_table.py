"""Tables taken apart and put together: what the golden cases leave out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.nn.faces import assert_faces_agree, values
from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.nn.table import (
    FlattenTable,
    JoinTable,
    NarrowTable,
    SelectTable,
    SplitTable,
    ZipTable,
    ZipTableOneToMany,
)

A, B, C = values(2, 3), values(2, 3, start=1), values(2, 3, start=2)


@pytest.mark.parametrize(
    ("make", "given", "expected"),
    [
        (lambda: JoinTable(1), [A], A),
        (lambda: JoinTable(-1), [A, B, C], torch.cat([A, B, C], 1)),
        (lambda: JoinTable(1, 1), [A, B], torch.cat([A, B], 1)),
        (lambda: JoinTable(1, 2), [A, B], torch.cat([A, B], 0)),
        (lambda: JoinTable(2), [values(2, 4, 1, 1), A], torch.cat([values(2, 4), A], 1)[..., None, None]),
        (lambda: SplitTable(1, 2), values(4, 2, 3), list(values(4, 2, 3).unbind(1))),
        (lambda: SplitTable(-2), values(4, 2, 3), list(values(4, 2, 3).unbind(1))),
        (lambda: SelectTable(1), [A, B], A),
        (lambda: SelectTable(-2), [A, B, C], B),
        (lambda: SelectTable(2), [A, [B, C]], [B, C]),
        (lambda: NarrowTable(1), [A, B], [A]),
        (lambda: NarrowTable(2, 2), [A, [B, A], C], [[B, A], C]),
        (lambda: FlattenTable(), [[A, [B]], C], [A, B, C]),
        (lambda: ZipTable(), [[A, B, C], [C, A, B]], [[A, C], [B, A], [C, B]]),
        (lambda: ZipTableOneToMany(), [A, [B, C, A]], [[A, B], [A, C], [A, A]]),
    ],
)
def test_values_and_gradients(make: Callable[[], Any], given: Any, expected: Any) -> None:
    output = assert_faces_agree(make(), given)
    same(output, expected)


def same(ours: Any, expected: Any) -> None:
    if isinstance(expected, list):
        assert isinstance(ours, list)
        assert len(ours) == len(expected)
        for one, other in zip(ours, expected, strict=True):
            same(one, other)
    else:
        assert torch.equal(ours, expected)


def test_join_gives_the_type_of_the_layer() -> None:
    output = JoinTable(1).updateOutput([torch.tensor([1, 2]), torch.tensor([0.5], dtype=torch.float32)])
    assert output.dtype == torch.float64
    assert output.tolist() == [1, 2, 0.5]


def test_gradients_are_memory_of_their_own(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local m, a = nn.JoinTable(1), torch.ones(2)
        local gradOutput = m:forward{a, a}:clone()
        local g = m:backward({a, a}, gradOutput)
        g[1]:fill(7)
        return gradOutput:max(), g[2]:max()
        """
    ) == (1, 1)


def test_tables_hand_on_the_tensors_themselves(runtime: Runtime) -> None:
    assert all(
        runtime.execute(
            """
            require 'nn'
            local a, b, c = torch.ones(1), torch.ones(2), torch.ones(3)
            local s, n, f = nn.SelectTable(2), nn.NarrowTable(2, 2), nn.FlattenTable()
            local z = nn.ZipTable()
            local o = n:forward{a, b, c}
            local t = {b, c}
            return rawequal(s:forward{a, b}, b), rawequal(o[1], b), rawequal(o[2], c),
               rawequal(f:forward{{a}, b}[1], a), rawequal(z:forward{{a}, {b}}[1][2], b),
               rawequal(s:forward{a, t}[2], c), rawequal(n:backward({a, b, c}, {b, c})[2], b)
            """
        )
    )


def test_split_gives_views(runtime: Runtime) -> None:
    assert runtime.execute(
        "require 'nn' local x = torch.ones(2, 3) nn.SplitTable(1):forward(x)[2]:fill(5) return x[1][1], x[2][1]"
    ) == (1, 5)


def test_an_output_table_keeps_its_identity_and_shrinks(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local m = nn.NarrowTable(1, 3)
        local x = {torch.ones(2), torch.ones(2), torch.ones(2)}
        local o = m:forward(x)
        local n = #o
        m.length = 2
        return n, rawequal(o, m:forward(x)), #o
        """
    ) == (3, True, 2)


def test_select_by_key(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local m, a, b = nn.SelectTable('a'), torch.ones(2), torch.ones(3)
        local x = {a = a, b = b}
        local o = m:forward(x)
        local g = m:backward(x, a * 4)
        return tostring(m), rawequal(o, a), g.a[2], g.b:sum()
        """
    ) == ("nn.SelectTable(a)", True, 4, 0)


def test_the_selected_table_is_not_refilled(runtime: Runtime) -> None:
    """Another input must not write into the table that was handed on before."""
    assert runtime.execute(
        """
        require 'nn'
        local m, a, b = nn.SelectTable(1), torch.ones(2), torch.zeros(2)
        local first = {a, a}
        m:forward{first}
        m:forward{{b}}
        return #first, rawequal(first[1], a)
        """
    ) == (2, True)


@pytest.mark.parametrize("layer", ["nn.SelectTable(1)", "nn.NarrowTable(1)", "nn.FlattenTable()"])
def test_clearing_state_leaves_the_input_alone(runtime: Runtime, layer: str) -> None:
    assert runtime.execute(
        f"""
        require 'nn'
        local m, a = {layer}, torch.ones(2)
        m:forward{{a, a}}
        m:clearState()
        local o = m.output
        return a:nElement(), type(o) == 'table' and #o or o:nElement()
        """
    ) == (2, 0)


def test_integers_pass(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local m = nn.Sequential():add(nn.SplitTable(2)):add(nn.SelectTable(1))
        return torch.type(m:forward(torch.LongTensor{{1, 2}, {3, 4}})), m.output[2]
        """
    ) == ("torch.LongTensor", 3)


@pytest.mark.one_runtime
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("nn.JoinTable(1):forward(x)", "nn.JoinTable: the input must be a table"),
        ("nn.JoinTable(1):forward{}", "nn.JoinTable: the input must be a table"),
        ("nn.JoinTable(1):forward{x, 3}", "nn.JoinTable: entry 2 of the input is not a tensor"),
        ("nn.JoinTable(3):forward{x}", "nn.JoinTable: no dimension 3 in an input of 2 dimensions"),
        (
            "nn.JoinTable(1):forward{x, torch.ones(2, 4)}",
            "nn.JoinTable: part 2 is 2x4, the first 2x3, joined along dimension 1",
        ),
        ("nn.JoinTable(1):forward{x, torch.Tensor()}", "nn.JoinTable: part 2 is empty, the first 2x3"),
        ("nn.JoinTable(1):backward({x, x}, x)", "nn.JoinTable: gradOutput is 2x3, the output 4x3"),
        ("nn.SplitTable(3):forward(x)", "nn.SplitTable: no dimension 3 in an input of 2 dimensions"),
        ("nn.SplitTable(1):backward(x, {x})", "nn.SplitTable: the gradOutput must be a table of 2"),
        ("nn.SplitTable(1):backward(x, {x, x})", "nn.SplitTable: gradOutput is 2x3, the output 3"),
        ("nn.SelectTable(3):forward{x, x}", "nn.SelectTable: the input has no entry 3"),
        ("nn.SelectTable(0):forward{x, x}", "nn.SelectTable: the input has no entry 0"),
        ("nn.SelectTable('a'):forward{x}", "nn.SelectTable: the input has no entry a"),
        ("nn.SelectTable(1):forward(x)", "nn.SelectTable: the input has no entry 1"),
        ("nn.SelectTable(1):backward({x}, torch.ones(4))", "nn.SelectTable: gradOutput is 4, the output 2x3"),
        ("nn.NarrowTable(0, 2):forward{x, x}", "nn.NarrowTable: 2 entries from number 0 on"),
        ("nn.NarrowTable()", r"nn.NarrowTable: argument #1 \('offset'\) is missing"),
        ("nn.FlattenTable():forward(x)", "nn.FlattenTable: the input must be a table"),
        ("nn.FlattenTable():backward({x, {x}}, {x})", "nn.FlattenTable: the gradOutput must be a table of 2"),
        (
            "nn.ZipTable():forward{{x, x}, {x}}",
            "nn.ZipTable: the entries of the input must be tables of the same",
        ),
        (
            "nn.ZipTableOneToMany():forward{{x}, x}",
            "nn.ZipTableOneToMany: the first entry of the input must be",
        ),
    ],
)
def test_bad_input(runtime: Runtime, code: str, message: str) -> None:
    with pytest.raises(LuaError, match=rf"^test.lua:2: {message}"):
        runtime.execute(f"require 'nn' local x = torch.ones(2, 3)\nlocal r = {code}", "@test.lua")


@pytest.mark.parametrize("name", ["SplitTable(1)", "ZipTable()"])
def test_a_layer_serves_twice_before_its_tables_are_used(runtime: Runtime, name: str) -> None:
    """The table of the first call stays as it was, as in the original."""
    runtime.execute(
        f"""
        require 'nn'
        local m = nn.{name}
        local function input(n) return '{name}' == 'ZipTable()' and {{{{n}}, {{n}}}} or torch.Tensor{{n, n}} end
        local first = m:forward(input(1))
        local second = m:forward(input(2))
        same = rawequal(first, second)
        local function number(x) return type(x) == 'table' and x[1] or type(x) == 'number' and x or x[1] end
        one, two = number(first[1]), number(second[1])
        """
    )
    assert (runtime.globals["same"], runtime.globals["one"], runtime.globals["two"]) == (False, 1, 2)


def test_the_numbers_of_a_vector(runtime: Runtime) -> None:
    """The slices of a vector are numbers, as ``x:select(1, i)`` gives them, and nothing goes back through these."""
    runtime.execute("require 'nn' m, x = nn.SplitTable(1), torch.Tensor{4, 5} y = m:forward(x)")
    assert runtime.execute("return #y, y[1], y[2]") == (2, 4, 5)
    with pytest.raises(LuaError, match=r"nn.SplitTable: the numbers of a vector have no gradient"):
        runtime.execute("m:backward(x, {1, 1})")
