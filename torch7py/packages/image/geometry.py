"""Parts of images, moved, turned and mirrored ones, and rectangles drawn into them."""

from __future__ import annotations

import math

import torch

from torch7py.ops.errors import ArgumentError
from torch7py.packages.image.arithmetic import DOUBLE, FLOAT, check_images, converted, single, working_type
from torch7py.packages.registry import function

__all__ = ["crop", "draw_rect", "flip", "rotate", "translate"]


@function("image._crop")
def crop(src: torch.Tensor, dst: torch.Tensor, x: float, y: float) -> None:
    """The part of ``dst``'s size from (x, y) on, counted from 0; through float, as the original."""
    check_images("image.crop", src, dst)
    left, top = int(x), int(y)
    height, width = dst.shape[-2:]
    if left < 0 or top < 0 or left + width > src.size(-1) or top + height > src.size(-2):
        raise ArgumentError("image.crop: crop goes outside bounds of src")
    part = src[..., top : top + height, left : left + width]
    dst.copy_(converted(part.to(FLOAT), src.dtype))


@function("image._translate")
def translate(src: torch.Tensor, dst: torch.Tensor, x: float, y: float) -> None:
    """Move the image by integer numbers of pixels to the right and down; pixels that leave it are lost."""
    check_images("image.translate", src, dst)
    right, down = int(x), int(y)
    height, width = src.shape[-2:]
    if abs(right) < width and abs(down) < height:
        part = src[..., max(-down, 0) : height - max(down, 0), max(-right, 0) : width - max(right, 0)].clone()
        dst[..., max(down, 0) : height + min(down, 0), max(right, 0) : width + min(right, 0)] = part


@function("image._flip")
def flip(src: torch.Tensor, dst: torch.Tensor, dimension: int) -> None:
    """Mirror along a dimension, counted from 1."""
    dst.copy_(src.flip(dimension - 1))


@function("image._rotate")
def rotate(src: torch.Tensor, dst: torch.Tensor, theta: float, mode: str) -> None:
    """Rotate around the centre by theta radians; pixels from outside are 0."""
    check_images("image.rotate", src, dst)
    if src.data_ptr() == dst.data_ptr():
        raise ArgumentError("image.rotate: in-place rotate not supported")
    height, width = src.shape[-2:]
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    angle = single(theta)
    x = torch.arange(dst.size(-1), dtype=FLOAT, device=src.device) - middle_x
    y = (torch.arange(dst.size(-2), dtype=FLOAT, device=src.device) - middle_y).unsqueeze(1)
    if mode == "simple":
        cos, sin = single(math.cos(angle)), single(math.sin(angle))
        columns = _rounded(cos * x - sin * y + middle_x)
        rows = _rounded(cos * y + sin * x + middle_y)
        inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        pixels = src[..., rows.clamp(0, height - 1), columns.clamp(0, width - 1)].to(FLOAT)
        dst.copy_(converted(torch.where(inside, pixels, pixels.new_zeros(())), src.dtype))
        return
    work = working_type(src.dtype)
    cos, sin = math.cos(angle), math.sin(angle)
    from_x = (cos * x.to(DOUBLE) - sin * y.to(DOUBLE)).to(work) + middle_x
    from_y = (cos * y.to(DOUBLE) + sin * x.to(DOUBLE)).to(work) + middle_y
    left, right, part_x, inside_x = _neighbours(from_x, width)
    top, bottom, part_y, inside_y = _neighbours(from_y, height)
    a, b = part_x.to(DOUBLE), part_y.to(DOUBLE)
    values = src.to(DOUBLE)
    mixed = (
        (1 - a) * (1 - b) * values[..., top, left]
        + a * (1 - b) * values[..., top, right]
        + (1 - a) * b * values[..., bottom, left]
        + (part_x * part_y * src[..., bottom, right].to(work)).to(DOUBLE)
    ).to(FLOAT)
    dst.copy_(converted(torch.where(inside_x & inside_y, mixed, mixed.new_zeros(())), src.dtype))


def _rounded(x: torch.Tensor) -> torch.Tensor:
    """Round to the nearest integer, halves away from zero."""
    return (x.to(DOUBLE).abs() + 0.5).floor().mul(x.sign().to(DOUBLE)).long()


def _neighbours(at: torch.Tensor, size: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """The pixel positions before and after, the fraction between them, and whether both are in the image.

    Less than half a pixel outside, the edge pixel stands for both.
    """
    low = at.floor().long()
    high = low + 1
    part = at - low.to(at.dtype)
    at_end = (high == size) & (part < 0.5)
    at_start = (low == -1) & (part > 0.5)
    inside = (at_end | (high < size)) & (at_start | (low >= 0))
    high = torch.where(at_end, low, high)
    low = torch.where(at_start, high, low)
    return low.clamp(0, size - 1), high.clamp(0, size - 1), part, inside


@function("image._draw_rect")
def draw_rect(
    image: torch.Tensor,
    x1: float,
    y1: float,
    x2: float,
    y2: float,
    line: float,
    red: float,
    green: float,
    blue: float,
) -> None:
    """The outline of a rectangle, its corners counted from 1, in a colour of 0 to 255."""
    height, width = image.shape[-2:]
    before = int(line) // 2 + 1
    after = int(line) - before
    lows_x, lows_y = ([max(0, int(v) - before) for v in pair] for pair in ((x1, x2), (y1, y2)))
    highs_x = [max(0, min(width, int(v) + after)) for v in (x1, x2)]
    highs_y = [max(0, min(height, int(v) + after)) for v in (y1, y2)]
    color = torch.tensor([int(red), int(green), int(blue)], dtype=FLOAT)
    if image.dtype != torch.uint8:
        color = color / 255
    paint = color.to(image.dtype).to(image.device).view(3, 1, 1)
    for low, high in zip(lows_x, highs_x, strict=True):
        image[:, lows_y[0] : highs_y[1], low:high] = paint
    for low, high in zip(lows_y, highs_y, strict=True):
        image[:, low:high, lows_x[0] : highs_x[1]] = paint
