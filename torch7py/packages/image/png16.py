"""PNG files with 16 bits a value, in colours or with transparency, which Pillow reads and writes with 8 alone."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

__all__ = ["decode", "encode", "has_16_bits"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PLANES = {2: 3, 4: 2, 6: 4}  # by the number that the file has for its kind of colours
Values = np.ndarray[Any, Any]


def has_16_bits(data: bytes) -> bool:
    """Whether the file is one for this module."""
    return data.startswith(SIGNATURE) and len(data) > 25 and data[24] == 16 and data[25] in PLANES


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        check = data[at + 8 + length : at + 12 + length]
        if check != struct.pack(">I", zlib.crc32(kind + body)):
            raise ValueError("the PNG file is damaged")
        yield kind, body
        at += 12 + length


def _filtered(rows: Values, kinds: Values) -> Values:
    """Undo the filters of rows (rows, pixels, bytes of a pixel).

    A pixel needs the one before it and those above both, so the pixels of one antidiagonal are computed together.
    """
    height, width, _ = rows.shape
    done = np.zeros((height + 1, width + 1, rows.shape[2]), dtype=np.int16)
    for step in range(height + width - 1):
        y = np.arange(max(0, step - width + 1), min(height, step + 1))
        x = step - y
        left, above, corner = done[y + 1, x], done[y, x + 1], done[y, x]
        guess = left + above - corner
        to_left, to_above, to_corner = abs(guess - left), abs(guess - above), abs(guess - corner)
        paeth = np.where(
            (to_left <= to_above) & (to_left <= to_corner),
            left,
            np.where(to_above <= to_corner, above, corner),
        )
        zero = np.zeros_like(left)
        added = np.choose(kinds[y][:, None], [zero, left, above, (left + above) // 2, paeth])
        done[y + 1, x + 1] = (rows[y, x] + added) & 255
    return done[1:, 1:].astype(np.uint8)


def decode(data: bytes) -> Values:
    """The values of a file: planes, height, width. Its size was looked at before."""
    width, height, _, kind, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    if interlaced:
        raise ValueError("an interlaced PNG file with 16 bits is not supported")
    chunks = list(_chunks(data))
    if any(name == b"tRNS" for name, _ in chunks):
        raise ValueError("a PNG file with 16 bits and one transparent colour is not supported")
    packed = b"".join(body for name, body in chunks if name == b"IDAT")
    pixel_bytes = 2 * PLANES[kind]
    size = height * (1 + width * pixel_bytes)
    try:
        raw = zlib.decompressobj().decompress(packed, size)
    except zlib.error as error:
        raise ValueError(f"the PNG file is damaged: {error}") from None
    if len(raw) < size:
        raise ValueError("the PNG file is damaged: it ends too early")
    lines = np.frombuffer(raw, dtype=np.uint8).reshape(height, 1 + width * pixel_bytes)
    if np.any(lines[:, 0] > 4):
        raise ValueError("the PNG file is damaged: an unknown filter")
    values = _filtered(lines[:, 1:].reshape(height, width, pixel_bytes).astype(np.int16), lines[:, 0])
    samples: Values = values.reshape(height, width * pixel_bytes).view(">u2")
    planes: Values = samples.reshape(height, width, PLANES[kind]).transpose(2, 0, 1).astype(np.int32)
    return planes


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def encode(values: Values, gamma: float, profile: bytes | None) -> bytes:
    """A file of planes (1 to 4), height, width; without filters."""
    planes, height, width = values.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[planes]
    rows = np.ascontiguousarray(values.transpose(1, 2, 0)).astype(">u2").reshape(height, width * planes)
    lines = np.zeros((height, 1 + 2 * width * planes), dtype=np.uint8)
    lines[:, 1:] = rows.view(np.uint8)
    parts = [SIGNATURE, _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0))]
    if gamma:
        parts.append(_chunk(b"gAMA", struct.pack(">I", int(gamma * 100000 + 0.5))))
    if profile is not None:
        parts.append(_chunk(b"iCCP", b"icc\0\0" + zlib.compress(profile)))
    parts += [_chunk(b"IDAT", zlib.compress(lines.tobytes())), _chunk(b"IEND", b"")]
    return b"".join(parts)
