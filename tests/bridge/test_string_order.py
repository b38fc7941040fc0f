"""Many strings in order: string_order.lua beside Python's own sorting."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bridge.chunks import Engine, engines

# Plain Lua has no arrays of numbers.
jit_engines = [engine for engine in engines if engine.values[0] != "lua51"]


class Order:
    """The chunk's function on lists of bytes."""

    def __init__(self, name: str) -> None:
        self.engine = Engine(name)
        self.function = self.engine.chunk("string_order.lua")

    def __call__(self, keys: list[bytes]) -> list[bytes]:
        table = self.engine.lua.table_from([key.decode("latin-1") for key in keys])
        result = self.function(table, len(keys))
        return [result[i].encode("latin-1") for i in range(1, len(result) + 1)]


@pytest.fixture(params=jit_engines)
def order(request) -> Order:
    return Order(request.param)


def shuffled(keys: list[bytes]) -> list[bytes]:
    random.Random(5).shuffle(keys)
    return keys


@pytest.mark.parametrize(
    "keys",
    [
        [b""],
        [b"b", b"a"],
        [b"", b"\0", b"\0\0", b"\0" * 9, b"\xff", b"\xfe\xff"],
        [b"%d" % i for i in range(3000)],
        [b"a common beginning/%d" % i for i in range(500)],
        # more than table.sort is left with have the same six bytes, once and twice over
        [b"abcdef%06d" % i for i in range(200)] + [b"abcdef"] + [b"ab", b"x"],
        [b"a" * n for n in range(300)],
        [b"abcdef" * 3 + b"%d" % i for i in range(100)] + [b"b%d" % i for i in range(100)],
        [bytes([a, b]) for a in range(0, 256, 5) for b in range(0, 256, 5)],
        # what a sample has in common some have not
        [b"a common beginning/%d" % i for i in range(5000)] + [b"a common", b"a combination", b"b"],
        # bytes of all values: three of them make a number
        [random.Random(1).randbytes(9) for _ in range(3000)] * 2,
        [b"%08x" % (i * 2654435761 % 2**32) for i in range(3000)],
    ],
    ids=[
        "empty",
        "two",
        "zeros",
        "numbers",
        "common",
        "sixes",
        "lengths",
        "deep",
        "bytes",
        "sample",
        "random",
        "hex",
    ],
)
def test_known_keys(order, keys):
    assert order(shuffled(list(keys))) == sorted(keys)


@pytest.mark.parametrize("name", jit_engines)
def test_any_keys(name):
    order = Order(name)
    words = st.binary(max_size=3).flatmap(
        lambda start: st.binary(max_size=9).map(lambda end: start * 3 + end)
    )

    @given(keys=st.sets(words, min_size=1, max_size=150))
    def check(keys: set[bytes]) -> None:
        assert order(list(keys)) == sorted(keys)

    check()


def test_plain_lua_has_none():
    assert Engine("lua51").chunk("string_order.lua") is None


@pytest.mark.parametrize("name", engines)
def test_pairs_uses_it_on_large_tables(name):
    engine = Engine(name)
    engine.run("native_next = pairs({})")
    order = engine.chunk("string_order.lua")
    engine.chunk("pairs.lua", None, order).install("sorted")
    engine.run("t, n = {1, 2, 3}, 4000 for i = 1, n do t['k' .. (i * 7919) % 10007] = i end")
    engine.run("function keys() local r = {} for k in pairs(t) do r[#r + 1] = k end return r end")
    expected = [1, 2, 3, *sorted(f"k{i * 7919 % 10007}" for i in range(1, 4001))]
    assert engine.rows("return keys()") == expected
    assert engine.rows("t.a = 1 return keys()") == [1, 2, 3, "a", *expected[3:]]
