"""Functions of Penlight's on tables, directories, paths and texts."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

from torch7py.translate.page_library.text import text_function_all
from torch7py.translate.page_library.values import index, items_of, pairs, store


def insert_values(table: Any, *args: Any) -> Any:
    """``tablex.insertvalues(table, [place,] values)``"""
    at, values = args if len(args) > 1 else (len(items_of(table)) + 1, args[0])
    behind = items_of(table)[int(at) - 1 :]
    for place, value in enumerate([*items_of(values), *behind], int(at)):
        store(table, place, value)
    return table


def update_table(table: Any, other: Any) -> Any:
    """``tablex.update(table, other)``"""
    for key, value in pairs(other):
        store(table, key, value)
    return table


def copy_table(table: Any) -> Any:
    """``tablex.copy(table)``"""
    return list(table) if isinstance(table, (list, tuple)) else dict(pairs(table))


def merge_tables(table: Any, other: Any, every: Any = None) -> Any:
    """``tablex.merge(table, other[, every])``: what both have, or with ``every`` what either has."""
    kept = {key: value for key, value in pairs(table) if every or index(other, key) is not None}
    return update_table(kept, other) if every else kept


def place_from(table: Any, place: Any) -> int:
    """A place that may be counted from the end."""
    return int(place) if place >= 0 else len(items_of(table)) + int(place) + 1


def first_place(table: Any, value: Any, first: Any = 1) -> Any:
    """``tablex.find(table, value[, first])``: the first place of a value."""
    items = items_of(table)
    places = range(place_from(table, first or 1), len(items) + 1)
    return next((place for place in places if are_equal_values(items[place - 1], value)), None)


def are_equal_values(one: Any, other: Any) -> bool:
    """``one == other``: texts, numbers and truth values by what they are, others by which they are."""
    if isinstance(one, (str, int, float)) and isinstance(other, (str, int, float)):
        return isinstance(one, bool) is isinstance(other, bool) and one == other
    return one is other


def have_same_items(one: Any, other: Any) -> bool:
    """``tablex.compare_no_order(one, other)``"""
    left = items_of(other)
    for item in items_of(one):
        at = next(
            (number for number, candidate in enumerate(left) if are_equal_values(item, candidate)), None
        )
        if at is None:
            return False
        del left[at]
    return not left


def part_of(table: Any, first: Any = None, last: Any = None) -> list[Any]:
    """``tablex.sub(table[, first[, last]])``"""
    items = items_of(table)
    begin, end = place_from(table, first or 1), place_from(table, last or len(items))
    return items[max(begin, 1) - 1 : end]


def entries_in(accepts: Callable[[str], bool], directory: Any = ".", mask: Any = None) -> list[str]:
    """``dir.getfiles([directory[, mask]])`` and ``dir.getdirectories``: full names, in their order."""
    names = [os.path.join(directory, name) for name in sorted(os.listdir(directory))]
    return [name for name in names if accepts(name) and fits(os.path.basename(name), mask)]


def fits(name: str, mask: Any) -> bool:
    """Whether a name fits a mask with ``*`` and ``?``."""
    pattern = "" if mask is None else re.escape(mask).replace(r"\*", ".*").replace(r"\?", ".")
    return mask is None or re.fullmatch(pattern, name, re.DOTALL) is not None


def make_path(name: str) -> bool:
    """``dir.makepath(name)``"""
    os.makedirs(name, exist_ok=True)
    return True


def pieces_of(text: str, pattern: Any = None, plain: Any = None, count: Any = None) -> list[str]:
    """``utils.split(text[, pattern[, plain[, count]]])``"""
    pieces, at = [], 1
    while pattern != "":
        places: Any = text_function_all("find", text, pattern or "%s+", at, plain)
        if places[0] is None:
            break
        first, last = places[:2]
        pieces.append(text[at - 1 : first - 1])
        if count and len(pieces) == count:
            return [*pieces[:-1], text[at - 1 :]]
        at = last + 1
    pieces += [text[at - 1 :]] if at <= len(text) else []
    return [] if pieces == [""] and pattern != "" else pieces


PENLIGHT: dict[str, Callable[..., Any]] = {
    "dir.getdirectories": partial(entries_in, os.path.isdir),
    "dir.getfiles": partial(entries_in, os.path.isfile),
    "dir.makepath": make_path,
    "path.extension": lambda name: extension_of(name)[1],
    "path.splitext": lambda name: extension_of(name),
    "tablex.compare_no_order": have_same_items,
    "tablex.copy": copy_table,
    "tablex.deepcopy": copy.deepcopy,
    "tablex.find": first_place,
    "tablex.insertvalues": insert_values,
    "tablex.keys": lambda table: [key for key, _ in pairs(table)],
    "tablex.merge": merge_tables,
    "tablex.size": lambda table: sum(1 for _ in pairs(table)),
    "tablex.sub": part_of,
    "tablex.update": update_table,
    "tablex.values": lambda table: [value for _, value in pairs(table)],
    "utils.escape": lambda text: re.sub(r"[-.+\[\]()$^%?*]", r"%\g<0>", text),
    "utils.split": pieces_of,
}


def extension_of(name: str) -> tuple[str, str]:
    """A name without its last dot and what follows, and that."""
    match = re.fullmatch(r"(.*)(\.[^./]*)", name, re.DOTALL)
    return (name, "") if match is None else (match[1], match[2])


def penlight_all(name: str, *args: Any) -> tuple[Any, ...]:
    """All values of a function of Penlight's."""
    result = PENLIGHT[name](*args)
    return result if type(result) is tuple else (result,)


def penlight(name: str, *args: Any) -> Any:
    """The first value of a function of Penlight's."""
    return (*penlight_all(name, *args), None)[0]


def penlight_module(name: str) -> SimpleNamespace:
    """What ``require 'pl.name'`` gives."""
    names = [full.partition(".")[2] for full in PENLIGHT if full.startswith(f"{name}.")]
    return SimpleNamespace(**{last: partial(penlight, f"{name}.{last}") for last in names})
