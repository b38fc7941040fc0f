"""Arithmetic on the tensors of a table: what the golden cases leave out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.nn.faces import assert_faces_agree, values
from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.nn.table_math import (
    CAddTable,
    CAddTensorTable,
    CDivTable,
    CMaxTable,
    CMinTable,
    CMulTable,
    CSubTable,
    MixtureTable,
)

A, B, C = values(2, 3), values(2, 3, start=1), values(2, 3, start=2)


@pytest.mark.parametrize(
    ("make", "given", "expected"),
    [
        (lambda: CAddTable(), [A], A),
        (lambda: CAddTable(), [A, B, C], A + B + C),
        (lambda: CAddTable(), [A, B.reshape(6)], A + B),
        (lambda: CSubTable(), [A, B], A - B),
        (lambda: CSubTable(), [A, B.reshape(3, 2)], A - B),
        (lambda: CMulTable(), [A], A),
        (lambda: CMulTable(), [A, B, C], A * B * C),
        (lambda: CMulTable(), [A, B.reshape(6)], A * B),
        (lambda: CDivTable(), [A, B], A / B),
        (lambda: CMaxTable(), [A, B, C], torch.stack([A, B, C]).amax(0)),
        (lambda: CMaxTable(), [A], A),
        (lambda: CMinTable(), [A, B, C.reshape(6)], torch.stack([A, B, C]).amin(0)),
        (lambda: CAddTensorTable(), [A, [B, C]], [A + B, A + C]),
    ],
)
def test_values_and_gradients(make: Callable[[], Any], given: Any, expected: Any) -> None:
    output = assert_faces_agree(make(), given)
    torch.testing.assert_close(output, expected, rtol=1e-14, atol=1e-15)


GATE1, GATE2 = values(3).abs(), values(2, 3).abs()
EXPERTS = [values(2, 4, start=n) for n in range(3)]
VECTORS = [values(4, start=n) for n in range(3)]


@pytest.mark.parametrize(
    ("dim", "given", "expected"),
    [
        (None, [GATE1, VECTORS], sum(g * e for g, e in zip(GATE1, VECTORS, strict=True))),
        (None, [GATE1, torch.stack(VECTORS)], sum(g * e for g, e in zip(GATE1, VECTORS, strict=True))),
        (None, [GATE2, EXPERTS], sum(GATE2[:, i : i + 1] * EXPERTS[i] for i in range(3))),
        (None, [GATE2, torch.stack(EXPERTS, 1)], sum(GATE2[:, i : i + 1] * EXPERTS[i] for i in range(3))),
        (3, [GATE2, torch.stack(EXPERTS, 2)], sum(GATE2[:, i : i + 1] * EXPERTS[i] for i in range(3))),
        (2, [GATE1, torch.stack(VECTORS, 1)], sum(g * e for g, e in zip(GATE1, VECTORS, strict=True))),
    ],
)
def test_mixtures(dim: int | None, given: Any, expected: torch.Tensor) -> None:
    output = assert_faces_agree(MixtureTable(dim), given)
    torch.testing.assert_close(output, expected, rtol=1e-14, atol=1e-15)


def test_in_place_addition(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local m = nn.CAddTable(true)
        local a, b, g = torch.ones(2), torch.ones(2) * 2, torch.ones(2) * 5
        local o = m:forward{a, b}
        local gi = m:backward({a, b}, g)
        return o:storage() == a:storage(), a[1], b[1], gi[1]:storage() == g:storage(), gi[2]:storage() == g:storage()
        """
    ) == (True, 3, 2, True, True)


def test_gradients_are_memory_of_their_own(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local m, a, g = nn.CAddTable(), torch.ones(2), torch.ones(2)
        m:forward{a, a}
        local gi = m:backward({a, a}, g)
        gi[1]:fill(7)
        return gi[2][1], g[1]
        """
    ) == (1, 1)


def test_a_smaller_table_later(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local m, a = nn.CMulTable(), torch.ones(2) * 3
        m:backward({a, a, a}, m:forward{a, a, a})
        local o = m:forward{a, a}
        return o[1], #m:backward({a, a}, a), m.gradInput[2][1]
        """
    ) == (9, 2, 9)


@pytest.mark.parametrize(("make", "field"), [(CMaxTable, "maxIdx"), (CMinTable, "minIdx")])
def test_of_equal_elements_the_first_has_the_gradient(make: Callable[[], Any], field: str) -> None:
    layer = make()
    ones = torch.ones(2, dtype=torch.float64)
    layer.updateOutput([ones, ones.clone()])
    assert layer.get_field(field).tolist() == [1, 1]
    gradients = layer.backward([ones, ones.clone()], ones * 5)
    assert [g.tolist() for g in gradients] == [[5, 5], [0, 0]]


def test_a_nan_is_never_chosen_over_an_earlier_number() -> None:
    nan = torch.tensor([float("nan"), 1.0], dtype=torch.float64)
    ones = torch.ones(2, dtype=torch.float64)
    assert CMaxTable().updateOutput([ones, nan]).tolist() == [1, 1]


def test_the_efficient_gradient_of_a_product() -> None:
    layer = CMulTable()
    layer.updateOutput([A, B, C])
    usual = [g.clone() for g in layer.updateGradInput([A, B, C], A)]
    torch.testing.assert_close(layer.updateGradInput_efficient([A, B, C], A), usual, rtol=1e-12, atol=1e-14)


@pytest.mark.one_runtime
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("nn.CAddTable():forward(x)", "nn.CAddTable: the input must be a table"),
        ("nn.CAddTable():forward{}", "nn.CAddTable: the input must be a table"),
        ("nn.CAddTable():forward{x, 1}", "nn.CAddTable: entry 2 of the input is not a tensor"),
        (
            "nn.CAddTable():forward{x, torch.ones(3)}",
            "nn.CAddTable: entry 2 of the input is 3, the first 2x3",
        ),
        ("nn.CAddTable():forward{x, x:float()}", "nn.CAddTable: entry 2 of the input is a torch.FloatTensor"),
        (
            "nn.CMulTable():forward{x, torch.ones(1, 3)}",
            "nn.CMulTable: entry 2 of the input is 1x3, the first",
        ),
        ("nn.CSubTable():forward{x}", "nn.CSubTable: the input must be a table of 2"),
        ("nn.CDivTable():forward{x}", "nn.CDivTable: the input must be a table of 2"),
        ("nn.CSubTable():backward(x, torch.ones(3))", "nn.CSubTable: a backward takes a table, not 2x3"),
        ("nn.CDivTable():backward(x, torch.ones(3))", "nn.CDivTable: a backward takes a table, not 2x3"),
        ("nn.CAddTable():backward({x, x}, torch.ones(3))", "nn.CAddTable: gradOutput is 3, the output 2x3"),
        ("nn.CMulTable():backward({x, x}, torch.ones(3))", "nn.CMulTable: gradOutput is 3, the output 2x3"),
        ("nn.CAddTensorTable():forward{x, {torch.ones(3)}}", "nn.CAddTensorTable: cannot view 3 as 2x3"),
        ("nn.MixtureTable():forward{torch.ones(3), {x, x}}", "nn.MixtureTable: 3 weights for 2 experts"),
        (
            "nn.MixtureTable():forward{x, {x, x, torch.ones(3)}}",
            "nn.MixtureTable: expert 3 is 3, the first 2x3",
        ),
        (
            "nn.MixtureTable():forward{torch.ones(4, 3), {x, x, x}}",
            "nn.MixtureTable: a gater of 4x3 for experts of 2x3x3",
        ),
        (
            "nn.MixtureTable():forward{torch.ones(1, 1, 1), x}",
            "nn.MixtureTable: the gater must be a vector or",
        ),
    ],
)
def test_bad_input(runtime: Runtime, code: str, message: str) -> None:
    with pytest.raises(LuaError, match=rf"^test.lua:2: {message}"):
        runtime.execute(f"require 'nn' local x = torch.ones(2, 3)\nlocal r = {code}", "@test.lua")


# What each gives for three vectors, {8, 2}, {4, 4} and {2, 16}, and back for {1, 2}; then for two, {1, 2} and {2, 4},
# with ones back: in the original, which leaves of gradInput as many as there are entries.
OF_THREE_THEN_TWO = {
    "CSubTable": "4 -2 -> 1 2 | -1 -2; -1 -2 -> 1 1 | -1 -1",
    "CDivTable": "2 0.5 -> 0.25 0.5 | -0.5 -0.25; 0.5 0.5 -> 0.5 0.25 | -0.25 -0.125",
    "CAddTable": "14 22 -> 1 2 | 1 2 | 1 2; 3 6 -> 1 1 | 1 1",
    "CMulTable": "64 128 -> 8 128 | 16 64 | 32 16; 2 8 -> 2 4 | 1 2",
    "CMaxTable": "8 16 -> 1 0 | 0 0 | 0 2; 2 4 -> 0 0 | 1 1",
    "CMinTable": "2 2 -> 0 2 | 0 0 | 1 0; 1 2 -> 1 1 | 0 0",
}


def test_of_more_entries_and_then_fewer(runtime):
    runtime.execute("""
        require 'nn'
        local function text(x) return table.concat(x:totable(), ' ') end
        local function pass(m, x, g)
           local y, parts = text(m:forward(x)), {}
           for i, part in ipairs(m:backward(x, g)) do parts[i] = text(part) end
           return y .. ' -> ' .. table.concat(parts, ' | ')
        end
        function found(name)
           local m = nn[name]()
           local three = {torch.Tensor{8, 2}, torch.Tensor{4, 4}, torch.Tensor{2, 16}}
           return pass(m, three, torch.Tensor{1, 2}) .. '; '
              .. pass(m, {torch.Tensor{1, 2}, torch.Tensor{2, 4}}, torch.ones(2))
        end
    """)
    assert {name: runtime.globals["found"](name) for name in OF_THREE_THEN_TWO} == OF_THREE_THEN_TWO
