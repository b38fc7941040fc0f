"""GraphicsMagick's images, as far as loaders of data sets use them: files, sizes, and the filters that resize.

Values have 16 bits, as in the library's usual build: a byte is multiplied by 257.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from torch7py.ops.dispatch.file_names import to_file_name
from torch7py.ops.errors import TorchError
from torch7py.ops.support import restricted
from torch7py.packages.image.codecs import pillow
from torch7py.packages.registry import function

__all__ = ["read", "resize"]

restricted(
    "graphicsmagick.Image",
    "has load, size, crop, flip, flop, clone and toTensor; JPEG files are read by Pillow",
)
_MODES = {
    "1": "L",
    "L": "L",
    "LA": "LA",
    "P": "RGB",
    "RGB": "RGB",
    "RGBA": "RGBA",
    "CMYK": "RGB",
    "YCbCr": "RGB",
}
MOST = 65535  # the largest value


@function("graphicsmagick._read")
def read(name: str, width: int | None = None, height: int | None = None) -> torch.Tensor:
    """The planes of a JPEG, PNG, PPM or BMP file.

    A JPEG of twice the size that is asked for, or more, is read at half, a quarter or an eighth of its size.
    """
    try:
        data = Path(to_file_name(name)).read_bytes()
    except OSError as error:
        raise TorchError(f"graphicsmagick: {name}: {error.strerror}") from None
    try:
        picture = pillow().open(io.BytesIO(data), formats=["JPEG", "PNG", "PPM", "BMP"])
        if width is not None and picture.format == "JPEG":
            picture.draft(picture.mode, (int(width), int(width if height is None else height)))
        mode = _MODES.get(picture.mode)
        if mode is None:
            raise TorchError(
                f"graphicsmagick: {name} holds colours of mode {picture.mode}, which is not supported"
            )
        values = np.asarray(picture.convert(mode))
    except (OSError, ValueError, SyntaxError) as error:
        raise TorchError(f"graphicsmagick: {name} is no readable image: {error}") from None
    planes = values[:, :, None] if values.ndim == 2 else values
    return torch.from_numpy(planes.transpose(2, 0, 1).astype(np.int32) * 257).clone()


def _lanczos(x: float) -> float:
    if abs(x) >= 3:
        return 0.0
    if x == 0:
        return 1.0
    return math.sin(math.pi * x) / (math.pi * x) * math.sin(math.pi * x / 3) / (math.pi * x / 3)


def _mitchell(x: float) -> float:
    x = abs(x)
    if x < 1:
        return (7 * x**3 - 12 * x**2 + 16 / 3) / 6
    return (-7 / 3 * x**3 + 12 * x**2 - 20 * x + 32 / 3) / 6 if x < 2 else 0.0


def _weights(size: int, wanted: int, curve: Callable[[float], float], reach: float) -> torch.Tensor:
    """What each of the wanted places takes of the places that there are."""
    factor = wanted / size
    support = max(1 / factor, 1.0) * reach
    scale = 1 / max(1 / factor, 1.0)
    matrix = torch.zeros(wanted, size, dtype=torch.float64)
    for place in range(wanted):
        center = (place + 0.5) / factor
        first, last = int(max(center - support + 0.5, 0)), int(min(center + support + 0.5, size))
        taken = [curve(scale * (at - center + 0.5)) for at in range(first, last)]
        total = sum(taken)
        matrix[place, first:last] = torch.tensor(taken, dtype=torch.float64) / (total or 1.0)
    return matrix


@function("graphicsmagick._resize")
def resize(pixels: torch.Tensor, width: int, height: int) -> torch.Tensor:
    """Lanczos' filter, or Mitchell's where an image grows or has transparency; each direction is rounded."""
    planes, rows, columns = pixels.shape
    width, height = int(width), int(height)
    if width < 1 or height < 1:
        raise TorchError("graphicsmagick: an image has a width and a height")
    if (rows, columns) == (height, width):
        return pixels.clone()
    grows = width * height > columns * rows or planes in (2, 4)
    curve, reach = (_mitchell, 2.0) if grows else (_lanczos, 3.0)
    across = _weights(columns, width, curve, reach)
    down = _weights(rows, height, curve, reach)

    def whole(x: torch.Tensor) -> torch.Tensor:
        return (x.clamp(0, MOST) + 0.5).floor()

    x = pixels.double()
    if width * (rows + height) > height * (columns + width):
        x = whole(whole(x @ across.t()).transpose(1, 2) @ down.t()).transpose(1, 2)
    else:
        x = whole(whole(x.transpose(1, 2) @ down.t()).transpose(1, 2) @ across.t())
    return x.to(torch.int32).contiguous()
