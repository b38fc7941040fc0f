"""A criterion's two faces against each other: autograd over ``forward``, and Torch7's protocol."""

from __future__ import annotations

from typing import Any

import torch

from tests.nn.faces import rebuild
from torch7py.nn.base import Criterion
from torch7py.nn.trace import leaves_of

__all__ = ["assert_criterion"]


def assert_criterion(criterion: Criterion, input: Any, target: Any, rtol: float = 1e-11) -> float:
    """``forward`` is what ``updateOutput`` gives, its derivative what ``updateGradInput`` gives; returns the loss."""
    leaves = [leaf.detach().clone().requires_grad_() for leaf in leaves_of(input)]

    def loss_of(*tensors: torch.Tensor) -> Any:
        return criterion(rebuild(input, list(tensors)), target)

    assert torch.autograd.gradcheck(loss_of, tuple(leaves), eps=1e-6, atol=1e-6, rtol=1e-4)
    loss = loss_of(*leaves)
    wanted = torch.autograd.grad(loss, leaves)
    plain = rebuild(input, [leaf.detach() for leaf in leaves])
    found = criterion.updateOutput(plain, target)
    found = found[0] if isinstance(found, tuple) else found
    assert abs(found - loss.item()) <= rtol * max(abs(found), 1e-3)
    assert criterion.output == found
    gradients = list(leaves_of(criterion.updateGradInput(plain, target)))
    for ours, theirs in zip(gradients, wanted, strict=True):
        assert ours.shape == theirs.shape
        torch.testing.assert_close(ours, theirs, rtol=rtol, atol=1e-14)
    return float(found)
