"""Images sampled at the positions of a flow field (``image.warp``)."""

from __future__ import annotations

import math

import torch

from torch7py.ops.errors import ArgumentError
from torch7py.packages.image.arithmetic import DOUBLE, FLOAT, converted, single, working_type
from torch7py.packages.image.scaling import cubic
from torch7py.packages.registry import function

__all__ = ["warp"]

RADIUS = 3  # of the Lanczos kernel


@function("image._warp")
def warp(
    dst: torch.Tensor,
    src: torch.Tensor,
    field: torch.Tensor,
    mode: str,
    offset: bool,
    pad: bool,
    value: float,
) -> None:
    """``dst[:, y, x]`` from ``src`` at ``field[:, y, x]`` (y, then x), added to (y, x) itself with ``offset``.

    Positions outside the image are moved to its edge or, with ``pad``, give ``value``.
    """
    if src.dim() != 3 or dst.dim() != 3 or field.dim() != 3 or field.size(0) != 2:
        raise ArgumentError("image.warp: an image of 3 dimensions and a field of 2 planes expected")
    if field.shape[1:] != dst.shape[1:] or src.size(0) != dst.size(0):
        raise ArgumentError("image.warp: the sizes of image, field and destination do not match")
    height, width = src.shape[1:]
    y, x = field.to(FLOAT)
    if offset:
        y = y + torch.arange(dst.size(1), dtype=FLOAT, device=src.device).unsqueeze(1)
        x = x + torch.arange(dst.size(2), dtype=FLOAT, device=src.device)
    outside = (y < 0) | (y > height - 1) | (x < 0) | (x > width - 1)
    y, x = y.clamp(0, height - 1), x.clamp(0, width - 1)
    if mode == "simple":
        rows, columns = ((v.to(DOUBLE) + 0.5).floor().long() for v in (y, x))
        warped = src[:, rows, columns]
    else:
        work = working_type(src.dtype)
        sample = {"bilinear": _bilinear, "bicubic": _bicubic, "lanczos": _lanczos}[mode]
        warped = converted(sample(src.to(work), y, x, value), src.dtype)
    if pad:
        warped = torch.where(outside, torch.tensor(value, dtype=DOUBLE).to(src.dtype), warped)
    dst.copy_(warped)


def _bilinear(src: torch.Tensor, y: torch.Tensor, x: torch.Tensor, _value: float) -> torch.Tensor:
    height, width = src.shape[1:]
    top, left = y.floor().long(), x.floor().long()
    below, right = (top + 1).clamp(max=height - 1), (left + 1).clamp(max=width - 1)
    down, across = y - top.to(FLOAT), x - left.to(FLOAT)
    up, back = (top + 1).to(FLOAT) - y, (left + 1).to(FLOAT) - x
    work = src.dtype
    return (
        src[:, top, left] * (back * up).to(work)
        + src[:, top, right] * (across * up).to(work)
        + src[:, below, left] * (back * down).to(work)
        + src[:, below, right] * (across * down).to(work)
    )


def _bicubic(src: torch.Tensor, y: torch.Tensor, x: torch.Tensor, value: float) -> torch.Tensor:
    height, width = src.shape[1:]
    top, left = y.floor().long(), x.floor().long()
    part_y, part_x = (y - top.to(FLOAT)).to(src.dtype), (x - left.to(FLOAT)).to(src.dtype)
    outer = torch.tensor(value, dtype=DOUBLE).to(src.dtype)
    rows = []
    for i in range(-1, 3):
        row = []
        for j in range(-1, 3):
            v, u = top + i, left + j
            inside = (v >= 0) & (v < height) & (u >= 0) & (u < width)
            row.append(torch.where(inside, src[:, v.clamp(0, height - 1), u.clamp(0, width - 1)], outer))
        rows.append(cubic(row[0], row[1], row[2], row[3], part_x))
    return cubic(rows[0], rows[1], rows[2], rows[3], part_y)


def _weights(at: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """The pixels around a position and the weights of the Lanczos kernel for them."""
    first = at.floor().long() - RADIUS + 1
    neighbours = [first + i for i in range(2 * RADIUS)]
    weights = []
    pi = single(math.pi)
    for neighbour in neighbours:
        d = (at - neighbour.to(FLOAT)).abs()
        waves = RADIUS * torch.sin((pi * d).to(DOUBLE)) * torch.sin((pi * d / RADIUS).to(DOUBLE))
        weight = (waves / (single(math.pi**2) * d * d).to(DOUBLE)).to(FLOAT)
        weight = torch.where(d > RADIUS, torch.zeros_like(d), weight)
        weights.append(torch.where(d < single(0.000001), torch.ones_like(d), weight))
    return neighbours, weights


def _lanczos(src: torch.Tensor, y: torch.Tensor, x: torch.Tensor, _value: float) -> torch.Tensor:
    height, width = src.shape[1:]
    rows, weights_y = _weights(y)
    columns, weights_x = _weights(x)
    total = torch.zeros_like(y)
    weighted_sum = src.new_zeros(src.size(0), *y.shape)
    for column, weight_x in zip(columns, weights_x, strict=True):
        for row, weight_y in zip(rows, weights_y, strict=True):
            weight = weight_x * weight_y
            total = total + weight
            pixels = src[:, row.clamp(0, height - 1), column.clamp(0, width - 1)]
            weighted_sum = weighted_sum + pixels * weight.to(src.dtype)
    return weighted_sum / total.to(src.dtype)
