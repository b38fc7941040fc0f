"""What Lua's ``for`` goes through."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from torch7py.lua_compat.arguments import MISSING, a_table
from torch7py.lua_compat.values import Table, behaviour_of, call, metamethod, multi

__all__ = ["ipairs", "ipairs_values", "iterate", "next_value", "pairs", "pairs_values", "special_fields"]

special_fields: list[Callable[[Table], Table | None]] = []
"""What gives the fields of tables that have some elsewhere; the torch package adds its own."""


def next_value(table: Any = MISSING, key: Any = None, *_: Any) -> Any:
    found = a_table(table, 1, "next")
    if found.extra_ is not None:
        for special in special_fields:
            shown = special(found)
            if shown is not None:
                return shown.next_(key)
    return found.next_(key)


def pairs(table: Any = MISSING, *_: Any) -> Iterator[tuple[Any, Any]]:
    """What ``for k, v in pairs(t)`` goes through."""
    if isinstance(table, Table) and table.meta_ is None:
        return table.pairs_()  # type: ignore[no-any-return]
    return iterate(2, *pairs_values(table))


def pairs_values(table: Any = MISSING, *_: Any) -> tuple[Any, ...]:
    """What ``pairs(t)`` returns."""
    handler = metamethod(table, "__pairs")
    if handler is not None:
        return (*multi(call(handler, table)), None, None, None)[:3]
    fields = None if isinstance(table, Table) else getattr(behaviour_of(table), "fields", None)
    return next_value, a_table(table, 1, "pairs") if fields is None else fields(table), None


def ipairs(table: Any = MISSING, *_: Any) -> Iterator[tuple[Any, Any]]:
    """What ``for i, v in ipairs(t)`` goes through."""
    if isinstance(table, Table) and table.meta_ is None:
        return _elements(table)
    return iterate(2, *ipairs_values(table))


def _elements(table: Table) -> Iterator[tuple[Any, Any]]:
    at = 0
    while True:
        at += 1
        value = table.rawget_(at)
        if value is None:
            return
        yield at, value


def _following(table: Table, at: int) -> Any:
    value = table.rawget_(at + 1)
    return None if value is None else (at + 1, value)


def ipairs_values(table: Any = MISSING, *_: Any) -> tuple[Any, ...]:
    handler = metamethod(table, "__ipairs")
    if handler is not None:
        return (*multi(call(handler, table)), None, None, None)[:3]
    return _following, a_table(table, 1, "ipairs"), 0


def iterate(count: int, f: Any = None, state: Any = None, key: Any = None, *_: Any) -> Iterator[Any]:
    """What ``for a, b, ... in f, state, key`` goes through: tuples of ``count`` values, or single ones."""
    if f is next_value and key is None and isinstance(state, Table) and count == 2:
        yield from state.pairs_()
        return
    padding = (None,) * count
    while True:
        result = call(f, state, key)
        if type(result) is not tuple:
            result = (result,)
        if not result or result[0] is None:
            return
        key = result[0]
        yield key if count == 1 else (result + padding)[:count]
