"""SparseLinear: what the golden cases leave out."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F

from tests.nn.faces import values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.nn.sparse_linear import SparseLinear


def sparse(row: torch.Tensor, columns: list[int]) -> torch.Tensor:
    """These elements (0-based) of a row as indices and values."""
    numbers = torch.tensor([column + 1.0 for column in columns], dtype=torch.float64)
    return torch.stack([numbers, row[columns]], 1)


def dense(columns: list[list[int]], size: int = 6) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """A batch that is zero but for some columns of each row, whole and sparse."""
    whole = values(len(columns), size)
    kept = torch.zeros_like(whole)
    for number, row in enumerate(columns):
        kept[number, row] = whole[number, row]
    return kept, [sparse(kept[number], row) for number, row in enumerate(columns)]


FORMS = ["table", "tensor", "single"]


def inputs(form: str) -> tuple[torch.Tensor, Any]:
    if form == "table":
        return dense([[0, 2], [1, 2, 5], [4]])
    x, examples = dense([[0, 2, 4], [5, 2, 1]])
    return (x[:1], examples[0]) if form == "single" else (x, torch.stack(examples))


@pytest.mark.parametrize("form", FORMS)
def test_it_is_linear(form: str) -> None:
    layer = SparseLinear(6, 3, True)
    x, given = inputs(form)
    output = layer.updateOutput(given)
    expected = F.linear(x, layer.weight, layer.bias)
    torch.testing.assert_close(output, (expected[0] if form == "single" else expected).detach())
    g = values(*output.shape, start=2)
    layer.zeroGradParameters()
    gradient = layer.backward(given, g, 2)
    for row, part in enumerate(gradient):
        assert part[:, 0].tolist() == [1, 2, 3, 4, 5, 6]
        torch.testing.assert_close(part[:, 1], (g.view(len(x), 3) @ layer.weight.data)[row])
    wanted = torch.autograd.grad(expected, [layer.weight, layer.bias], 2 * g.view(len(x), 3))
    parameters: Any = layer.torch7_parameters()
    for ours, theirs in zip(parameters[1], wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("form", FORMS)
def test_gradients_from_python(form: str) -> None:
    layer = SparseLinear(6, 3)
    x, given = inputs(form)
    found = torch.autograd.grad(layer(given).sum(), [layer.weight, layer.bias])
    wanted = torch.autograd.grad(F.linear(x, layer.weight, layer.bias).sum(), [layer.weight, layer.bias])
    for ours, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("passes", [1, 2])
def test_a_step_and_zeroing(passes: int) -> None:
    """Whichever columns are gone over, the outcome is that of all columns."""
    layer = SparseLinear(6, 3)
    _, given = inputs("table")
    layer.zeroGradParameters()
    for number in range(passes):
        layer.updateOutput(given)
        layer.backward(given, values(3, 3, start=number))
    parameters: Any = layer.torch7_parameters()
    before = [(p.data.clone(), g.clone()) for p, g in zip(*parameters, strict=True)]
    layer.updateParameters(0.1)
    for (parameter, gradient), now in zip(before, parameters[0], strict=True):
        torch.testing.assert_close(now.data, parameter - 0.1 * gradient, rtol=1e-13, atol=1e-15)
    layer.zeroGradParameters()
    assert all(g.abs().max().item() == 0 for g in parameters[1])


def test_weight_decay_moves_the_columns_of_the_input_alone(runtime: Runtime) -> None:
    moved = lua(
        runtime,
        """
        local m, x = nn.SparseLinear(4, 2), torch.Tensor{{2, 0.5}}
        local before = m.weight:clone()
        m.weightDecay = 1
        m:zeroGradParameters()
        m:forward(x)
        m:backward(x, torch.zeros(2))
        m:updateParameters(0.1)
        return m.weight:cdiv(before)
        """,
    )
    torch.testing.assert_close(moved, torch.tensor([[1, 0.9, 1, 1]] * 2, dtype=torch.float64))


def test_no_examples(runtime: Runtime) -> None:
    assert lua(runtime, "local m = nn.SparseLinear(4, 2) return (m:forward{} - m.bias):norm()") == 0


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("forward(torch.Tensor{{7, 1}})", "index 7 out of range 1 to 6"),
        ("forward(torch.Tensor{{0, 1}})", "index 0 out of range 1 to 6"),
        ("forward(torch.ones(3, 3))", "an example must be rows of an index and a value, not 3x3"),
        ("forward(torch.ones(3))", "an example must be rows of an index and a value, not 3"),
        ("forward{1}", "an example must be rows of an index and a value, not no tensor"),
        ("forward(torch.ones(1, 2):float())", "the input is a torch.FloatTensor, not a torch.DoubleTensor"),
        ("backward(torch.ones(1, 2), torch.ones(2))", "gradOutput has 2 elements (2), not 3 (1x3)"),
    ],
)
def test_errors(runtime: Runtime, code: str, expected: str) -> None:
    assert lua_error(runtime, f"nn.SparseLinear(6, 3):{code}") == f"nn.SparseLinear: {expected}"


def test_any_value_but_false_normalizes(runtime: Runtime) -> None:
    """Upstream's tests give a 1: four columns stand in front of the weights then."""
    columns = lua(
        runtime,
        """
        local function columns(normalize)
           return nn.IndexLinear(5, 2, nil, nil, nil, nil, normalize).weight:size(2)
        end
        return columns(1), columns(true), columns(false)
        """,
    )
    assert columns == (6, 6, 2)


# After :float() in the original, by what was done before; counters and the sizes of an example are not among them.
INDEX_LINEAR_IN_FLOAT = {
    "": (
        "bias 2, gradBias 2, gradInput, gradWeight, gradWeightBuffer, normalizedValues, output, valuesBuffer, "
        "weight 6x2"
    ),
    "m:forward(x) m:zeroGradParameters() m:backward(x, torch.ones(2, 2))": (
        "bias 2, gradBias 2, gradWeight, gradWeightBuffer, normalizedValues, output 2x2, valuesBuffer, weight 6x2"
    ),
    "m:forward(x) m:zeroGradParameters() m:backward(x, torch.ones(2, 2)) m:updateParameters(0.1)": (
        "bias 2, gradBias 2, gradWeight 5x2, gradWeightBuffer, normalizedValues, output 2x2, valuesBuffer, weight 6x2"
    ),
}


@pytest.mark.parametrize("before", INDEX_LINEAR_IN_FLOAT)
@pytest.mark.parametrize("way", ["float()", "type('torch.FloatTensor')", "type('torch.FloatTensor', {})"])
def test_the_type_of_an_index_linear(runtime: Runtime, before: str, way: str) -> None:
    """Which tensors it has, of which sizes, all in the new type; what it returns; and that it goes on."""
    found = runtime.execute(f"""
        require 'nn'
        local m = nn.IndexLinear(6, 2)
        local a, b = torch.Tensor{{1, 0.5}}, torch.Tensor{{2, 1, 3}}
        local x = {{{{torch.LongTensor{{1, 3}}, torch.LongTensor{{2, 4, 1}}}}, {{a, b}}}}
        {before}
        local same = rawequal(m:{way}, m)
        local names, kinds = {{}}, {{}}
        for name, value in pairs(m) do
           if torch.isTensor(value) then
              names[#names + 1] = value:dim() == 0 and name or name .. ' ' .. table.concat(value:size():totable(), 'x')
              kinds[value:type()] = true
           end
        end
        table.sort(names)
        x[2] = {{a:float(), b:float()}}
        local kind, output = next(kinds), m:forward(x)
        return {{table.concat(names, ', '), kind, next(kinds, kind) == nil, same, m:type(), output:type()}}
    """)
    kind = "torch.FloatTensor"
    assert found == [INDEX_LINEAR_IN_FLOAT[before], kind, True, True, kind, kind]
