"""A layer's two faces against each other, on any input: autograd over ``forward``, and Torch7's protocol."""

from __future__ import annotations

import math
from typing import Any

import torch

from torch7py.nn.base import Module
from torch7py.nn.trace import leaves_of

__all__ = ["assert_faces_agree", "rebuild", "values"]


def values(*sizes: int, start: float = 0.3) -> torch.Tensor:
    """Doubles between -1 and 1, no two equal, of both signs."""
    count = math.prod(sizes)
    return torch.sin(torch.arange(count, dtype=torch.float64) * 2.4 + start).reshape(sizes)


def rebuild(structure: Any, tensors: list[torch.Tensor]) -> Any:
    """The nesting of ``structure`` with its tensors replaced in order (taken from the list)."""
    if isinstance(structure, list):
        return [rebuild(item, tensors) for item in structure]
    return tensors.pop(0)


def assert_faces_agree(layer: Module, input: Any, derivative: bool = True) -> Any:
    """``forward`` is what ``updateOutput`` gives, its gradients are the protocol's; returns the output.

    ``derivative``: check them against finite differences too.
    """
    copies = [leaf.detach().clone() for leaf in leaves_of(input)]
    leaves = [leaf.requires_grad_() if leaf.is_floating_point() else leaf for leaf in copies]
    floating = [leaf for leaf in leaves if leaf.requires_grad]

    def function(*tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        given = iter(tensors)
        all_leaves = [next(given) if leaf.requires_grad else leaf for leaf in leaves]
        return tuple(leaves_of(layer(rebuild(input, all_leaves))))

    if derivative:
        assert torch.autograd.gradcheck(function, tuple(floating), eps=1e-6, atol=1e-6, rtol=1e-4)

    plain = rebuild(input, [leaf.detach().clone() for leaf in leaves])
    outputs = list(leaves_of(layer.updateOutput(plain)))
    given = [values(*out.shape, start=1.1 + n).to(out.dtype) for n, out in enumerate(outputs)]
    layer.zeroGradParameters()
    found = list(leaves_of(layer.backward(plain, rebuild(layer.output, list(given)))))
    parameters = [p for p in layer.parameters() if p.requires_grad]
    accumulated = [p.grad.clone() for p in parameters if p.grad is not None]

    results = function(*floating)
    assert len(results) == len(outputs)
    for ours, theirs in zip(results, outputs, strict=True):
        torch.testing.assert_close(ours.detach(), theirs, rtol=1e-12, atol=1e-14)
    wanted = torch.autograd.grad(results, [*floating, *parameters], given, allow_unused=True)
    expected = [
        torch.zeros_like(t) if g is None else g for t, g in zip([*floating, *parameters], wanted, strict=True)
    ]
    protocol = [g for g, leaf in zip(found, leaves, strict=True) if leaf.requires_grad]
    assert len(protocol) + len(accumulated) == len(expected)
    for ours, theirs in zip([*protocol, *accumulated], expected, strict=True):
        assert ours.shape == theirs.shape
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)
    return layer.output
