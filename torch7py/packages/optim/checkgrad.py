"""Checking a gradient against differences."""

from __future__ import annotations

import torch

from torch7py.packages.optim.common import Objective, evaluate
from torch7py.packages.registry import function

__all__ = ["checkgrad"]


@function("optim.checkgrad")
@torch.no_grad()
def checkgrad(
    opfunc: Objective, x: torch.Tensor, eps: float = 1e-7
) -> tuple[float, torch.Tensor, torch.Tensor]:
    """``error, gradient, estimate = optim.checkgrad(opfunc, x[, eps])``: df/dx against central differences.

    ``error`` is |gradient - estimate| / |gradient + estimate|. x is a vector, evaluated at eps to either side of
    each of its elements and left as it was.
    """
    _, gradient = evaluate(opfunc, x)
    estimate = torch.empty_like(gradient)
    for i in range(len(x)):
        kept = x[i].item()
        x[i] = kept + eps
        above = _number(opfunc(x))
        x[i] = x[i].item() - 2 * eps
        below = _number(opfunc(x))
        x[i] = kept
        estimate[i] = (above - below) / (2 * eps)
    error = torch.linalg.vector_norm(gradient - estimate) / torch.linalg.vector_norm(gradient + estimate)
    return error.item(), gradient, estimate


def _number(result: object) -> float:
    """The value of an objective as a number; a tensor of one element counts as its element."""
    value = result[0] if isinstance(result, tuple) else result
    return float(value.item() if isinstance(value, torch.Tensor) else value)  # type: ignore[arg-type]
