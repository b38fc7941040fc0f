"""Filters of a fixed size: blur, sharpen, unsharp mask; and the curve of gamma."""

from __future__ import annotations

import math

import torch
from torch.nn import functional

from torch7py.ops.errors import TorchError
from torch7py.packages.contrib.graphicsmagick.pixels import MOST, rounded
from torch7py.packages.registry import function

__all__ = ["blur", "gamma", "sharpen", "unsharp_mask"]

LIMIT = 2001  # the width of the largest kernel


def _check(sigma: float, width: float = 0) -> None:
    if not 0 < sigma < LIMIT or not width < LIMIT:
        raise TorchError(
            "graphicsmagick: sigma should be larger than 0, and the radius not out of all bounds"
        )


def _squares(width: int) -> torch.Tensor:
    """The squared distances from the middle of a kernel."""
    positions = (torch.arange(width, dtype=torch.float64) - width // 2) ** 2
    return positions[:, None] + positions[None, :]


def _width(radius: float, sigma: float, dimensions: int) -> int:
    """How wide a kernel is: by the radius, or until its rim has less than one step of a value."""
    _check(sigma, radius)
    if radius > 0:
        return 2 * math.ceil(radius) + 1
    width = 5
    one = math.sqrt(2 * math.pi) * sigma
    while width < LIMIT:
        squares = _squares(width) if dimensions == 2 else _squares(width)[width // 2]
        total = torch.exp(-squares / (2 * sigma**2)).sum().item() / one**dimensions
        rim = math.exp(-((width // 2) ** 2) / (2 * sigma**2)) / one / total
        if rim < 1 / MOST:
            break
        width += 2
    return width - 2


def _convolved(pixels: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """Convolve each plane with a kernel of sum 1; beyond its edges an image is continued by its edge pixels."""
    width = kernel.size(0)
    rows, columns = pixels.shape[1:]
    if min(rows, columns) < width:
        raise TorchError(
            f"graphicsmagick: an image of {columns} x {rows} is smaller than the filter's {width} x {width}"
        )
    total = kernel.sum().item()
    if total not in (0.0, 1.0):
        kernel = kernel / total
    padded = functional.pad(pixels.double()[:, None], [width // 2] * 4, mode="replicate")
    return rounded(functional.conv2d(padded, kernel[None, None])[:, 0])


@function("graphicsmagick._sharpen")
def sharpen(pixels: torch.Tensor, radius: float, sigma: float) -> torch.Tensor:
    """Convolve with a negated Gaussian whose centre makes the sum of the kernel 1."""
    width = _width(radius, sigma, 1)
    kernel = torch.exp(-_squares(width) / (2 * sigma**2)) / (2 * math.pi * sigma**2)
    kernel[width // 2, width // 2] = -2 * kernel.sum()
    return _convolved(pixels, kernel).to(torch.int32)


@function("graphicsmagick._unsharp")
def unsharp_mask(
    pixels: torch.Tensor, radius: float, sigma: float, amount: float, threshold: float
) -> torch.Tensor:
    """Add ``amount`` times the difference to a Gaussian blur where that is more than half the threshold."""
    width = _width(radius, sigma, 2)
    blurred = _convolved(pixels, torch.exp(-_squares(width) / (2 * sigma**2)))
    x = pixels.double()
    taken = x - blurred
    return rounded(torch.where((2 * taken).abs() < MOST * threshold, x, x + amount * taken)).to(torch.int32)


def _bell(width: int, sigma: float) -> torch.Tensor:
    """A one-dimensional Gaussian kernel, each element the sum of three samples."""
    bias = 3 * width // 2
    positions = torch.arange(-bias, bias + 1, dtype=torch.float64)
    values = torch.exp(-(positions**2) / (2 * 9 * sigma**2))
    kernel = torch.zeros(width, dtype=torch.float64)
    kernel.index_add_(0, (positions.long() + bias) // 3, values)
    return kernel / kernel.sum()


def _blur_kernel(radius: float, sigma: float) -> torch.Tensor:
    _check(sigma, radius)
    if radius > 0:
        return _bell(2 * math.ceil(radius) + 1, sigma)
    kernel = _bell(3, sigma)
    if int(MOST * kernel[0].item()) <= 0:
        return kernel
    while kernel.size(0) < LIMIT:
        wider = _bell(kernel.size(0) + 2, sigma)
        if int(MOST * wider[0].item()) <= 0:
            break
        kernel = wider
    return kernel


def _blurred(x: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """Along the last dimension; at the ends by the part of the kernel that lies inside."""
    size, half = x.size(-1), kernel.size(0) // 2
    positions = torch.arange(size)
    offset = positions[None, :] - positions[:, None] + half
    inside = (offset >= 0) & (offset < kernel.size(0))
    matrix = torch.where(inside, kernel[offset.clamp(0, kernel.size(0) - 1)], 0.0)
    # The half that rounds is divided by the share inside too, as the library does it.
    return ((x @ matrix.t() + 0.5) / matrix.sum(1)).floor().clamp(0, MOST)


@function("graphicsmagick._blur")
def blur(pixels: torch.Tensor, radius: float, sigma: float) -> torch.Tensor:
    """A Gaussian blur, along the rows and then along the columns."""
    kernel = _blur_kernel(radius, sigma)
    if kernel.size(0) > min(pixels.shape[1:]):
        raise TorchError("graphicsmagick: an image is smaller than the filter that should blur it")
    x = _blurred(pixels.double(), kernel)
    return _blurred(x.transpose(1, 2), kernel).transpose(1, 2).contiguous().to(torch.int32)


@function("graphicsmagick._gamma")
def gamma(pixels: torch.Tensor, value: float, first: int, last: int) -> torch.Tensor:
    """Raise the planes ``first`` to ``last`` (from 1) to the power of ``1 / value``."""
    if not value > 0:
        raise TorchError("graphicsmagick: a gamma is larger than 0")
    curve = rounded((torch.arange(MOST + 1, dtype=torch.float64) / MOST) ** (1 / value) * MOST).to(
        torch.int32
    )
    result = pixels.clone()
    result[first - 1 : last] = curve[pixels[first - 1 : last].long()]
    return result
