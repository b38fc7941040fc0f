"""The losses of rows of scores for target classes, and their gradient, computed by a kernel.

In PyTorch they take ten small operations, and an operation that is called once a step costs more to get into the
processor's cache than to run: in a step of bench's char_rnn they took 125 us, the kernel takes 25.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch

from torch7py.kernels import available, kernel

__all__ = ["add_up", "fits", "spread"]

REALS = {torch.float64: "double", torch.float32: "float"}
TARGETS = {**REALS, torch.int64: "int64_t", torch.int32: "int32_t", torch.uint8: "uint8_t"}


@cache
def _loops(real: torch.dtype, target: torch.dtype) -> tuple[Callable[..., Any], Callable[..., Any]]:
    loops: Any = kernel("class_loss", REAL=REALS[real], NUMBER=TARGETS[target])
    return loops.forward, loops.backward


def fits(scores: torch.Tensor, targets: torch.Tensor) -> bool:
    """Whether the kernel can read these tensors."""
    return (
        scores.dtype in REALS
        and targets.dtype in TARGETS
        and scores.is_cpu
        and targets.is_cpu
        and scores.is_contiguous()
        and targets.is_contiguous()
        and available()
    )


def add_up(
    scores: torch.Tensor, targets: torch.Tensor, mean: bool, losses: torch.Tensor, weight: torch.Tensor
) -> float | None:
    """Write minus the scores of the targets, for as many groups of rows as ``losses`` has room, their sum or mean.

    Also writes the number of rows in a group to ``weight``. Returns the last loss; None if a target is no class.
    """
    rows, classes = scores.shape
    groups = losses.shape[0]
    count = rows // groups
    loss: float | bool = _loops(scores.dtype, targets.dtype)[0](
        scores.data_ptr(),
        targets.data_ptr(),
        groups,
        count,
        classes,
        count if mean else 1,
        losses.data_ptr(),
        weight.data_ptr(),
    )
    return None if loss is False else float(loss)


def spread(gradient: torch.Tensor, targets: torch.Tensor, weight: torch.Tensor | None) -> bool:
    """Write the gradient of the sum, divided by ``weight``'s element. False if a target is no class."""
    rows, classes = gradient.shape
    done: bool = _loops(gradient.dtype, targets.dtype)[1](
        gradient.data_ptr(), targets.data_ptr(), rows, classes, 0 if weight is None else weight.data_ptr()
    )
    return done
