"""snappy: against the description of its format, and there and back."""

from __future__ import annotations

import random

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.packages.contrib.snappy.compression import compress, decompress


@pytest.mark.parametrize(
    ("packed", "text"),
    [
        ("\x00", ""),
        ("\x05\x10hello", "hello"),
        ("\x09\x08abc\x09\x03", "abcabcabc"),  # a copy over itself: 6 bytes from 3 before
        ("\x09\x08abc\x16\x03\x00", "abcabcabc"),  # the same, with an offset of 2 bytes
        ("\x09\x08abc\x17\x03\x00\x00\x00", "abcabcabc"),  # and of 4
        ("\x46\xf0\x45" + "x" * 70, "x" * 70),  # a literal whose length has a byte of its own
    ],
)
def test_the_format(packed: str, text: str) -> None:
    assert decompress(packed) == text


def test_there_and_back() -> None:
    draw = random.Random(7)
    noise = "".join(chr(draw.randrange(256)) for _ in range(70000))
    for text in ("", "a", "ab" * 70000, noise, noise[:1000] * 90, "".join(map(chr, range(256))) + "abc" * 9):
        packed = compress(text)
        assert decompress(packed) == text
        assert len(packed) <= 32 + len(text) + len(text) // 6  # what the format's description promises
    assert len(compress("ab" * 70000)) < 8000


@pytest.mark.parametrize(
    ("packed", "message"),
    [
        ("", "bad header"),
        ("\xff\xff\xff\xff\xff", "bad header"),
        ("\x05\x10hell", "malformed"),  # too short
        ("\x04\x10hello", "malformed"),  # longer than it says
        ("\x09\x08abc\x09\x04", "malformed"),  # a copy of what is not there
        ("\x09\x08abc\x09\x00", "malformed"),
        ("\x09\x08abc\x17\x03", "malformed"),
        ("\x7f\xfc\xff\xff\xff\x7fab", "malformed"),
    ],
)
def test_damage(packed: str, message: str) -> None:
    with pytest.raises(LuaError, match=f":1: .*{message}"):
        Runtime().execute(
            "local s = require 'snappy'; local text = s.decompress(string.char("
            + ",".join(str(ord(c)) for c in packed)
            + "))"
        )


def test_from_lua() -> None:
    text = "local s = require 'snappy' local t = ('zebra'):rep(100) return s.decompress(s.compress(t)) == t"
    assert Runtime().execute(text) is True
    with pytest.raises(LuaError, match="a string expected"):
        Runtime().execute("return require('snappy').compress({})")
