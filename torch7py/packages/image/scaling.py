"""Images of another size (``image.scale``): rows first, then columns, each as the original does it."""

from __future__ import annotations

import torch

from torch7py.ops.errors import ArgumentError
from torch7py.packages.image.arithmetic import DOUBLE, FLOAT, check_images, converted, single, working_type
from torch7py.packages.registry import function

__all__ = ["cubic", "scale"]


def _positions(count: int, step: float, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """The source positions of the first elements: integer part and fraction of ``i * step``, in float."""
    at = torch.arange(count, dtype=FLOAT, device=device) * step
    index = at.long()
    return index, at - index.to(FLOAT)


def _by_lines(src: torch.Tensor, length: int) -> torch.Tensor:
    """The last dimension interpolated to be longer, or averaged to be shorter."""
    old = src.size(-1)
    work = working_type(src.dtype)
    values = src.to(work)
    if length > old:
        if old == 1:
            return src.expand(*src.shape[:-1], length)
        index, part = _positions(length - 1, single(single(old - 1) / (length - 1)), src.device)
        mixed = (1 - part).to(work) * values[..., index] + part.to(work) * values[..., index + 1]
        return torch.cat([converted(mixed, src.dtype), src[..., -1:]], -1)
    step = single(single(old) / length)
    ends = torch.arange(1, length + 1, dtype=FLOAT, device=src.device) * step
    last = ends.long()
    after = ends - last.to(FLOAT)
    first = torch.cat([last.new_zeros(1), last[:-1]])
    before = torch.cat([after.new_zeros(1), after[:-1]])
    # sum and weight are floats: each step rounds
    total = ((1 - before).to(work) * values[..., first]).to(FLOAT)
    weight = 1 - before
    for offset in range(1, int((last - first).max())):
        inside = first + offset < last
        element = values[..., (first + offset).clamp(max=old - 1)]
        total = torch.where(inside, (total.to(work) + element).to(FLOAT), total)
        weight = torch.where(inside, weight + 1, weight)
    there = last < old
    share = after.to(work) * values[..., last.clamp(max=old - 1)]
    total = torch.where(there, (total.to(work) + share).to(FLOAT), total)
    weight = torch.where(there, weight + after, weight)
    return converted((total / weight).to(work), src.dtype)


def cubic(
    p0: torch.Tensor, p1: torch.Tensor, p2: torch.Tensor, p3: torch.Tensor, x: torch.Tensor
) -> torch.Tensor:
    """The cubic through four values, at x between the middle two."""
    a1 = p2 - p0
    a2 = 2 * p0 - 5 * p1 + 4 * p2 - p3
    a3 = 3 * (p1 - p2) + p3 - p0
    inner = a1 + x * (a2 + x * a3)
    return (p1.to(DOUBLE) + 0.5 * x.to(DOUBLE) * inner.to(DOUBLE)).to(p1.dtype)


def _by_cubics(src: torch.Tensor, length: int) -> torch.Tensor:
    """The last dimension interpolated by cubics."""
    old = src.size(-1)
    if old == 1:
        return src.expand(*src.shape[:-1], length)
    work = working_type(src.dtype)
    values = src.to(work)
    step = single(old - 1) if length == 1 else single(single(old - 1) / (length - 1))
    index, part = _positions(length - 1, step, src.device)
    p1, p2 = values[..., index], values[..., index + 1]
    p0 = torch.where(index > 0, values[..., (index - 1).clamp(min=0)], 2 * p1 - p2)
    p3 = torch.where(index + 2 < old, values[..., (index + 2).clamp(max=old - 1)], 2 * p2 - p1)
    mixed = converted(cubic(p0, p1, p2, p3, part.to(work)), src.dtype)
    return torch.cat([mixed, src[..., -1:]], -1)


def _by_neighbours(src: torch.Tensor, height: int, width: int) -> torch.Tensor:
    rows, columns = (
        (torch.arange(new, dtype=FLOAT, device=src.device) * single(single(old) / new))
        .long()
        .clamp(max=old - 1)
        for old, new in ((src.size(-2), height), (src.size(-1), width))
    )
    return converted(src[..., rows, :][..., columns].to(FLOAT), src.dtype)


@function("image._scale")
def scale(src: torch.Tensor, dst: torch.Tensor, mode: str) -> None:
    """Fill ``dst`` with ``src``: ``simple`` takes the nearest, ``bilinear`` averages where it gets smaller."""
    check_images("image.scale", src, dst)
    if 0 in src.shape or 0 in dst.shape:
        raise ArgumentError("image.scale: an empty image")
    height, width = dst.shape[-2:]
    if mode == "simple":
        dst.copy_(_by_neighbours(src, height, width))
        return
    change = _by_lines if mode == "bilinear" else _by_cubics
    scaled = src
    for new in (width, height):
        scaled = (scaled if scaled.size(-1) == new else change(scaled, new)).transpose(-1, -2)
    dst.copy_(scaled)
