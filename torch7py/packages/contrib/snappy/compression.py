"""The snappy package: strings in Snappy's compressed format, which Google's description of it defines."""

from __future__ import annotations

from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.packages.registry import function

__all__ = ["compress", "decompress"]

BLOCK = 1 << 16  # blocks are compressed separately: offsets of copies fit into 16 bits
SHORTEST = 4  # of a copy
LONGEST = 64


def _bytes(text: object, name: str) -> bytes:
    if not isinstance(text, str):
        raise ArgumentError(f"snappy.{name}: a string expected")
    return text.encode("latin1")


def _literal(out: bytearray, part: bytes) -> None:
    """Bytes as they are, after their number less one: in the tag, or in one or two bytes behind it."""
    if not part:
        return
    count = len(part) - 1
    if count < 60:
        out.append(count << 2)
    else:
        size = 1 if count < 256 else 2
        out.append((59 + size) << 2)
        out += count.to_bytes(size, "little")
    out += part


def _copy(out: bytearray, offset: int, length: int) -> None:
    """The same ``length`` bytes as ``offset`` before."""
    while length > 0:
        size = min(length, LONGEST)
        if 0 < length - size < SHORTEST:
            size = length - SHORTEST
        out.append((size - 1) << 2 | 2)
        out += offset.to_bytes(2, "little")
        length -= size


def _compressed(block: bytes, out: bytearray) -> None:
    seen: dict[bytes, int] = {}
    at, start, missed = 0, 0, 32
    while at + SHORTEST <= len(block):
        key = block[at : at + SHORTEST]
        previous = seen.get(key)
        seen[key] = at
        if previous is None:
            at += missed >> 5  # skip faster through data without repetitions
            missed += 1
            continue
        end, source = at + SHORTEST, previous + SHORTEST
        while end < len(block) and block[end] == block[source]:
            end, source = end + 1, source + 1
        _literal(out, block[start:at])
        _copy(out, at - previous, end - at)
        at = start = end
        missed = 32
    _literal(out, block[start:])


@function("snappy.compress")
def compress(text: str) -> str:
    """``snappy.compress(text)``: other compressors may make another string of it, which means the same."""
    data = _bytes(text, "compress")
    out, length = bytearray(), len(data)
    while length > 127:
        out.append(length & 127 | 128)
        length >>= 7
    out.append(length)
    for first in range(0, len(data), BLOCK):
        _compressed(data[first : first + BLOCK], out)
    return out.decode("latin1")


def _header(data: bytes) -> tuple[int, int]:
    """How long the text is, in groups of 7 bits, and where its parts begin."""
    length = 0
    for at, byte in enumerate(data[:5]):
        length |= (byte & 127) << 7 * at
        if byte < 128 and length < 1 << 32:
            return length, at + 1
    raise TorchError("snappy: bad header")


@function("snappy.decompress")
def decompress(text: str) -> str:
    """``snappy.decompress(text)``: decompress a string."""
    data = _bytes(text, "decompress")
    length, at = _header(data)
    out = bytearray()

    def number(size: int) -> int:
        nonlocal at
        at += size
        return int.from_bytes(data[at - size : at], "little")

    while at < len(data):
        tag = number(1)
        kind, count = tag & 3, (tag >> 2) + 1
        if kind == 0:
            if count > 60:
                count = number(count - 60) + 1
            part = data[at : at + count]
            at += count
        else:
            if kind == 1:
                count = (tag >> 2 & 7) + 4
                offset = (tag >> 5) << 8 | number(1)
            else:
                offset = number(2 if kind == 2 else 4)
            if not 0 < offset <= len(out):
                raise TorchError("snappy: malformed data")
            first = len(out) - offset
            part = bytes(out[first : first + count])
            part = (part * (count // len(part) + 1))[:count]
        out += part
        if len(out) > length:
            break
    if at != len(data) or len(out) != length:
        raise TorchError("snappy: malformed data")
    return out.decode("latin1")
