"""Colours: profiles, the kind of an image, and values by letters to tensors and back."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import torch

from torch7py.ops.errors import TorchError
from torch7py.packages.contrib.graphicsmagick.pixels import MOST, UNIT, brightness, rounded, unbytes
from torch7py.packages.image.codecs import pillow
from torch7py.packages.registry import function

__all__ = ["from_tensor", "kind_of", "to_tensor", "with_profile"]

COLOURS = {"R": 0, "G": 1, "B": 2, "C": 0, "M": 1, "Y": 2, "K": 3}
DTYPES = {"byte": torch.uint8, "float": torch.float32, "double": torch.float64}


def _plane(pixels: torch.Tensor, letter: str, cmyk: bool) -> torch.Tensor:
    colours = 4 if cmyk else 3
    if letter == "A":
        return pixels[colours] if pixels.size(0) > colours else torch.full_like(pixels[0], MOST)
    if letter not in ("CMYK" if cmyk else "RGBI"):
        there = "C, M, Y, K and A; colorspace('RGB') converts them" if cmyk else "R, G, B, A and I"
        raise TorchError(f"graphicsmagick: the letters of these colours are {there}, not '{letter}'")
    return brightness(pixels) if letter == "I" else pixels[COLOURS[letter]]


@function("graphicsmagick._to_tensor")
def to_tensor(pixels: torch.Tensor, kind: str, letters: str, space: str) -> torch.Tensor:
    """The planes of these letters, as bytes or as shares of 1."""
    dtype = DTYPES.get(kind)
    if dtype is None:
        raise TorchError(f"graphicsmagick: unknown data type {kind}")
    if not letters:
        raise TorchError("graphicsmagick: the letters of colours are missing")
    planes = torch.stack([_plane(pixels, letter, space == "CMYK") for letter in letters])
    if dtype == torch.uint8:
        return unbytes(planes)
    return planes.to(dtype) / MOST


@function("graphicsmagick._from_tensor")
def from_tensor(planes: torch.Tensor, letters: str) -> tuple[torch.Tensor, str]:
    """The pixels of planes named by these letters, and their colour space; planes without a letter are 0."""
    if planes.numel() == 0:
        raise TorchError("graphicsmagick: an image has a width and a height")
    wrong = [letter for letter in letters if letter not in "RGBAICMYK"]
    cmyk = any(letter in "CMYK" for letter in letters)
    if wrong or (cmyk and any(letter in "RGBI" for letter in letters)):
        raise TorchError(
            f"graphicsmagick: '{letters}' are no letters of colours: RGBA, I or CMYKA, in any order"
        )
    values = planes.cpu()
    if values.dtype == torch.uint8:
        values = values.to(torch.int32) * UNIT
    else:
        values = rounded(values.double().nan_to_num(0.0) * MOST).to(torch.int32)
    colours = 4 if cmyk else 3
    pixels = torch.zeros(colours + ("A" in letters), *values.shape[1:], dtype=torch.int32)
    for letter, plane in zip(letters, values, strict=True):
        if letter == "I":
            pixels[:3] = plane
        else:
            pixels[colours if letter == "A" else COLOURS[letter]] = plane
    return pixels, "CMYK" if cmyk else "RGB"


@function("graphicsmagick._kind")
def kind_of(pixels: torch.Tensor, space: str) -> str:
    """The simplest colour type that holds an image."""
    if space == "CMYK":
        return "ColorSeparation" + ("Matte" if pixels.size(0) > 4 else "")
    matte = "Matte" if pixels.size(0) > 3 else ""
    red, green, blue = pixels[:3]
    if torch.equal(red, green) and torch.equal(red, blue):
        two = bool(((red == 0) | (red == MOST)).all())
        return "Bilevel" if two else "Grayscale" + matte
    if ((red.long() << 32) | (green.long() << 16) | blue.long()).unique().numel() <= 256:
        return "Palette" + matte
    return "TrueColorMatte" if matte and bool((pixels[3] != MOST).any()) else "TrueColor"


@function("graphicsmagick._with_profile")
def with_profile(pixels: torch.Tensor, space: str, old: str, new: str) -> tuple[torch.Tensor, str]:
    """Pixels of one profile of colours in those of another, and the space of colours that they have then."""
    pillow()
    from PIL import ImageCms

    try:
        profiles = [ImageCms.ImageCmsProfile(io.BytesIO(text.encode("latin1"))) for text in (old, new)]
        spaces = [profile.profile.xcolor_space.strip() for profile in profiles]
        if spaces[0] == "GRAY" or spaces[1] not in ("RGB", "CMYK") or spaces[0] != space:
            raise TorchError(
                f"graphicsmagick: profiles from {spaces[0]} to {spaces[1]} are not supported for {space} images"
            )
        change = ImageCms.buildTransform(profiles[0], profiles[1], spaces[0], spaces[1])
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        raise TorchError(f"graphicsmagick: the profile of colours cannot be used: {error}") from None
    count = 4 if space == "CMYK" else 3
    values: np.ndarray[Any, Any] = unbytes(pixels[:count]).clone().numpy().transpose(1, 2, 0)
    height, width = values.shape[:2]
    picture = pillow().frombytes(space, (width, height), np.ascontiguousarray(values).tobytes())
    result = np.asarray(ImageCms.applyTransform(picture, change)).astype(np.int32) * UNIT
    colours = torch.from_numpy(np.ascontiguousarray(result.transpose(2, 0, 1))).clone()
    return torch.cat([colours, pixels[count:]]), spaces[1]
