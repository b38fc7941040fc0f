"""Sizes of inputs: how they are said, read from a command line, and made into tensors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch

__all__ = ["Shape", "Sizes", "Wanted", "make", "parse_size"]


@dataclass(frozen=True)
class Shape:
    """A tensor's sizes; ``whole`` says that it holds whole numbers, from 1 to that."""

    sizes: tuple[int, ...]
    whole: int = 0


# What a layer takes: a tensor, a table of such, or None for anything.
Wanted: TypeAlias = "Shape | list[Wanted] | None"


@dataclass(frozen=True)
class Sizes:
    """What no layer says: examples in a batch, steps of a sequence, and the side of an image."""

    batch: int = 3
    steps: int = 5
    side: int = 32


def make(shapes: Wanted, dtype: torch.dtype, seed: int = 1) -> Any:
    """Tensors of these sizes."""
    generator = torch.Generator().manual_seed(seed)

    def one(part: Wanted) -> Any:
        if isinstance(part, list):
            return [one(item) for item in part]
        if part is None:
            part = Shape((Sizes.batch, 7))
        if part.whole:
            return torch.randint(1, part.whole + 1, part.sizes, generator=generator).to(dtype)
        return torch.randn(part.sizes, generator=generator, dtype=torch.float64).to(dtype)

    return one(shapes)


_SIZE = re.compile(r"(\d+(?:x\d+)*)(?::(\d+))?")


def parse_size(text: str) -> Wanted:
    """``20x3x32x32``; ``20x5:100`` for whole numbers from 1 to 100; ``3x10,3x4`` for a table. ValueError."""
    parts: list[Wanted] = []
    for part in text.split(","):
        match = _SIZE.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"{part!r} is no size like 20x3x32x32")
        parts.append(Shape(tuple(int(n) for n in match[1].split("x")), int(match[2] or 0)))
    return parts if len(parts) > 1 else parts[0]
