"""Image files: PNG and JPEG by Pillow, PPM and PGM here."""

from __future__ import annotations

import io
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from torch7py.ops import state
from torch7py.ops.dispatch.file_names import to_file_name
from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.one_writer import by_one
from torch7py.packages.image import png16
from torch7py.packages.optional_libraries import import_library
from torch7py.packages.registry import function

__all__ = ["encode", "kind_of_content", "pillow", "read_file", "read_tensor", "size_of_file", "write_file"]

MAGIC = ((b"\xff\xd8\xff", "jpg"), (b"\x89PNG", "png"))
QUALITY = 75  # of the JPEG files that image.save makes


def kind_of_content(head: bytes) -> str | None:
    """The kind of file that begins like this."""
    for magic, kind in MAGIC:
        if head.startswith(magic):
            return kind
    if head[:2] in (b"P2", b"P5"):
        return "pgm"
    return "ppm" if head[:2] in (b"P3", b"P6") else None


def pillow() -> ModuleType:
    """Pillow's Image module."""
    return import_library("PIL.Image", "PNG and JPEG files")


def _opened(data: bytes, name: str, kind: str) -> Any:
    image: Any = pillow()
    try:
        return image.open(io.BytesIO(data), formats=["JPEG" if kind == "jpg" else "PNG"])
    except image.UnidentifiedImageError:
        raise TorchError(f"image: {name} is no readable {kind.upper()} file") from None
    except (OSError, ValueError, SyntaxError) as error:
        raise TorchError(f"image: {name} is no readable {kind.upper()} file: {error}") from None


# The mode in which a picture's bytes are taken, by the mode that it has.
MODES = {
    "L": "L",
    "LA": "LA",
    "RGB": "RGB",
    "RGBA": "RGBA",
    "1": "L",
    "P": "RGB",
    "I;16": "I;16",
    "I": "I;16",
}


def _decoded(data: bytes, name: str, kind: str) -> tuple[torch.Tensor, int]:
    """The planes of a file as integers, and the number of bits of a value."""
    picture = _opened(data, name, kind)
    if png16.has_16_bits(data):
        try:
            return torch.from_numpy(np.ascontiguousarray(png16.decode(data))), 16
        except ValueError as error:
            raise TorchError(f"image: {name}: {error}") from None
    bits = data[24] if kind == "png" else 8
    mode = MODES.get(picture.mode)
    if mode is None or (bits == 16 and mode != "I;16"):
        raise TorchError(
            f"image: {name} holds colours of mode {picture.mode} with {bits} bits, which is not supported"
        )
    try:
        values = np.asarray(picture if picture.mode == mode else picture.convert(mode))
    except OSError as error:
        raise TorchError(f"image: {name} is damaged: {error}") from None
    if values.ndim == 2:
        values = values[:, :, None]
    planes = torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1).astype(np.int32)))
    return planes, max(bits, 8)


_HEADER = re.compile(rb"P([2356])(?:\s|#[^\n]*\n)+(\d+)(?:\s|#[^\n]*\n)+(\d+)(?:\s|#[^\n]*\n)+(\d+)\s")


def _netpbm(data: bytes, name: str) -> tuple[torch.Tensor, int]:
    """A PGM or PPM file. Two bytes a value are taken with the first as the lower, as in the original."""
    match = _HEADER.match(data)
    if match is None and re.match(rb"P[^2356]", data):
        raise TorchError(f"image: {name}: unsupported magic number {data[:2].decode('latin1')}")
    if match is None:
        raise TorchError(f"image: {name} is no PGM or PPM file that can be read")
    number, width, height, most = (int(group) for group in match.groups())
    planes = 3 if number in (3, 6) else 1
    count = planes * width * height
    if number < 5:
        texts = re.sub(rb"#[^\n]*", b"", data[match.end() :]).split()[:count]
        if len(texts) < count:
            raise TorchError(f"image: {name}: corrupted file or read error")
        if most > 255:
            raise TorchError(f"image: {name}: texts of more than 8 bits are not supported")
        values = np.array([255 * int(text) // most for text in texts], dtype=np.int32)
    else:
        kind = np.dtype(np.uint8) if most <= 255 else np.dtype("<u2")
        body = data[match.end() : match.end() + count * kind.itemsize]
        if len(body) < count * kind.itemsize:
            raise TorchError(f"image: {name}: corrupted file or read error")
        values = np.frombuffer(body, dtype=kind).astype(np.int32)
    return torch.from_numpy(np.ascontiguousarray(values.reshape(height, width, planes).transpose(2, 0, 1))), 8


def _numbers(like: torch.Tensor, planes: torch.Tensor, bits: int) -> torch.Tensor:
    """Integers as bytes, or as fractions of the largest value, in the type of another tensor."""
    if like.dtype == torch.uint8:
        return (planes >> 8 if bits == 16 else planes).to(torch.uint8)
    return planes.to(like.device, like.dtype).mul_(1 / (65535 if bits == 16 else 255))


def _content(name: str) -> bytes:
    try:
        return Path(to_file_name(name)).read_bytes()
    except OSError as error:
        raise TorchError(f"{name}: {error.strerror}") from None


@function("image._kind")
def kind_of_file(name: str) -> str | None:
    try:
        with Path(to_file_name(name)).open("rb") as file:
            return kind_of_content(file.read(4))
    except OSError as error:
        raise TorchError(f"{name}: {error.strerror}") from None


@function("image._read")
def read_file(like: torch.Tensor, name: str, kind: str) -> torch.Tensor:
    """A file as a tensor of the type of ``like``: planes, height, width."""
    data = _content(name)
    return _numbers(like, *(_decoded(data, name, kind) if kind in ("jpg", "png") else _netpbm(data, name)))


@function("image._decode")
def read_tensor(like: torch.Tensor, data: torch.Tensor, kind: str) -> torch.Tensor:
    """The same of the bytes of a file."""
    return _numbers(like, *_decoded(data.clone().contiguous().numpy().tobytes(), "the tensor", kind))


@function("image._size")
def size_of_file(name: str, kind: str) -> tuple[int, int, int]:
    """Planes, height and width of a file, without reading the rest of it."""
    data = _content(name)
    if kind not in ("jpg", "png"):
        match = _HEADER.match(data)
        if match is None:
            raise TorchError(f"image: {name} is no PGM or PPM file that can be read")
        return 3 if match.group(1) in b"36" else 1, int(match.group(3)), int(match.group(2))
    picture = _opened(data, name, kind)
    planes = {"L": 1, "1": 1, "I;16": 1, "I": 1, "LA": 2, "RGB": 3, "RGBA": 4}.get(picture.mode)
    if planes is None:
        raise TorchError(f"image: {name} holds colours of mode {picture.mode}, which is not supported")
    return planes, picture.height, picture.width


def _bytes_of(image: torch.Tensor, allowed: tuple[int, ...], kind: str) -> np.ndarray[Any, Any]:
    """Height, width, planes; bytes as they are, other numbers as shares of 1, cut off."""
    if image.dim() == 2:
        image = image.unsqueeze(0)
    if image.dim() != 3 or image.size(0) not in allowed:
        listed = ", ".join(map(str, allowed[:-1])) + f" or {allowed[-1]}"
        raise ArgumentError(f"image: a {kind} file takes an image of {listed} planes")
    if image.dtype != torch.uint8:
        image = (image.to(torch.float64).clamp(0, 1) * 255).to(torch.uint8)
    return np.ascontiguousarray(image.cpu().clone().numpy().transpose(1, 2, 0))


def _encoded(image: torch.Tensor, kind: str, quality: float) -> bytes:
    if kind in ("pgm", "ppm"):
        values = _bytes_of(image, (1, 3), kind.upper())
        height, width, planes = values.shape
        return b"P%d\n%d %d\n255\n" % (6 if planes == 3 else 5, width, height) + values.tobytes()
    values = _bytes_of(image, (1, 3, 4) if kind == "png" else (1, 3), "PNG" if kind == "png" else "JPEG")
    picture = pillow().fromarray(values[:, :, 0] if values.shape[2] == 1 else values)
    if not 0 <= quality <= 100:
        raise ArgumentError("image: quality should be between 0 and 100")
    out = io.BytesIO()
    if kind == "png":
        picture.save(out, "PNG")
    else:
        picture.save(out, "JPEG", quality=int(quality))
    return out.getvalue()


@function("image._write")
@by_one
def write_file(image: torch.Tensor, name: str, kind: str) -> None:
    """Write an image into a file."""
    data = _encoded(image, kind, QUALITY)
    try:
        Path(to_file_name(name)).write_bytes(data)
    except OSError as error:
        raise TorchError(f"{name}: {error.strerror}") from None


@function("image._show")
def show(image: torch.Tensor, zoom: float = 1) -> bool:
    """Show an image of values from 0 to 1 on the program's screen; False where it has none."""
    shown = state.current().screen
    if shown is None:
        return False
    if zoom != 1:
        planes = (image if image.dim() == 3 else image.unsqueeze(0)).unsqueeze(0).double()
        image = torch.nn.functional.interpolate(planes, scale_factor=float(zoom))[0]
    sizes = "x".join(map(str, image.shape))
    shown.show({"image/png": _encoded(image, "png", QUALITY), "text/plain": f"<image {sizes}>"})
    return True


@function("image._encode")
def encode(image: torch.Tensor, kind: str, quality: float = QUALITY) -> torch.Tensor:
    """The bytes of a file."""
    return torch.from_numpy(np.frombuffer(_encoded(image, kind, quality), dtype=np.uint8).copy()).clone()
