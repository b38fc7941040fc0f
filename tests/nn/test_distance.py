"""CosineDistance and PairwiseDistance: what the golden cases leave out."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from tests.nn.faces import assert_faces_agree, values
from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime
from torch7py.nn.distance import CosineDistance, PairwiseDistance

A, B = values(4, 3), values(4, 3, start=1)


def test_cosines() -> None:
    output = assert_faces_agree(CosineDistance(), [A, B])
    torch.testing.assert_close(output, F.cosine_similarity(A, B), rtol=1e-11, atol=1e-12)
    output = assert_faces_agree(CosineDistance(), [A[0], B[0]])
    torch.testing.assert_close(output, F.cosine_similarity(A[:1], B[:1]), rtol=1e-11, atol=1e-12)


def test_the_cosine_of_zeros_is_zero() -> None:
    zeros = torch.zeros(3, dtype=torch.float64)
    layer = CosineDistance()
    assert layer.updateOutput([zeros, zeros]).item() == 0
    assert all(torch.isfinite(g).all() for g in layer.backward([zeros, zeros], torch.ones(1).double()))


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, 4])
@pytest.mark.parametrize("batch", [True, False])
def test_norms_and_their_derivative(p: float, batch: bool) -> None:
    given = [A, B] if batch else [A[0], B[0]]
    layer = PairwiseDistance(p)
    output = layer.updateOutput(given)
    expected = (given[0] - given[1]).abs().pow(p).sum(-1).pow(1 / p)
    torch.testing.assert_close(output, expected.reshape(-1), rtol=1e-13, atol=1e-14)

    def function(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return layer.forward([a, b])

    leaves = tuple(t.clone().requires_grad_() for t in given)
    assert torch.autograd.gradcheck(function, leaves)


@pytest.mark.parametrize("p", [2, 3])
def test_the_gradient_has_1e_6_in_the_denominator(p: int) -> None:
    layer = PairwiseDistance(p)
    layer.updateOutput([A, B])
    weight = values(4, start=2)
    gradient = layer.backward([A, B], weight)
    difference = A - B
    distance = difference.abs().pow(p).sum(1, keepdim=True).pow(1 / p) + 1e-6
    expected = difference * difference.abs() ** (p - 2) / distance ** (p - 1) * weight.unsqueeze(1)
    torch.testing.assert_close(gradient[0], expected, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(gradient[1], -expected, rtol=1e-12, atol=1e-14)


def test_below_2_a_factor_is_missing() -> None:
    layer = PairwiseDistance(1.5)
    layer.updateOutput([A, B])
    gradient = layer.backward([A, B], torch.ones(4, dtype=torch.float64))[0]
    distance = (A - B).abs().pow(1.5).sum(1, keepdim=True).pow(1 / 1.5) + 1e-6
    torch.testing.assert_close(gradient, (A - B) / distance.sqrt(), rtol=1e-12, atol=1e-14)


def test_equal_elements_have_a_random_sign_in_the_1_norm(runtime: Runtime) -> None:
    """The stream of torch.random(2), one draw for each element without a difference."""
    same, following = runtime.execute(
        """
        require 'nn'
        local m, a, b = nn.PairwiseDistance(1), torch.ones(20), torch.ones(20)
        b[3] = 5
        m:forward{a, b}
        torch.manualSeed(11)
        local g = m:backward({a, b}, torch.ones(1))[1]:clone()
        local after = torch.random(1000)
        torch.manualSeed(11)
        local same = true
        for i = 1, 20 do
           local expected = i == 3 and -1 or 2 * torch.random(2) - 3
           same = same and g[i] == expected
        end
        return same, after == torch.random(1000)
        """
    )
    assert same
    assert following


def test_equal_vectors_have_a_finite_gradient() -> None:
    layer = PairwiseDistance()
    layer.updateOutput([A, A])
    assert not layer.backward([A, A], torch.ones(4, dtype=torch.float64))[0].any()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("nn.PairwiseDistance():forward{x, torch.ones(3)}", "nn.PairwiseDistance: inputs of 2x3 and 3"),
        ("nn.PairwiseDistance():forward{x, torch.ones(1, 3)}", "nn.PairwiseDistance: inputs of 2x3 and 1x3"),
        ("nn.PairwiseDistance():forward(x[1])", "nn.PairwiseDistance: the input must be a table of 2"),
        ("nn.CosineDistance():forward{x, torch.ones(3, 2)}", "nn.CosineDistance: inputs of 2x3 and 3x2"),
        ("nn.CosineDistance():forward{x}", "nn.CosineDistance: the input must be a table of 2"),
    ],
)
def test_bad_input(runtime: Runtime, code: str, message: str) -> None:
    with pytest.raises(LuaError, match=rf"^test.lua:2: {message}"):
        runtime.execute(f"require 'nn' local x = torch.ones(2, 3)\nlocal r = {code}", "@test.lua")
