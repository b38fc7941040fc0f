"""Image files and their contents: read and written by Pillow, PNG files of 16 bits here."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch

from torch7py.ops.dispatch.file_names import to_file_name
from torch7py.ops.errors import TorchError
from torch7py.ops.one_writer import by_one
from torch7py.packages.contrib.graphicsmagick.pixels import UNIT, unbytes
from torch7py.packages.image import png16
from torch7py.packages.image.codecs import pillow
from torch7py.packages.registry import function

__all__ = ["decode", "encode", "read", "write"]

FORMATS = ["JPEG", "PNG", "PPM", "BMP", "GIF", "TIFF", "WEBP"]
# Other names of the formats that can be written.
NAMES = {"JPG": "JPEG", "TIF": "TIFF", "PGM": "PPM", "PNM": "PPM", "PBM": "PPM"}
# How the values of a Pillow image are read, by its mode.
MODES = {
    "1": "L",
    "L": "L",
    "LA": "LA",
    "P": "RGB",
    "PA": "RGBA",
    "RGB": "RGB",
    "RGBA": "RGBA",
    "CMYK": "CMYK",
    "YCbCr": "RGB",
    "I;16": "I;16",
    "I;16B": "I;16B",
    "I": "I",
}
Values = np.ndarray[Any, Any]
Decoded = tuple[torch.Tensor, str, int, str, float, str | None, str | None, str | None]
PHOTOSHOP = b"Photoshop 3.0\0"  # the first bytes of a JPEG segment with descriptions of the picture


def _planes(values: Values) -> torch.Tensor:
    """Height, width and planes as an image's planes: grey is the same in red, green and blue."""
    if values.ndim == 2:
        values = values[:, :, None]
    planes = values.transpose(2, 0, 1).astype(np.int32)
    if planes.shape[0] < 3:
        planes = np.concatenate([planes[:1]] * 3 + [planes[1:]])
    return torch.from_numpy(np.ascontiguousarray(planes)).clone()


def _mode(picture: Any, name: str) -> str:
    mode = MODES.get(picture.mode)
    wide = picture.format == "PPM" and picture.mode == "RGB" and picture.tile[0].args != "RGB"
    if mode is None or wide or (mode == "I" and picture.format not in ("PNG", "PPM")):
        what = "more than 8 bits" if wide else f"mode {picture.mode}"
        raise TorchError(f"graphicsmagick: {name} holds colours of {what}, which is not supported")
    if "transparency" in picture.info and mode in ("L", "RGB"):
        return "RGBA"
    return mode


def _latin(data: Any) -> str | None:
    return data.decode("latin1") if isinstance(data, bytes) else None


def _words(picture: Any) -> bytes | None:
    """The segment of a JPEG file in Photoshop's form, which holds IPTC descriptions."""
    for name, part in getattr(picture, "applist", ()):
        if name == "APP13" and part.startswith(PHOTOSHOP):
            return bytes(part[len(PHOTOSHOP) :])
    return None


def _decoded(data: bytes, name: str, width: int | None = None, height: int | None = None) -> Decoded:
    """Planes, format, bits, space of colours, gamma (0: unknown), and the profiles icm, exif and iptc."""
    image = pillow()
    try:
        picture = image.open(io.BytesIO(data), formats=FORMATS)
        kind, mode = picture.format, _mode(picture, name)
        if kind == "PPM" and data[1:2] in b"1425":
            kind = "PBM" if data[1:2] in b"14" else "PGM"
        if width is not None and kind == "JPEG":
            picture.draft(picture.mode, (int(width), int(width if height is None else height)))
        wide = png16.has_16_bits(data)
        if wide:
            planes = _planes(png16.decode(data).transpose(1, 2, 0))
        else:
            values = np.asarray(picture if picture.mode == mode else picture.convert(mode))
            wide = mode.startswith("I")
            planes = _planes(values if wide else values.astype(np.int32) * UNIT)
        if planes.numel() == 0:
            raise ValueError("it has no pixels")
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise TorchError(f"graphicsmagick: {name} is no readable image: {error}") from None
    except image.DecompressionBombError as error:
        raise TorchError(f"graphicsmagick: {name} is refused: {error}") from None
    gamma, info = picture.info.get("gamma", 0.0), picture.info
    space = "CMYK" if mode == "CMYK" else "RGB"
    profiles = _latin(info.get("icc_profile")), _latin(info.get("exif")), _latin(_words(picture))
    return planes, kind, 16 if wide else 8, space, float(gamma), *profiles


@function("graphicsmagick._read")
def read(name: str, width: int | None = None, height: int | None = None) -> Decoded:
    """The image of a file, as ``_decoded`` has it.

    A JPEG of twice the size that is asked for, or more, is read at half, a quarter or an eighth of its size.
    """
    try:
        data = Path(to_file_name(name)).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise TorchError(f"graphicsmagick: {name}: {reason}") from None
    return _decoded(data, name, width, height)


@function("graphicsmagick._decode")
def decode(data: str) -> Decoded:
    """The image of a file's bytes."""
    return _decoded(data.encode("latin1"), "the blob")


def _needed(pixels: torch.Tensor, cmyk: bool) -> torch.Tensor:
    """Drop planes without information: one plane of grey replaces three equal ones."""
    if cmyk or not (torch.equal(pixels[0], pixels[1]) and torch.equal(pixels[0], pixels[2])):
        return pixels
    return torch.cat([pixels[:1], pixels[3:]])


def _subsampling(factors: str, quality: float) -> int:
    """Pillow's number for the sampling factors of luminance and the two colours."""
    if not factors:
        return 0 if quality >= 90 else 2
    code = {"1": 0, "1,1": 0, "1,1,1": 0, "2": 2, "2,1": 2, "2,1,1": 2}.get(factors)
    if code is None:
        raise TorchError(
            f"graphicsmagick: the sampling factors {factors} are not supported; there are 1,1,1 and 2,1,1"
        )
    return code


def _format(name: str) -> str:
    kind = NAMES.get(name.upper(), name.upper())
    if kind not in FORMATS:
        raise TorchError(f"graphicsmagick: files of the format {name} are not supported")
    return kind


def _gamma_chunk(gamma: float) -> Any:
    from PIL.PngImagePlugin import PngInfo

    chunks = PngInfo()
    chunks.add(b"gAMA", int(gamma * 100000 + 0.5).to_bytes(4, "big"))
    return chunks


@function("graphicsmagick._encode")
def encode(
    pixels: torch.Tensor,
    name: str,
    bits: int,
    space: str,
    quality: float,
    factors: str = "",
    gamma: float = 0.0,
    progressive: bool = False,
    icc: str | None = None,
    exif: str | None = None,
) -> str:
    """The bytes of a file of the format ``name``."""
    kind, cmyk = _format(name), space == "CMYK"
    if not 0 <= quality <= 100 or math.isnan(quality):
        raise TorchError("graphicsmagick: quality should be between 0 and 100")
    if cmyk and (kind not in ("JPEG", "TIFF") or pixels.size(0) > 4):
        raise TorchError(
            f"graphicsmagick: a {kind} file has no CMYK colours; colorspace('RGB') converts them"
        )
    if pixels.size(0) == 4 and not cmyk and kind in ("JPEG", "PPM", "BMP"):
        pixels = pixels[:3]  # these files have no transparency
    planes = _needed(pixels, cmyk)
    profile = icc.encode("latin1") if icc is not None else None
    if kind == "PNG" and bits > 8 and bool((planes % UNIT != 0).any()):
        return png16.encode(planes.numpy(), gamma, profile).decode("latin1")
    values = np.ascontiguousarray(unbytes(planes).clone().numpy().transpose(1, 2, 0))
    mode = "CMYK" if cmyk else {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[values.shape[2]]
    height, width = values.shape[:2]
    picture = pillow().frombytes(mode, (width, height), values.tobytes())
    options: dict[str, Any] = {}
    if profile is not None and kind in ("JPEG", "PNG", "TIFF", "WEBP"):
        options["icc_profile"] = profile
    if exif is not None and kind in ("JPEG", "PNG", "WEBP"):
        options["exif"] = exif.encode("latin1")
    if kind == "JPEG":
        subsampling = _subsampling(factors, quality)
        options |= {"quality": int(quality), "progressive": progressive}
        if mode == "RGB":
            options["subsampling"] = subsampling
    elif kind == "PNG" and gamma:
        options["pnginfo"] = _gamma_chunk(gamma)
    elif kind == "WEBP":
        options["quality"] = int(quality)
    out = io.BytesIO()
    try:
        picture.save(out, kind, **options)
    except (OSError, ValueError) as error:
        raise TorchError(f"graphicsmagick: the {kind} file cannot be made: {error}") from None
    return out.getvalue().decode("latin1")


@function("graphicsmagick._write")
@by_one
def write(name: str, data: str) -> None:
    """Put bytes into a file."""
    try:
        Path(to_file_name(name)).write_bytes(data.encode("latin1"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise TorchError(f"graphicsmagick: {name}: {reason}") from None
