"""How many objects there are, for tests of what is left behind."""

from __future__ import annotations

import gc

import torch

__all__ = ["alive"]


def alive() -> tuple[int, int]:
    """How many tensors and modules there are."""
    gc.collect()
    kinds = [type(found) for found in gc.get_objects()]
    tensors = sum(kind is torch.Tensor or kind is torch.nn.Parameter for kind in kinds)
    return tensors, sum(issubclass(kind, torch.nn.Module) for kind in kinds)
