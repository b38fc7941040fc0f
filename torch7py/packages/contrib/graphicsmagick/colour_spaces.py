"""Spaces of colours: printing colours, grey, and HSL, HWB and YUV, with values in the planes of red, green and blue."""

from __future__ import annotations

import torch

from torch7py.packages.contrib.graphicsmagick.pixels import MOST, brightness, rounded
from torch7py.packages.registry import function

__all__ = ["to_space"]

# The rows of Y, U and V in red, green and blue; and back.
YUV = torch.tensor(
    [[0.299, 0.587, 0.114], [-0.1474, -0.2895, 0.4369], [0.615, -0.515, -0.1]], dtype=torch.float64
)
BACK = torch.tensor([[1, 0, 1.1398], [1, -0.3938, -0.5805], [1, 2.0279, 0]], dtype=torch.float64)
HALF = (MOST + 1) // 2 / MOST  # where U and V are 0


def _hue(x: torch.Tensor, high: torch.Tensor, spread: torch.Tensor) -> torch.Tensor:
    """From above 0 (grey alone is 0) by yellow, green and blue to red at 1."""
    red, green, blue = x.unbind()
    safe = torch.where(spread > 0, spread, 1.0)
    hue = torch.where(
        red == high,
        (green - blue) / safe % 6,
        torch.where(green == high, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    return torch.where(spread > 0, torch.where(hue == 0, 6.0, hue) / 6, 0.0)


def _pure(hue: torch.Tensor) -> torch.Tensor:
    """The strongest colour of each hue."""
    h = hue * 6
    return torch.stack([(h - 3).abs() - 1, 2 - (h - 2).abs(), 2 - (h - 4).abs()]).clamp(0, 1)


def _from_rgb(x: torch.Tensor, space: str) -> torch.Tensor:
    if space == "YUV":
        y, u, v = (YUV @ x.flatten(1)).view_as(x)
        return torch.stack([y, u + HALF, v + HALF])
    low, high = x.amin(0), x.amax(0)
    spread = high - low
    hue = _hue(x, high, spread)
    if space == "HWB":
        return torch.stack([hue, low, 1 - high])
    light = (low + high) / 2
    room = torch.where(light <= 0.5, low + high, 2 - low - high)
    return torch.stack([hue, torch.where(spread > 0, spread / room, 0.0), light])


def _to_rgb(x: torch.Tensor, space: str) -> torch.Tensor:
    first, second, third = x.unbind()
    if space == "YUV":
        rows = torch.stack([first, second - HALF, third - HALF])
        return (BACK @ rows.flatten(1)).view_as(x)
    pure = _pure(first)
    if space == "HWB":
        top = 1 - third
        return torch.where(first == 0, top, second + pure * (top - second))
    return third + (pure - 0.5) * second * (1 - (2 * third - 1).abs())


@function("graphicsmagick._to_space")
def to_space(pixels: torch.Tensor, old: str, new: str) -> torch.Tensor:
    """Pixels in another space of colours; grey is kept as red, green and blue."""
    colours = 4 if old == "CMYK" else 3
    x, rest = pixels[:colours].double() / MOST, pixels[colours:]
    if old == new:
        return pixels
    if old == "CMYK":
        x = (1 - x[:3]) * (1 - x[3])
    elif old in ("HSL", "HWB", "YUV"):
        x = _to_rgb(x, old)
    if new == "CMYK":
        x = (rounded(x * MOST) / MOST).clamp(0, 1)
        black = 1 - x.amax(0, keepdim=True)
        x = torch.cat([(1 - x - black) / torch.where(black < 1, 1 - black, 1.0), black])
    elif new in ("HSL", "HWB", "YUV"):
        x = _from_rgb(rounded(x * MOST) / MOST, new)
    converted = rounded(x * MOST).to(torch.int32)
    if new == "GRAY":
        converted = brightness(converted)[None].expand(3, -1, -1)
    return torch.cat([converted, rest])
