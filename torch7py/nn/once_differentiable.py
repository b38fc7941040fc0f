"""Gradients that a layer computes without autograd, which autograd can therefore not differentiate again."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch

from torch7py.ops.errors import TorchError

__all__ = ["once"]


class _NotTwice(torch.autograd.Function):
    """Connects a gradient with the tensors that it depends on; differentiating it is an error."""

    @staticmethod
    def forward(ctx: Any, gradient: torch.Tensor, owner: Any, *sources: torch.Tensor) -> torch.Tensor:
        ctx.owner = owner
        return gradient.view_as(gradient)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> Any:
        raise TorchError(f"{ctx.owner.class_name}: a second derivative through it is not known")


def once(backward: Callable[..., tuple[Any, ...]]) -> Callable[..., tuple[Any, ...]]:
    """Decorates a function's ``backward`` that depends on what ``ctx`` saved in a way that autograd does not see.

    PyTorch's ``once_differentiable`` only refuses to differentiate with respect to the incoming gradient; if that is
    a constant, the result counts as a constant too. ``ctx.owner`` is the layer.
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
