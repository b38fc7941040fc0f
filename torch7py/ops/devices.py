"""The GPUs of a program by Torch7's numbers, which count from 1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from torch7py.ops import state, types

__all__ = ["at", "move", "on"]


def at(number: float) -> torch.device:
    """The device of this number; the one that stands in for all where the program computes on no GPU."""
    current = state.current()
    gpu = current.gpu
    return (
        torch.device("cuda", int(number) - 1)
        if gpu is not None and gpu.type == "cuda"
        else gpu or current.device
    )


@contextmanager
def on(number: float) -> Iterator[None]:
    """While new tensors of a program lie on the device of this number."""
    current, device = state.current(), at(number)
    before = current.gpu, current.device
    if current.gpu is not None and device != current.gpu:
        current.gpu = device
        if before[1].type == device.type:  # the program's other tensors lie on GPUs too
            current.device = device
    try:
        yield
    finally:
        current.gpu, current.device = before


def move(value: Any, device: torch.device) -> Any:
    """A tensor on this device, with its type: itself if it lies there, or has no numbers. Or a list of such."""
    if isinstance(value, list):
        return [move(item, device) for item in value]
    if not isinstance(value, torch.Tensor) or value.device == device or value.is_meta:
        return value
    return types.label(value.to(device), types.of(value))
