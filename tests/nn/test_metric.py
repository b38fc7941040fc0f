"""Distances to learned templates: what the golden cases leave out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.nn.faces import assert_faces_agree, values
from tests.nn.scripts import lua, lua_error
from torch7py.bridge.runtime import Runtime
from torch7py.nn.metric import Cosine, Euclidean, WeightedEuclidean

LAYERS: list[Callable[[int, int], Any]] = [Euclidean, WeightedEuclidean, Cosine]


def reference(layer: Any, x: torch.Tensor) -> torch.Tensor:
    """The output by its definition, one template at a time."""
    weight = layer.weight.data
    if isinstance(layer, Cosine):
        columns = [torch.nn.functional.cosine_similarity(x, w, dim=-1, eps=1e-300) for w in weight]
    else:
        factor = layer.diagCov.data if isinstance(layer, WeightedEuclidean) else torch.ones_like(weight)
        columns = [
            (factor[:, j] * (x - weight[:, j])).square().sum(-1).sqrt() for j in range(weight.shape[1])
        ]
    return torch.stack(columns, -1)


@pytest.mark.parametrize("make", LAYERS)
@pytest.mark.parametrize("shape", [(4,), (5, 4), (1, 4)])
def test_values_and_derivatives(make: Callable[[int, int], Any], shape: tuple[int, ...]) -> None:
    layer = make(4, 3)
    if isinstance(layer, WeightedEuclidean):
        layer.diagCov.data.copy_(values(4, 3).abs() + 0.5)
    x = values(*shape).requires_grad_()
    assert torch.autograd.gradcheck(layer, (x,), eps=1e-6, atol=1e-6)
    torch.testing.assert_close(layer.updateOutput(x.data), reference(layer, x.data), rtol=1e-11, atol=0)


@pytest.mark.parametrize("make", LAYERS)
@pytest.mark.parametrize("shape", [(4,), (5, 4)])
def test_gradients_are_the_derivatives_but_for_what_keeps_from_zero(
    make: Callable[[int, int], Any], shape: tuple[int, ...]
) -> None:
    layer = make(4, 3)
    x = values(*shape).requires_grad_()
    output = layer(x)
    g = values(*output.shape, start=2)
    wanted = torch.autograd.grad(output, [x, *layer.parameters()], g)
    layer.updateOutput(x.data)
    found = [layer.backward(x.data, g), *layer.torch7_parameters()[1]]
    for ours, expected in zip(found, wanted, strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-6, atol=1e-6)


def test_cosine_agrees_exactly_on_both_faces() -> None:
    layer = Cosine(4, 3)
    layer.weight.data.copy_(values(3, 4, start=2))  # short templates feel the 1e-12 that norms begin with
    assert_faces_agree(layer, values(4))


@pytest.mark.parametrize("make", LAYERS)
def test_a_template_itself_has_no_gradient_towards_it(make: Callable[[int, int], Any]) -> None:
    layer = make(4, 1)
    x = layer.weight.data.flatten().clone()
    output = layer.updateOutput(x)
    gradient = layer.updateGradInput(x, torch.ones(1, dtype=torch.float64))
    assert output.item() == pytest.approx(1 if make is Cosine else 0, abs=1e-11)
    assert gradient.abs().max().item() < 1e-10


def scaled(layer: Any, x: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The parameters' gradients with scale 1 and with scale 3."""
    g = values(*layer.updateOutput(x).shape, start=2)
    found = []
    for scale in (1, 3):
        layer.zeroGradParameters()
        layer.accGradParameters(x, g, scale)
        found.append([b.clone() for b in layer.torch7_parameters()[1]])
    return list(zip(*found, strict=True))


def test_scale_as_in_the_original() -> None:
    """Where the original forgets the scale: diagCov for one example, Cosine's weight for a batch."""
    for shape, factors in (((4,), (3, 1)), ((5, 4), (3, 3))):
        for (one, three), factor in zip(
            scaled(WeightedEuclidean(4, 3), values(*shape)), factors, strict=True
        ):
            torch.testing.assert_close(three, factor * one, rtol=1e-13, atol=0)
    ((one, three),) = scaled(Cosine(4, 3), values(5, 4))
    assert torch.equal(one, three)
    ((one, three),) = scaled(Cosine(4, 3), values(4))
    assert not torch.allclose(one, three)
    ((one, three),) = scaled(Euclidean(4, 3), values(4))
    torch.testing.assert_close(three, 3 * one, rtol=1e-13, atol=0)


def test_parameters_of_weighted_euclidean(runtime: Runtime) -> None:
    count, sizes, moved = lua(
        runtime,
        """
        local m = nn.WeightedEuclidean(4, 3)
        local p, g = m:parameters()
        local flat = m:getParameters()
        m.gradDiagCov:fill(1)
        m:updateParameters(0.5)
        return #p, flat:nElement(), m.diagCov
        """,
    )
    assert (count, sizes) == (2, 24)
    assert torch.equal(moved, torch.full((4, 3), 0.5, dtype=torch.float64))


@pytest.mark.parametrize("name", ["Euclidean", "WeightedEuclidean", "Cosine"])
def test_errors(runtime: Runtime, name: str) -> None:
    layer = f"nn.{name}(4, 3)"
    for call, expected in (
        ("forward(torch.ones(2, 3))", "the input of 2x3 must have 4 columns"),
        ("forward(torch.ones(2, 2, 4))", "the input must be a vector or a matrix"),
        ("forward(torch.ones(4):float())", "the input is a torch.FloatTensor, not a torch.DoubleTensor"),
        (
            "backward(torch.ones(2, 4), torch.ones(2, 4))",
            "gradOutput has 8 elements (2x4), not 6 (2x3)",
        ),
    ):
        assert lua_error(runtime, f"{layer}:{call}") == f"nn.{name}: {expected}"
