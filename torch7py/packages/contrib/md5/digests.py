"""Kepler's md5 package: digests of strings."""

from __future__ import annotations

import hashlib

from torch7py.ops.errors import ArgumentError
from torch7py.packages.registry import function

__all__ = ["digest", "exclusive_or", "hex_digest"]


def _bytes(text: object, name: str) -> bytes:
    if not isinstance(text, str):
        raise ArgumentError(f"md5.{name}: a string expected")
    return text.encode("latin1")


@function("md5.sum")
def digest(text: str) -> str:
    """``md5.sum(text)``: the 16 bytes of its digest."""
    return hashlib.md5(_bytes(text, "sum"), usedforsecurity=False).digest().decode("latin1")


@function("md5.sumhexa")
def hex_digest(text: str) -> str:
    """``md5.sumhexa(text)``: the same in 32 hexadecimal digits."""
    return hashlib.md5(_bytes(text, "sumhexa"), usedforsecurity=False).hexdigest()


@function("md5.exor")
def exclusive_or(a: str, b: str) -> str:
    """``md5.exor(a, b)``: two strings of one length, bit by bit."""
    first, second = _bytes(a, "exor"), _bytes(b, "exor")
    if len(first) != len(second):
        raise ArgumentError("md5.exor: lengths must be equal")
    return bytes(x ^ y for x, y in zip(first, second, strict=True)).decode("latin1")
