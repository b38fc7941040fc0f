"""The arithmetic of the original's C code, which computes partly in the image's type, partly in float and in
double."""

from __future__ import annotations

import torch

from torch7py.ops.errors import ArgumentError

__all__ = ["check_images", "converted", "single", "working_type"]

FLOAT = torch.float32
DOUBLE = torch.float64


def working_type(dtype: torch.dtype) -> torch.dtype:
    """The type of the computation: the image's type, or float for an image of integers."""
    return dtype if dtype in (FLOAT, DOUBLE) else FLOAT


def single(x: float) -> float:
    """A number rounded to float."""
    return float(torch.tensor(x, dtype=FLOAT))


def converted(values: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Computed values in the image's type: bytes are rounded and clamped, other integers truncated."""
    if dtype == torch.uint8:
        return (values + 0.5).clamp(0, 255).to(dtype)
    return values.to(dtype)


def check_images(name: str, src: torch.Tensor, dst: torch.Tensor) -> None:
    """A source and a destination of as many planes."""
    if src.dim() not in (2, 3) or dst.dim() not in (2, 3):
        raise ArgumentError(f"{name}: images of 2 or 3 dimensions expected")
    if src.dim() != dst.dim() or (src.dim() == 3 and src.size(0) != dst.size(0)):
        raise ArgumentError(f"{name}: src and dst depths do not match")
    if src.dtype != dst.dtype:
        raise ArgumentError(f"{name}: src and dst are of different types")
