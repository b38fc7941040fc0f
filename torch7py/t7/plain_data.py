"""Tables of a file as the lists and dicts of layers, and whether these still are what the file had."""

from __future__ import annotations

from typing import Any

from torch7py.t7.objects import Table

__all__ = ["Plain", "same"]


class Plain:
    """Tables to lists and dicts for the fields of layers, each table once."""

    def __init__(self) -> None:
        self._done: dict[int, Any] = {}

    def __call__(self, root: Table) -> Any:
        waiting: list[tuple[Table, Any]] = []

        def start(value: Any) -> Any:
            if not isinstance(value, Table):
                return value
            copy = self._done.get(id(value))
            if copy is None:
                copy = [] if value.is_array() else {}
                if isinstance(copy, dict) and len(dict.fromkeys(value)) != len(value):
                    return value  # true and 1 as keys: no dict holds both
                self._done[id(value)] = copy
                waiting.append((value, copy))
            return copy

        result = start(root)
        while waiting:
            table, converted = waiting.pop()
            if isinstance(converted, list):
                converted += [start(item) for item in table.array()]
            else:
                converted.update((key, start(item)) for key, item in table.items())
        return result


def same(root: Table, value: Any) -> bool:
    """Whether lists and dicts hold exactly what a table holds."""
    waiting = [(root, value)]
    compared: set[tuple[int, int]] = set()
    while waiting:
        table, other = waiting.pop()
        if table is other or (id(table), id(other)) in compared:
            continue
        compared.add((id(table), id(other)))
        if not isinstance(other, (list, dict)) or len(other) != len(table):
            return False
        for key, item in enumerate(other, 1) if isinstance(other, list) else other.items():
            if key not in table:
                return False
            held = table[key]
            if isinstance(held, Table):
                waiting.append((held, item))
            elif held is not item and not _same_scalar(held, item):
                return False
    return True


def _same_scalar(one: Any, other: Any) -> bool:
    plain = (int, float, str, bool)
    return (
        isinstance(one, plain)
        and isinstance(other, plain)
        and isinstance(one, bool) == isinstance(other, bool)
        and one == other
    )
