"""The pixels of an image: an IntTensor of planes with values of 16 bits, as in the library's usual build.

Three planes are red, green and blue, a fourth is the opacity. An image of printing colours has four planes (cyan,
magenta, yellow, black), and a fifth for the same.
"""

from __future__ import annotations

import torch

__all__ = ["MOST", "brightness", "rounded", "unbytes"]

MOST = 65535  # the largest value
UNIT = 257  # the factor from a byte to a value


def rounded(x: torch.Tensor) -> torch.Tensor:
    """Numbers as values of pixels: cut off at the ends, and rounded."""
    return (x.clamp(0, MOST) + 0.5).floor()


def unbytes(pixels: torch.Tensor) -> torch.Tensor:
    """The nearest bytes."""
    return ((pixels + UNIT // 2) // UNIT).to(torch.uint8)


def brightness(pixels: torch.Tensor) -> torch.Tensor:
    """The brightness of each pixel of red, green and blue planes, by the library's weights in 1024ths."""
    red, green, blue = pixels[0].long(), pixels[1].long(), pixels[2].long()
    weighted = 306 * red + 601 * green + 117 * blue
    return torch.div(weighted, 1024, rounding_mode="floor").to(torch.int32)
