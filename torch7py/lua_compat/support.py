"""What translated code needs besides operators."""

from __future__ import annotations

from typing import Any

from torch7py.lua_compat.errors import LuaError, fail
from torch7py.lua_compat.values import Table

__all__ = ["Cell", "not_translated", "table", "table_of", "take", "text"]


class Cell:
    """A variable of one turn of a loop, for functions that outlive the turn."""

    __slots__ = ("value",)

    def __init__(self, value: Any = None) -> None:
        self.value = value


def table(*values: Any, **fields: Any) -> Table:
    """``{a, b, c, x = 1}``"""
    made = Table(list(values))
    for key, value in fields.items():
        if value is not None:
            made.hash_[key] = value
    return made


def table_of(pairs: list[tuple[Any, Any]], at: int = 1, *rest: Any) -> Table:
    """``{[k] = v, ...}``: fields in their order, and ``rest`` from number ``at`` on."""
    made = Table()
    for key, value in pairs:
        made.rawset_(key, value)
    for number, value in enumerate(rest, at):
        made.rawset_(number, value)
    return made


def text(characters: str) -> str:
    """A string of characters as Lua has it: their bytes in UTF-8."""
    return characters.encode("utf-8", "surrogateescape").decode("latin1")


def not_translated(code: str, reason: str) -> LuaError:
    """Stands where a statement has no translation. To be raised."""
    return fail(f"not translated: {reason} [{code}]")


def take(count: int, result: Any) -> tuple[Any, ...]:
    """The first ``count`` of a call's results, filled up with nil."""
    if type(result) is not tuple:
        result = (result,)
    values: tuple[Any, ...] = (result + (None,) * count)[:count]
    return values
