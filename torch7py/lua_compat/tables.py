"""The table library."""

from __future__ import annotations

from typing import Any

from torch7py.lua_compat.arguments import MISSING, a_string, a_table, an_int
from torch7py.lua_compat.errors import fail
from torch7py.lua_compat.numbers import number_text
from torch7py.lua_compat.operators import lt
from torch7py.lua_compat.values import Library, Table, call, first, kind_of, truth

__all__ = ["packed", "tables", "unpack"]


def _size(table: Table) -> int:
    """The length that the library works by: LuaJIT built with Lua 5.2's asks no metamethod here."""
    return len(table.array_)


def insert(t: Any = MISSING, *args: Any) -> tuple[()]:
    table = a_table(t, 1, "insert")
    end = _size(table) + 1
    if len(args) == 1:
        table.rawset_(end, args[0])
        return ()
    if len(args) != 2:
        raise fail("wrong number of arguments to 'insert'")
    at = an_int(args[0], 2, "insert")
    end = max(end, at)
    if 1 <= at < end and args[1] is not None and len(table.array_) == end - 1:
        table.array_.insert(at - 1, args[1])
        if table.hash_:
            table._take_over()
        return ()
    for i in range(end, at, -1):
        table.rawset_(i, table.rawget_(i - 1))
    table.rawset_(at, args[1])
    return ()


def remove(t: Any = MISSING, pos: Any = MISSING, *_: Any) -> Any:
    table = a_table(t, 1, "remove")
    size = _size(table)
    if pos is MISSING:
        if size == 0:
            return ()
        value = table.rawget_(size)
        table.rawset_(size, None)
        return value
    at = size if pos is None else an_int(pos, 2, "remove")
    if not 1 <= at <= size:
        return ()
    value = table.rawget_(at)
    for i in range(at, size):
        table.rawset_(i, table.rawget_(i + 1))
    table.rawset_(size, None)
    return value


def concat(t: Any = MISSING, sep: Any = None, i: Any = None, j: Any = None, *_: Any) -> str:
    table = a_table(t, 1, "concat")
    between = "" if sep is None else a_string(sep, 2, "concat")
    start = 1 if i is None else an_int(i, 3, "concat")
    end = _size(table) if j is None else an_int(j, 4, "concat")
    parts = []
    for at in range(start, end + 1):
        value = table.rawget_(at)
        if type(value) is str:
            parts.append(value)
        elif type(value) in (int, float):
            parts.append(number_text(value))
        else:
            raise fail(f"invalid value ({kind_of(value)}) at index {at} in table for 'concat'")
    return between.join(parts)


def sort(t: Any = MISSING, comparison: Any = None, *_: Any) -> tuple[()]:
    """In place, by Lua's own algorithm, so that equal elements end up in the same places."""
    table = a_table(t, 1, "sort")
    if comparison is not None and kind_of(comparison) != "function":
        raise fail(f"bad argument #2 to 'sort' (function expected, got {kind_of(comparison)})")
    size = _size(table)
    if comparison is None:
        values = table.array_[:size]
        if all(type(v) is str for v in values) or all(type(v) in (int, float) and v == v for v in values):
            table.array_[:size] = sorted(values)  # equal ones cannot be told apart
            return ()
        _quicksort(table, 1, size, lt)
    else:

        def less(a: Any, b: Any) -> bool:
            return truth(first(call(comparison, a, b)))

        _quicksort(table, 1, size, less)
    return ()


def _quicksort(table: Table, low: int, high: int, less: Any) -> None:
    get, put = table.rawget_, table.rawset_
    while low < high:
        # the first, middle and last element, put in order
        a, b = get(low), get(high)
        if less(b, a):
            put(low, b)
            put(high, a)
        if high - low == 1:
            return
        middle = (low + high) // 2
        a, b = get(middle), get(low)
        if less(a, b):
            put(middle, b)
            put(low, a)
        else:
            b = get(high)
            if less(b, a):
                put(middle, b)
                put(high, a)
        if high - low == 2:
            return
        pivot = get(middle)
        b = get(high - 1)
        put(middle, b)
        put(high - 1, pivot)
        i, j = low, high - 1
        while True:
            i += 1
            a = get(i)
            while less(a, pivot):
                if i >= high:
                    raise fail("invalid order function for sorting")
                i += 1
                a = get(i)
            j -= 1
            b = get(j)
            while less(pivot, b):
                if j <= low:
                    raise fail("invalid order function for sorting")
                j -= 1
                b = get(j)
            if j < i:
                break
            put(i, b)
            put(j, a)
        a, b = get(high - 1), get(i)
        put(high - 1, b)
        put(i, a)
        # the smaller part first, the other in this loop
        if i - low < high - i:
            _quicksort(table, low, i - 1, less)
            low = i + 1
        else:
            _quicksort(table, i + 1, high, less)
            high = i - 1


def unpack(t: Any = MISSING, i: Any = None, j: Any = None, *_: Any) -> tuple[Any, ...]:
    table = a_table(t, 1, "unpack")
    start = 1 if i is None else an_int(i, 2, "unpack")
    end = len(table.array_) if j is None else an_int(j, 3, "unpack")
    if end - start >= 1_000_000:
        raise fail("too many results to unpack")
    if start == 1 and end <= len(table.array_):
        return tuple(table.array_[: max(end, 0)])
    return tuple(table.rawget_(at) for at in range(start, end + 1))


def packed(*values: Any) -> Table:
    table = Table(list(values))
    table.rawset_("n", len(values))
    return table


def maxn(t: Any = MISSING, *_: Any) -> int | float:
    table = a_table(t, 1, "maxn")
    keys = [key for key, value in table.hash_.items() if type(key) in (int, float) and value is not None]
    largest: int | float = max([len(table.array_), *keys])
    return largest


def getn(t: Any = MISSING, *_: Any) -> int:
    return len(a_table(t, 1, "getn").array_)


def foreach(t: Any = MISSING, f: Any = MISSING, *_: Any) -> Any:
    for key, value in a_table(t, 1, "foreach").pairs_():
        result = first(call(f, key, value))
        if result is not None:
            return result
    return ()


def foreachi(t: Any = MISSING, f: Any = MISSING, *_: Any) -> Any:
    table = a_table(t, 1, "foreachi")
    for at in range(1, len(table.array_) + 1):
        result = first(call(f, at, table.rawget_(at)))
        if result is not None:
            return result
    return ()


def move(
    a: Any = MISSING, f: Any = MISSING, e: Any = MISSING, t: Any = MISSING, to: Any = None, *_: Any
) -> Table:
    source = a_table(a, 1, "move")
    start, end, at = an_int(f, 2, "move"), an_int(e, 3, "move"), an_int(t, 4, "move")
    target = source if to is None else a_table(to, 5, "move")
    steps = range(end - start, -1, -1) if at > start and target is source else range(end - start + 1)
    for i in steps:
        target.rawset_(at + i, source.rawget_(start + i))
    return target


FUNCTIONS: dict[str, Any] = {
    "concat": concat,
    "foreach": foreach,
    "foreachi": foreachi,
    "getn": getn,
    "insert": insert,
    "maxn": maxn,
    "move": move,
    "pack": packed,
    "remove": remove,
    "sort": sort,
    "unpack": unpack,
}
tables = Library(FUNCTIONS)
