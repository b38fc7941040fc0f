"""Images of another size, by the library's filters."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch

from torch7py.ops.errors import TorchError
from torch7py.packages.contrib.graphicsmagick.pixels import MOST, rounded
from torch7py.packages.registry import function

__all__ = ["resize"]

Curve = Callable[[float], float]
SMALL = 1e-12  # added to half a pixel when a filter takes single points


def _sinc(x: float) -> float:
    return math.sin(math.pi * x) / (math.pi * x) if x else 1.0


def _lanczos(x: float) -> float:
    return _sinc(x) * _sinc(x / 3) if abs(x) < 3 else 0.0


def _box(x: float) -> float:
    return 1.0 if -0.5 <= x < 0.5 else 0.0


def _blackman(x: float) -> float:
    return 0.42 + 0.5 * math.cos(math.pi * x) + 0.08 * math.cos(2 * math.pi * x)


def _hermite(x: float) -> float:
    x = abs(x)
    return (2 * x - 3) * x * x + 1 if x < 1 else 0.0


def _quadratic(x: float) -> float:
    x = abs(x)
    if x < 0.5:
        return 0.75 - x * x
    return 0.5 * (x - 1.5) ** 2 if x < 1.5 else 0.0


def _spline(b: float, c: float) -> Curve:
    """The cubic curves of Mitchell and Netravali."""

    def curve(x: float) -> float:
        x = abs(x)
        if x < 1:
            return ((12 - 9 * b - 6 * c) * x**3 + (-18 + 12 * b + 6 * c) * x**2 + 6 - 2 * b) / 6
        if x < 2:
            return (
                -(b + 6 * c) * x**3 + (6 * b + 30 * c) * x**2 - (12 * b + 48 * c) * x + 8 * b + 24 * c
            ) / 6
        return 0.0

    return curve


# The filter curves by their names, and the radius of each.
FILTERS: dict[str, tuple[Curve, float]] = {
    "Point": (_box, 0.0),
    "Box": (_box, 0.5),
    "Triangle": (lambda x: max(1 - abs(x), 0.0), 1.0),
    "Hermite": (_hermite, 1.0),
    "Hanning": (lambda x: 0.5 + 0.5 * math.cos(math.pi * x), 1.0),
    "Hamming": (lambda x: 0.54 + 0.46 * math.cos(math.pi * x), 1.0),
    "Blackman": (_blackman, 1.0),
    "Gaussian": (lambda x: math.exp(-2 * x * x) * math.sqrt(2 / math.pi), 1.25),
    "Quadratic": (_quadratic, 1.5),
    "Cubic": (_spline(1.0, 0.0), 2.0),
    "Catrom": (_spline(0.0, 0.5), 2.0),
    "Mitchell": (_spline(1 / 3, 1 / 3), 2.0),
    "Lanczos": (_lanczos, 3.0),
    "Sinc": (lambda x: _blackman(x / 4) * _sinc(x), 4.0),
}


class _Weights:
    """The weights of the source pixels in each pixel of the result: ``weights[k]`` of ``positions[k]``."""

    def __init__(self, size: int, new_size: int, curve: Curve, reach: float, blur: float) -> None:
        rows = list(_rows(size, new_size, curve, reach, blur))
        most = max(len(taken) for _, taken in rows)
        padded = [taken + [0.0] * (most - len(taken)) for _, taken in rows]
        self.weights = torch.tensor(padded, dtype=torch.float64).t()
        first = torch.tensor([first for first, _ in rows])
        self.positions = (first + torch.arange(most)[:, None]).clamp(max=size - 1)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """The sums along the last dimension."""
        total = torch.zeros(*x.shape[:-1], self.weights.size(1), dtype=x.dtype)
        for weight, index in zip(self.weights, self.positions, strict=True):
            total.addcmul_(x.index_select(-1, index), weight)
        return total


def _rows(
    size: int, new_size: int, curve: Curve, reach: float, blur: float
) -> Iterator[tuple[int, list[float]]]:
    """For each pixel of the result the first source pixel, and the weights of this and the next ones."""
    factor = new_size / size
    stretch = blur * max(1 / factor, 1.0)
    support = stretch * reach
    if support <= 0.5:
        support, stretch = 0.5 + SMALL, 1.0
    for index in range(new_size):
        center = (index + 0.5) / factor
        first, last = int(max(center - support + 0.5, 0)), int(min(center + support + 0.5, size))
        taken = [curve((at - center + 0.5) / stretch) for at in range(first, last)]
        total = sum(taken) or 1.0
        yield first, [weight / total for weight in taken]


def _along(x: torch.Tensor, sums: _Weights, opaque: bool) -> torch.Tensor:
    """Apply the weights to the last dimension. Transparent pixels count less for the colours."""
    if opaque:
        return rounded(sums(x))
    cover = x[-1:]
    share = sums(cover / MOST)
    colours = sums(x[:-1] * cover / MOST)
    colours = torch.where(share != 0, colours / torch.where(share != 0, share, 1.0), colours)
    return rounded(torch.cat([colours, sums(cover)]))


@function("graphicsmagick._resize")
def resize(
    pixels: torch.Tensor, width: int, height: int, name: str | None = None, blur: float = 1.0
) -> torch.Tensor:
    """Pixels in another size; each direction is rounded.

    Without a name it is Lanczos' filter, or Mitchell's where an image grows or has transparency.
    """
    planes, rows, columns = pixels.shape
    width, height = int(width), int(height)
    if width < 1 or height < 1:
        raise TorchError("graphicsmagick: an image has a width and a height")
    if not blur > 0:
        raise TorchError("graphicsmagick: a factor of blur is larger than 0")
    if (rows, columns) == (height, width) and blur == 1:
        return pixels.clone()
    if name in (None, "Undefined"):
        name = "Mitchell" if width * height > columns * rows or planes == 4 else "Lanczos"
    if name not in FILTERS:
        raise TorchError(
            f"graphicsmagick: the filter {name} is not supported; there are {', '.join(FILTERS)}"
        )
    curve, reach = FILTERS[name]
    across = _Weights(columns, width, curve, reach, blur)
    down = _Weights(rows, height, curve, reach, blur)
    opaque = planes != 4
    x = pixels.double()
    if width * (rows + height) > height * (columns + width):
        x = _along(_along(x, across, opaque).transpose(1, 2), down, opaque).transpose(1, 2)
    else:
        x = _along(_along(x.transpose(1, 2), down, opaque).transpose(1, 2), across, opaque)
    return x.to(torch.int32).contiguous()
