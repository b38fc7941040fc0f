"""Registers all that cutorch brings."""

from __future__ import annotations

from torch7py.packages.cutorch import device, random, stream, tensor

__all__ = ["device", "random", "stream", "tensor"]
