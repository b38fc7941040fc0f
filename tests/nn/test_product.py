"""Products of two tensors: what the golden cases leave out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.nn.faces import assert_faces_agree, values
from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.nn.distance import CosineDistance, PairwiseDistance
from torch7py.nn.product import MM, MV, DotProduct
from torch7py.nn.table_math import CAddTable, CDivTable, CMaxTable, CMinTable, CMulTable, CSubTable
from torch7py.ops.errors import TorchError

V = values


@pytest.mark.parametrize(
    ("make", "a", "b", "equation"),
    [
        (lambda: MM(), V(2, 3), V(3, 4), "nk,km->nm"),
        (lambda: MM(False, True), V(2, 3), V(4, 3), "nk,mk->nm"),
        (lambda: MM(True, True), V(3, 2), V(4, 3), "kn,mk->nm"),
        (lambda: MM(), V(5, 2, 3), V(5, 3, 4), "bnk,bkm->bnm"),
        (lambda: MM(True), V(5, 3, 2), V(5, 3, 4), "bkn,bkm->bnm"),
        (lambda: MM(True, True), V(5, 3, 2), V(5, 4, 3), "bkn,bmk->bnm"),
        (lambda: MV(), V(5, 2, 3), V(5, 3), "bnk,bk->bn"),
        (lambda: MV(True), V(3, 2), V(3), "kn,k->n"),
        (lambda: DotProduct(), V(4, 3), V(4, 3, start=1), "bn,bn->b"),
    ],
)
def test_products(make: Callable[[], Any], a: torch.Tensor, b: torch.Tensor, equation: str) -> None:
    output = assert_faces_agree(make(), [a, b])
    torch.testing.assert_close(output, torch.einsum(equation, a, b), rtol=1e-13, atol=1e-14)


def test_the_dot_product_of_vectors_has_one_element() -> None:
    output = assert_faces_agree(DotProduct(), [V(3), V(3, start=1)])
    torch.testing.assert_close(output, torch.dot(V(3), V(3, start=1)).reshape(1))


def test_strided_factors(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local m, a = nn.MM(), torch.range(1, 6):view(2, 3)
        local o = m:forward{a:t(), a}
        local g = m:backward({a:t(), a}, torch.ones(3, 3):t())
        return o[1][3], o[3][1], g[1]:size(1), g[2][1][1]
        """
    ) == (1 * 3 + 4 * 6, 3 * 1 + 6 * 4, 3, 1 + 2 + 3)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("nn.MM():forward{x, x}", "nn.MM: inputs of 2x3 and 2x3"),
        ("nn.MM():forward{x, torch.ones(1, 3, 2)}", "nn.MM: inputs of 2x3 and 1x3x2"),
        ("nn.MM():forward{torch.ones(2, 3, 4), torch.ones(1, 4, 5)}", "nn.MM: inputs of 2x3x4 and 1x4x5"),
        ("nn.MM():forward{torch.ones(3), torch.ones(3)}", "nn.MM: inputs of 3 and 3"),
        ("nn.MM():forward(x)", "nn.MM: the input must be a table of 2"),
        ("nn.MM():backward({x, x:t()}, x)", "nn.MM: gradOutput is 2x3, the output 2x2"),
        ("nn.MV():forward{x, torch.ones(2)}", "nn.MV: inputs of 2x3 and 2"),
        ("nn.MV():forward{x, x}", "nn.MV: inputs of 2x3 and 2x3"),
        ("nn.MV(1)", "nn.MV: the argument must be true or false"),
        ("nn.DotProduct():forward{x, torch.ones(1, 3)}", "nn.DotProduct: inputs of 2x3 and 1x3"),
    ],
)
def test_bad_input(runtime: Runtime, code: str, message: str) -> None:
    with pytest.raises(LuaError, match=rf"^test.lua:2: {message}"):
        runtime.execute(f"require 'nn' local x = torch.ones(2, 3)\nlocal r = {code}", "@test.lua")


@pytest.mark.parametrize(
    ("layer", "output"),
    [
        (PairwiseDistance(2), [5.1961524227066]),
        (CosineDistance(), [0.97463184619704]),
        (DotProduct(), [32]),
    ],
)
def test_of_a_matrix_in_place_of_a_table_the_rows_are_the_entries(layer: Any, output: list[float]) -> None:
    """The layers that take two entries by number; the outputs are the original's."""
    matrix = torch.arange(1.0, 7, dtype=torch.float64).view(2, 3)
    assert layer.updateOutput(matrix).tolist() == pytest.approx(output, rel=1e-12)
    gradOutput = torch.ones(len(output), dtype=torch.float64)
    gradients = [part.clone() for part in layer.updateGradInput(matrix, gradOutput)]
    layer.updateOutput(list(matrix))
    expected = layer.updateGradInput(list(matrix), gradOutput)
    assert all(map(torch.equal, gradients, expected))


@pytest.mark.parametrize(("layer", "output"), [(CSubTable(), [-3, -3, -3]), (CDivTable(), [0.25, 0.4, 0.5])])
def test_of_a_matrix_some_have_an_output_alone(layer: Any, output: list[float]) -> None:
    """The original's backward counts the entries, which a tensor does not let it."""
    matrix = torch.arange(1.0, 7, dtype=torch.float64).view(2, 3)
    assert layer.updateOutput(matrix).tolist() == pytest.approx(output, rel=1e-12)
    with pytest.raises(TorchError, match="a backward takes a table, not 2x3"):
        layer.updateGradInput(matrix, torch.ones(3, dtype=torch.float64))


@pytest.mark.parametrize("layer", [CAddTable(), CMulTable(), CMaxTable(), CMinTable(), MM(), MV()])
def test_layers_that_count_their_entries_take_no_matrix(layer: Any) -> None:
    with pytest.raises(TorchError, match="must be a table"):
        layer.updateOutput(torch.ones(2, 3, dtype=torch.float64))
