"""The functions of the package image, for what need not be known to be a picture before the page runs."""

from __future__ import annotations

import io
import math
import os
import re
import sys
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy
import torch
from PIL import Image

from torch7py.packages.image.color import change, rgb2y
from torch7py.packages.image.geometry import crop, flip, rotate, translate
from torch7py.packages.image.scaling import scale
from torch7py.translate.page_library.values import index, items_of, store


class ArgumentError(ValueError):
    """What a picture cannot be used for."""


def picture(name: str, value: Any, dims: tuple[int, ...] = (2, 3)) -> torch.Tensor:
    """A tensor that can be a picture, as the function ``image.name`` needs one."""
    if not isinstance(value, torch.Tensor) or value.dim() not in dims:
        raise ArgumentError(f"image.{name}: an image of {' or '.join(map(str, dims))} dimensions expected")
    return value


def apart(args: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
    """The picture that a function writes into, or None, and its other arguments."""
    if len(args) > 1 and isinstance(args[1], torch.Tensor):
        return args[0], args[1:]
    return None, args


def into(result: Any, like: torch.Tensor, *sizes: int) -> torch.Tensor:
    """The picture that a function writes into, with these sizes."""
    sized: torch.Tensor = like.new_empty(sizes) if result is None else result.resize_(sizes)
    return sized


def numbers_in(name: str, values: tuple[Any, ...]) -> list[float]:
    """Arguments that must be numbers."""
    if not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        raise ArgumentError(f"image.{name}: incorrect arguments")
    return list(values)


def scaled_size(x: torch.Tensor, size: Any) -> tuple[float, float]:
    """Width and height for a size such as ``256``, ``"32x32"``, ``"^256"``, ``"*2"`` or ``"*1/2"``."""
    height, width = x.shape[-2:]
    text = str(size)
    box, shortest = re.search(r"(\d+)x(\d+)", text), re.search(r"\^(\d+)", text)
    over, by = re.search(r"\*(\d+)/(\d+)", text), re.search(r"\*(.+)", text)
    if re.fullmatch(r"\s*[\d.]+\s*", text):
        factor = float(text) / max(height, width)
    elif box is not None:
        return int(box[1]), int(box[2])
    elif shortest is not None:
        factor = int(shortest[1]) / min(height, width)
    elif over is not None:
        factor = int(over[1]) / int(over[2])
    elif by is not None:
        factor = float(by[1])
    else:
        raise ArgumentError("image.scale: could not find valid dest size")
    return width * factor, height * factor


def scaled_picture(*args: Any) -> torch.Tensor:
    """``image.scale(x, width, height[, mode])``, ``(x, size[, mode])`` and ``(result, x[, mode])``"""
    first, second, third, fourth = (*args, None, None, None)[:4]
    is_number = [isinstance(value, (int, float)) for value in (second, third)]
    if isinstance(second, torch.Tensor):
        x, result, mode = picture("scale", second), picture("scale", first), third
    else:
        x, mode = picture("scale", first), fourth if all(is_number) else third
        if not all(is_number) and not (isinstance(second, str) or is_number[0]):
            raise ArgumentError("image.scale: incorrect arguments")
        width, height = (second, third) if all(is_number) else scaled_size(x, second)
        result = into(None, x, *x.shape[:-2], math.floor(max(height, 1)), math.floor(max(width, 1)))
    mode = mode or "bilinear"
    if mode not in ("simple", "bilinear", "bicubic"):
        raise ArgumentError("image.scale: mode must be one of: simple | bicubic | bilinear")
    scale(x, result, mode)
    return result


# Where a part of a size lies: the shares of what is left over that come to its left and above it.
CORNERS = {"c": (0.5, 0.5), "tl": (0, 0), "tr": (1, 0), "bl": (0, 1), "br": (1, 1)}


def cropped_picture(*args: Any) -> Any:
    """``image.crop([result,] x, left, top[, right, bottom])``, or from a corner ``(x, "c", width, height)``."""
    result, (x, *rest) = apart(args)
    x = picture("crop", x)
    if rest and isinstance(rest[0], str):
        width, height = numbers_in("crop", tuple(rest[1:3]))
        across, down = CORNERS[rest[0]]
        begin = math.floor((x.shape[-1] - width) * across), math.floor((x.shape[-2] - height) * down)
        rest = [*begin, begin[0] + width, begin[1] + height]
    left, top, *ends = numbers_in("crop", tuple(rest))
    if not ends and result is not None:
        crop(x, result, left, top)
        return ()
    right, bottom = ends
    part = into(None, x, *x.shape[:-2], int(bottom - top), int(right - left))
    crop(x, part, left, top)
    return part if result is None else scaled_picture(result, part)


def moved_picture(*args: Any) -> torch.Tensor:
    """``image.translate([result,] x, right, down)``"""
    result, (x, *by) = apart(args)
    x = picture("translate", x)
    right, down = numbers_in("translate", tuple(by))
    if result is x:
        raise ArgumentError("image.translate: the destination is the source")
    moved = into(result, x, *x.shape).zero_()
    translate(x, moved, right, down)
    return moved


def turned_picture(*args: Any) -> torch.Tensor:
    """``image.rotate([result,] x, angle[, mode])``"""
    result, (x, *rest) = apart(args)
    x = picture("rotate", x)
    (angle,), mode = numbers_in("rotate", tuple(rest[:1])), (*rest[1:], None)[0] or "simple"
    if mode not in ("simple", "bilinear"):
        raise ArgumentError("image.rotate: mode must be one of: simple | bilinear")
    turned = into(result, x, *x.shape)
    rotate(x, turned, angle, mode)
    return turned


def mirrored_picture(name: str, *args: Any) -> torch.Tensor:
    """``image.hflip([result,] x)`` and ``image.vflip``, and ``image.flip([result,] x, dimension)``"""
    result, (x, *rest) = apart(args)
    x = picture(name, x, (2, 3) if name != "flip" else (1, 2, 3, 4, 5))
    dimension = {"hflip": x.dim(), "vflip": x.dim() - 1}.get(name) or int(numbers_in(name, tuple(rest))[0])
    if not 1 <= dimension <= x.dim():
        raise ArgumentError("image.flip: bad dimension")
    mirrored = into(result, x, *x.shape)
    flip(x, mirrored, dimension)
    return mirrored


def grey_picture(*args: Any) -> torch.Tensor:
    """``image.rgb2y([result,] x)``"""
    result, (x,) = apart(args)
    x = picture("rgb2y", x, (3,))
    if len(x) < 3:
        raise ArgumentError("image.rgb2y: an image of 3 planes expected")
    grey = into(result, x, 1, *x.shape[1:])
    rgb2y(x, grey[0])
    return grey


# What each new plane has of the old ones, in the order in which it is added up.
PLANES = {
    "rgb2yuv": [[(0, 0.299), (1, 0.587), (2, 0.114)], [(0, -0.14713), (1, -0.28886), (2, 0.436)],
                [(0, 0.615), (1, -0.51499), (2, -0.10001)]],
    "yuv2rgb": [[(0, 1), (2, 1.13983)], [(0, 1), (1, -0.39465), (2, -0.58060)], [(0, 1), (1, 2.03211)]],
}  # fmt: skip


def other_colours(name: str, *args: Any) -> torch.Tensor:
    """``image.rgb2hsl([result,] x)`` and its kin."""
    result, (x,) = apart(args)
    x = picture(name, x, (3,))
    if len(x) != 3:
        raise ArgumentError(f"image.{name}: an image of 3 planes expected")
    changed = into(result, x, *x.shape)
    if name not in PLANES:
        change(x, changed, name)
        return changed
    if not x.is_floating_point():
        raise ArgumentError(f"image.{name} of whole numbers")
    source = x.clone() if changed.data_ptr() == x.data_ptr() else x
    for plane, parts in zip(changed, PLANES[name], strict=True):
        plane.zero_()
        for number, share in parts:
            plane.add_(source[number], alpha=share)
    return changed


# Files


def from_file(file: Any, planes: Any = None, kind: Any = None) -> torch.Tensor:
    """A picture in a file: all of its planes, or 1 or 3, as numbers from 0 to 1 or as bytes."""
    kinds = {
        None: torch.get_default_dtype(),
        "float": torch.float32,
        "double": torch.float64,
        "byte": torch.uint8,
    }
    with Image.open(file) as opened:
        converted_mode = opened.convert({"1": "L", "P": "RGB"}.get(opened.mode, opened.mode))
    if converted_mode.mode not in ("L", "LA", "RGB", "RGBA"):
        raise ArgumentError(f"image.load: colours of mode {converted_mode.mode}")
    pixels = torch.from_numpy(numpy.array(converted_mode)).view(
        converted_mode.height, converted_mode.width, -1
    )
    x = pixels.permute(2, 0, 1).contiguous()
    x = x if kind == "byte" else x.to(kinds[kind]).mul_(1 / 255)
    if planes == 1:
        return grey_picture(x[:3])[0] if len(x) >= 3 else x[:1]
    if planes == 3 and len(x) == 2:
        raise ArgumentError("image.load: an image of 2 planes cannot have 3")
    if planes == 3:
        return x.repeat(3, 1, 1) if len(x) == 1 else x[:3]
    return x


def from_bytes(data: torch.Tensor, planes: Any = None, kind: Any = None) -> torch.Tensor:
    """``image.decompress(bytes[, planes[, type]])``"""
    if data.dtype != torch.uint8:
        raise ArgumentError("image.decompress: Input tensor must be a byte tensor")
    return from_file(io.BytesIO(data.contiguous().numpy().tobytes()), planes, kind)


def to_picture(x: torch.Tensor) -> Any:
    """Planes of numbers from 0 to 1, or of bytes, as a picture of Pillow's."""
    x = picture("save", x)
    if x.dtype is not torch.uint8:
        x = (x.double().clamp(0, 1) * 255).byte()
    if x.dim() == 3:
        x = x[0] if len(x) == 1 else x.permute(1, 2, 0)
    return Image.fromarray(x.cpu().contiguous().numpy())


def save_picture(path: str, x: torch.Tensor) -> tuple[()]:
    """``image.save(path, x)``"""
    to_picture(x).save(path)
    return ()


def size_of_picture(path: str) -> torch.Tensor:
    """``image.getSize(path)``: planes, height and width."""
    with Image.open(path) as opened:
        return torch.tensor([len(opened.getbands()), opened.height, opened.width])


def photograph(variable: str, planes: int) -> torch.Tensor:
    """``image.lena()`` and ``image.fabio()``, whose files a variable of the environment names."""
    if variable not in os.environ:
        raise RuntimeError(f"the environment variable {variable} may name the photograph")
    return from_file(os.environ[variable], planes)


# Ranges and grids


def ranged_picture(settings_of_range: Any) -> torch.Tensor:
    """``image.minmax{tensor = x, ...}``: numbers from 0 to 1."""
    names = ("tensor", "min", "max", "symm", "inplace", "saturate", "tensorOut")
    x, low, high, symmetric, in_place, saturate, result = (index(settings_of_range, name) for name in names)
    out: torch.Tensor = x if in_place else x.to(torch.get_default_dtype(), copy=True)
    if result is not None:
        out = result.resize_(x.shape).copy_(x)
    saturate = saturate and not (low is None and high is None)
    reach = max(abs(out.min().item()), abs(out.max().item())) if low is None and symmetric else 0
    if low is None:
        low = -reach if symmetric else out.min().item()
    if low != 0:
        out.add_(-low)
    span = high - low if high is not None else reach * 2 if symmetric else out.max().item()
    if span != 0:
        out.div_(span)
    return out.clamp_(0, 1) if saturate and out.dtype != torch.uint8 else out


GRID = ("input", "padding", "nrow", "scaleeach", "min", "max", "symmetric", "saturate")


def grid_of_pictures(*args: Any) -> torch.Tensor:
    """``image.toDisplayTensor(images, ...)``, with arguments one after the other or by their names."""
    by_name = len(args) == 1 and not isinstance(args[0], torch.Tensor) and index(args[0], 1) is None
    named = {name: index(args[0], name) for name in GRID} if by_name else dict(zip(GRID, args, strict=False))
    images, padding, per_row, each = (
        named["input"],
        named.get("padding") or 0,
        named.get("nrow") or 6,
        named.get("scaleeach"),
    )
    saturate = named.get("saturate")
    ends = {"min": named.get("min"), "max": named.get("max"), "symm": named.get("symmetric")}

    def ranged(x: torch.Tensor) -> torch.Tensor:
        return ranged_picture({**ends, "tensor": x, "inplace": True, "saturate": saturate is not False})

    if not isinstance(images, torch.Tensor):
        images = torch.stack([x if x.dim() == 3 else x[None] for x in items_of(images)])
    packed = images.to(torch.get_default_dtype(), copy=True)
    colours = packed.dim() == 4 and packed.shape[1] in (1, 3)
    if packed.dim() == 2 or (packed.dim() == 3 and len(packed) in (1, 3)):
        return ranged(packed)
    if not colours and packed.dim() != 3:
        raise ArgumentError(
            "image.toDisplayTensor: packed must be a HxW or KxHxW or Kx3xHxW tensor, or a list of tensors"
        )
    if each:
        for one in packed:
            ranged(one)
    columns = min(int(per_row), len(packed))
    rows = -(-len(packed) // columns)
    height, width = (side + padding for side in packed.shape[-2:])
    grid = packed.new_full((*packed.shape[1:-2], rows * height, columns * width), packed.max().item())
    for number, one in enumerate(packed):
        top, left = number // columns * height + padding // 2, number % columns * width + padding // 2
        grid[..., top : top + one.shape[-2], left : left + one.shape[-1]] = one
    return grid if each else ranged(grid)


def shown_picture(images: Any, *rest: Any) -> Any:
    """``image.display(images, ...)``: a window of the system's own, of which the program gets none."""
    by_name = not rest and not isinstance(images, torch.Tensor) and index(images, 1) is None
    named = images if by_name else dict(zip(("image", "zoom", "min", "max"), (images, *rest), strict=False))
    grid = {name: index(named, name) for name in GRID[1:]}
    to_picture(grid_of_pictures({**grid, "input": index(named, "image")})).show(index(named, "legend"))
    return index(named, "win") or {}


IMAGE_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "crop": cropped_picture,
    "decompress": from_bytes,
    "decompressJPG": from_bytes,
    "decompressPNG": from_bytes,
    "display": shown_picture,
    "fabio": lambda: photograph("IMAGE_FABIO", 1),
    "flip": partial(mirrored_picture, "flip"),
    "getSize": size_of_picture,
    "hflip": partial(mirrored_picture, "hflip"),
    "hsl2rgb": partial(other_colours, "hsl2rgb"),
    "hsv2rgb": partial(other_colours, "hsv2rgb"),
    "lab2rgb": partial(other_colours, "lab2rgb"),
    "lena": lambda: photograph("IMAGE_LENA", 3),
    "load": from_file,
    "loadJPG": from_file,
    "loadPNG": from_file,
    "loadPPM": from_file,
    "minmax": ranged_picture,
    "rgb2hsl": partial(other_colours, "rgb2hsl"),
    "rgb2hsv": partial(other_colours, "rgb2hsv"),
    "rgb2lab": partial(other_colours, "rgb2lab"),
    "rgb2y": grey_picture,
    "rgb2yuv": partial(other_colours, "rgb2yuv"),
    "rotate": turned_picture,
    "save": save_picture,
    "saveJPG": save_picture,
    "savePNG": save_picture,
    "savePPM": save_picture,
    "scale": scaled_picture,
    "toDisplayTensor": grid_of_pictures,
    "translate": moved_picture,
    "vflip": partial(mirrored_picture, "vflip"),
    "yuv2rgb": partial(other_colours, "yuv2rgb"),
}


def image_function(name: str, *args: Any) -> Any:
    """``image.name(...)``"""
    return IMAGE_FUNCTIONS[name](*args)


# The package display


def pane(name: str, *args: Any) -> Any:
    """``display.name(...)``: nothing is shown in a browser, which is said once. The name of the pane."""
    if name == "configure":
        return None
    options = index(args[-1], "win") if len(args) > 1 and args[-1] is not None else None
    if not PANES:
        print("display: nothing is shown here; image.save makes files", file=sys.stderr)
    store(PANES, len(PANES) + 1, name)
    return options or f"pane_{len(PANES)}"


PANES: list[str] = []
DISPLAYED = ("configure", "image", "images", "plot", "text", "audio", "pane")
# What ``require 'display'`` gives.
DISPLAY = SimpleNamespace(**{name: partial(pane, name) for name in DISPLAYED})
