"""LuaJIT's ``bit`` library: integers of 32 bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch7py.lua_compat.arguments import MISSING, a_number, an_int
from torch7py.lua_compat.values import Library

__all__ = ["bits", "jit"]


def _word(value: Any, number: int, name: str) -> int:
    """A number as an unsigned word of 32 bits."""
    given = a_number(value, number, name)
    if given != given or given in (float("inf"), float("-inf")):
        return 0
    return round(given) & 0xFFFFFFFF


def _signed(word: int) -> int:
    word &= 0xFFFFFFFF
    return word - (1 << 32) if word & 0x80000000 else word


def _fold(name: str, combine: Callable[[int, int], int]) -> Callable[..., int]:
    def fold(first: Any = MISSING, *rest: Any) -> int:
        word = _word(first, 1, name)
        for number, value in enumerate(rest, 2):
            word = combine(word, _word(value, number, name))
        return _signed(word)

    return fold


def _shift(name: str, move: Callable[[int, int], int]) -> Callable[..., int]:
    def shift(value: Any = MISSING, by: Any = MISSING, *_: Any) -> int:
        return _signed(move(_word(value, 1, name), _word(by, 2, name) & 31))

    return shift


def tobit(value: Any = MISSING, *_: Any) -> int:
    return _signed(_word(value, 1, "tobit"))


def bnot(value: Any = MISSING, *_: Any) -> int:
    return _signed(~_word(value, 1, "bnot"))


def bswap(value: Any = MISSING, *_: Any) -> int:
    return _signed(int.from_bytes(_word(value, 1, "bswap").to_bytes(4, "big"), "little"))


def tohex(value: Any = MISSING, digits: Any = None, *_: Any) -> str:
    word = _word(value, 1, "tohex")
    count = 8 if digits is None else an_int(digits, 2, "tohex")
    text = f"{word:08x}"[-min(abs(count), 8) :] if count else ""
    return text.upper() if count < 0 else text


bits = Library(
    {
        "arshift": _shift("arshift", lambda word, by: _signed(word) >> by),
        "band": _fold("band", lambda a, b: a & b),
        "bnot": bnot,
        "bor": _fold("bor", lambda a, b: a | b),
        "bswap": bswap,
        "bxor": _fold("bxor", lambda a, b: a ^ b),
        "lshift": _shift("lshift", lambda word, by: word << by),
        "rol": _shift("rol", lambda word, by: word << by | word >> (32 - by)),
        "ror": _shift("ror", lambda word, by: word >> by | word << (32 - by)),
        "rshift": _shift("rshift", lambda word, by: word >> by),
        "tobit": tobit,
        "tohex": tohex,
    }
)


def _nothing(*_: Any) -> tuple[()]:
    return ()


jit = Library(
    {
        "arch": "x64",
        "flush": _nothing,
        "off": _nothing,
        "on": _nothing,
        "os": "Linux",
        "status": lambda *_: False,
        "version": "LuaJIT 2.1",
        "version_num": 20199,
    }
)
