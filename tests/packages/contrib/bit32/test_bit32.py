"""bit32, beside Python's integers."""

from __future__ import annotations

import random

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError

WORD = 1 << 32


MASK = WORD - 1


@pytest.fixture(scope="module")
def run():
    with Runtime() as runtime:
        runtime.execute("bit32 = require 'bit32'")
        yield runtime.execute


def arithmetic(x: int, by: int) -> int:
    signed = x - WORD if x >> 31 else x
    return (
        (signed >> by if by >= 0 else signed << -by) & MASK
        if abs(by) < 32
        else (MASK if x >> 31 and by > 0 else 0)
    )


def rotated(x: int, by: int) -> int:
    by %= 32
    return ((x << by) | (x >> (32 - by))) & MASK


def test_beside_python(run):
    draw = random.Random(1)
    for _ in range(60):
        a, b = draw.getrandbits(32), draw.getrandbits(32)
        by = draw.randrange(-34, 35)
        field = draw.randrange(32)
        width = draw.randrange(1, 33 - field)
        ones = (1 << width) - 1
        script = f"""local b = bit32
        return b.band({a}, {b}), b.bor({a}, {b}), b.bxor({a}, {b}, 5), b.bnot({a}), b.btest({a}, {b}),
               b.lshift({a}, {by}), b.rshift({a}, {by}), b.arshift({a}, {by}), b.lrotate({a}, {by}),
               b.rrotate({a}, {by}), b.extract({a}, {field}, {width}), b.replace({a}, {b}, {field}, {width})"""
        left = (a << by) & MASK if 0 <= by < 32 else a >> -by if -32 < by < 0 else 0
        right = a >> by if 0 <= by < 32 else (a << -by) & MASK if -32 < by < 0 else 0
        assert run(script) == (
            a & b,
            a | b,
            a ^ b ^ 5,
            a ^ MASK,
            a & b != 0,
            left,
            right,
            arithmetic(a, by),
            rotated(a, by),
            rotated(a, -by),
            (a >> field) & ones,
            (a & ~(ones << field)) | ((b & ones) << field),
        )


def test_arguments(run):
    assert run(
        "return bit32.band(), bit32.bor(), bit32.band(-1), bit32.bnot(-1), bit32.bor('3', 2 ^ 32)"
    ) == (
        MASK,
        0,
        MASK,
        0,
        3,
    )
    for call, says in (
        ("band({})", "bad argument #1 to 'band' \\(number expected, got table\\)"),
        ("extract(1, -1)", "field cannot be negative"),
        ("extract(1, 1, 0)", "width must be positive"),
        ("replace(1, 1, 30, 3)", "trying to access non-existent bits"),
    ):
        with pytest.raises(LuaError, match=f"python:2: .*{says}"):
            run(f"\nbit32.{call}")
