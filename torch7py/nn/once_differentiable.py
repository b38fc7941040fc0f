"""Gradients that a layer computes by itself, and that autograd can therefore not differentiate again."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch

from torch7py.ops.errors import TorchError

__all__ = ["once"]


class _NotTwice(torch.autograd.Function):
    """A gradient as it is, connected with what it was made from; to go back there is an error."""

    @staticmethod
    def forward(ctx: Any, gradient: torch.Tensor, owner: Any, *sources: torch.Tensor) -> torch.Tensor:
        ctx.owner = owner
        return gradient.view_as(gradient)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        raise TorchError(f"{ctx.owner.class_name}: a second derivative through it is not known")


def once(backward: Callable[..., tuple[Any, ...]]) -> Callable[..., tuple[Any, ...]]:
    """A function's ``backward`` whose result depends on what ``ctx`` has saved in a way that autograd does not see.

    PyTorch's own ``once_differentiable`` refuses only what comes back through the gradient that was given; where that
    is a constant it takes the result for one as well. ``ctx.owner`` is the layer.
    """

    @wraps(backward)
    def once_only(ctx: Any, *gradients: torch.Tensor) -> tuple[Any, ...]:
        with torch.no_grad():
            results = backward(ctx, *gradients)
        if not torch.is_grad_enabled():
            return results
        sources = [t for t in (*ctx.saved_tensors, *gradients) if t is not None and t.requires_grad]
        return tuple(
            _NotTwice.apply(value, ctx.owner, *sources) if isinstance(value, torch.Tensor) else value
            for value in results
        )

    return once_only
