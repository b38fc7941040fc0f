"""Conversions between colour spaces, each from an image of three planes to another."""

from __future__ import annotations

from collections.abc import Callable

import torch

from torch7py.ops.errors import ArgumentError
from torch7py.packages.image.arithmetic import DOUBLE, converted, working_type
from torch7py.packages.registry import function

__all__ = ["change", "colorize", "rgb2y"]

T = torch.Tensor


@function("image._rgb2y")
def rgb2y(src: torch.Tensor, dst: torch.Tensor) -> None:
    """The brightness of a colour image, into one plane."""
    red, green, blue = src.to(DOUBLE)[:3]
    bright = 0.299 * red + 0.587 * green + 0.114 * blue
    dst.copy_(converted(bright.to(working_type(src.dtype)), src.dtype))


@function("image._change")
def change(src: torch.Tensor, dst: torch.Tensor, name: str) -> None:
    """From one system to another: ``rgb2hsl``, ``hsl2rgb``, ``rgb2hsv``, ``hsv2rgb``, ``rgb2lab``, ``lab2rgb``."""
    if src.dim() != 3 or src.size(0) != 3:
        raise ArgumentError(f"image.{name}: an image of 3 planes expected")
    is_byte = src.dtype == torch.uint8
    if is_byte and "lab" in name:
        raise ArgumentError(f"image.{name}: not supported for torch.ByteTensor")
    work = working_type(src.dtype)
    planes = src.to(work)
    changed = torch.stack(_CHANGES[name](*(planes / 255 if is_byte else planes)))
    dst.copy_(converted((changed * 255 if is_byte else changed).to(work), src.dtype))


@function("image._colorize")
def colorize(dst: torch.Tensor, src: torch.Tensor, colors: torch.Tensor) -> None:
    """Map the number of each pixel, counted from 0, to its colour."""
    dst.copy_(colors[src.long()].permute(2, 0, 1))


def _hue(red: T, green: T, blue: T, most: T, span: T) -> T:
    turn = torch.where(green < blue, torch.full_like(red, 6), torch.zeros_like(red))
    hue = torch.where(most == green, (blue - red) / span + 2, (red - green) / span + 4)
    return torch.where(most == red, (green - blue) / span + turn, hue) / 6


def _rgb2hsl(red: T, green: T, blue: T) -> tuple[T, T, T]:
    most = torch.maximum(torch.maximum(red, green), blue)
    least = torch.minimum(torch.minimum(red, green), blue)
    span = most - least
    grey = most == least
    light = torch.where(grey, most, (most + least) / 2)
    saturation = torch.where(light > 0.5, span / (2 - most - least), span / (most + least))
    zero = torch.zeros_like(red)
    return (
        torch.where(grey, zero, _hue(red, green, blue, most, span)),
        torch.where(grey, zero, saturation),
        light,
    )


def _rgb2hsv(red: T, green: T, blue: T) -> tuple[T, T, T]:
    most = torch.maximum(torch.maximum(red, green), blue)
    span = most - torch.minimum(torch.minimum(red, green), blue)
    grey, zero = span == 0, torch.zeros_like(red)
    return (
        torch.where(grey, zero, _hue(red, green, blue, most, span)),
        torch.where(grey, zero, span / most),
        most,
    )


def _channel(p: T, q: T, hue: T) -> T:
    """One colour of a hue, in double."""
    hue = torch.where(hue < 0, hue + 1, hue)
    hue = torch.where(hue > 1, hue - 1, hue)
    low, high, at = p.to(DOUBLE), q.to(DOUBLE), hue.to(DOUBLE)
    channel = torch.where(at < 2 / 3, low + (high - low) * (2 / 3 - at) * 6, low)
    channel = torch.where(at < 1 / 2, high, channel)
    return torch.where(at < 1 / 6, low + (high - low) * 6 * at, channel).to(p.dtype)


def _hsl2rgb(hue: T, saturation: T, light: T) -> tuple[T, T, T]:
    q = torch.where(light < 0.5, light * (1 + saturation), light + saturation - light * saturation)
    p = 2 * light - q
    third = 1 / 3
    hues = ((hue.to(DOUBLE) + third).to(hue.dtype), hue, (hue.to(DOUBLE) - third).to(hue.dtype))
    red, green, blue = (torch.where(saturation == 0, light, _channel(p, q, h)) for h in hues)
    return red, green, blue


def _hsv2rgb(hue: T, saturation: T, value: T) -> tuple[T, T, T]:
    sector = (hue.to(DOUBLE) * 6).floor()
    part = hue * 6 - sector.to(hue.dtype)
    p = value * (1 - saturation)
    q = value * (1 - part * saturation)
    t = value * (1 - (1 - part) * saturation)
    zero = torch.zeros_like(value)
    red, green, blue = zero, zero, zero
    sector = torch.fmod(sector, 6)
    for number, colors in enumerate(
        ((value, t, p), (q, value, p), (p, value, t), (p, q, value), (t, p, value), (value, p, q))
    ):
        here = sector == number
        red, green, blue = (
            torch.where(here, new, old) for new, old in zip(colors, (red, green, blue), strict=True)
        )
    return red, green, blue


# CIE's constants, and the white point D65.
EPSILON = 216 / 24389
KAPPA = 24389 / 27
WHITE_X = 0.950456
WHITE_Z = 1.088754


def _rgb2lab(*planes: T) -> tuple[T, T, T]:
    red, green, blue = (
        torch.where(v <= 0.04045, v.to(DOUBLE) / 12.92, ((v.to(DOUBLE) + 0.055) / 1.055) ** 2.4)
        .to(v.dtype)
        .to(DOUBLE)
        for v in planes
    )
    x = (0.412453 * red + 0.357580 * green + 0.180423 * blue) / WHITE_X
    y = 0.212671 * red + 0.715160 * green + 0.072169 * blue
    z = (0.019334 * red + 0.119193 * green + 0.950227 * blue) / WHITE_Z
    fx, fy, fz = (
        torch.where(v > EPSILON, v.clamp(min=0) ** (1 / 3), (KAPPA * v + 16) / 116) for v in (x, y, z)
    )
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def _lab2rgb(light: T, a: T, b: T) -> tuple[T, T, T]:
    dtype = light.dtype
    fy = ((light + 16) / 116).to(DOUBLE)
    fx, fz = (a / 500).to(DOUBLE) + fy, fy - (b / 200).to(DOUBLE)
    light = light.to(DOUBLE)
    x, z = (torch.where(f**3 <= EPSILON, (116 * f - 16) / KAPPA, f**3) for f in (fx, fz))
    y = torch.where(light > KAPPA * EPSILON, fy**3, light / KAPPA)
    x, z = x * WHITE_X, z * WHITE_Z
    linear = (
        3.2404542 * x - 1.5371385 * y - 0.4985314 * z,
        -0.9692660 * x + 1.8760108 * y + 0.0415560 * z,
        0.0556434 * x - 0.2040259 * y + 1.0572252 * z,
    )
    red, green, blue = (_compressed(v.to(dtype).to(DOUBLE)) for v in linear)
    return red, green, blue


def _compressed(v: T) -> T:
    return torch.where(v <= 0.0031308, 12.92 * v, 1.055 * v.clamp(min=0) ** (1 / 2.4) - 0.055)


_CHANGES: dict[str, Callable[..., tuple[T, T, T]]] = {
    "rgb2hsl": _rgb2hsl,
    "hsl2rgb": _hsl2rgb,
    "rgb2hsv": _rgb2hsv,
    "hsv2rgb": _hsv2rgb,
    "rgb2lab": _rgb2lab,
    "lab2rgb": _lab2rgb,
}
