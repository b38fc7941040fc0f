"""Gaussian kernels (``image.gaussian``)."""

from __future__ import annotations

import numpy as np
import torch

from torch7py.packages.image.arithmetic import DOUBLE, converted, working_type
from torch7py.packages.registry import function

__all__ = ["gaussian"]


@function("image._gaussian")
def gaussian(
    dst: torch.Tensor,
    amplitude: float,
    normalize: bool,
    sigma_x: float,
    sigma_y: float,
    mean_x: float,
    mean_y: float,
) -> None:
    """Fill a matrix with a Gaussian; spread and middle are shares of its size."""
    work = working_type(dst.dtype)
    height, width = dst.shape

    def distances(count: int, sigma: float, mean: float) -> torch.Tensor:
        middle = ((torch.tensor(mean, dtype=work) * count).to(DOUBLE) + 0.5).to(work)
        over = (1 / (torch.tensor(sigma, dtype=work) * count).to(DOUBLE)).to(work)
        return (torch.arange(1, count + 1, dtype=work) - middle) * over

    x, y = distances(width, sigma_x, mean_x), distances(height, sigma_y, mean_y)
    square = x * x + (y * y).unsqueeze(1)
    peak = float(torch.tensor(amplitude, dtype=work))
    values = converted((peak * torch.exp(-0.5 * square.to(DOUBLE))).to(work), dst.dtype)
    if normalize:
        total = float(np.add.accumulate(values.to(work).numpy().ravel())[-1])
        values = (values.to(work) * torch.tensor(1 / total, dtype=DOUBLE).to(work)).to(dst.dtype)
    dst.copy_(values)
