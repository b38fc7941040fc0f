"""Functions of Penlight's on tables, directories, paths and texts."""

from __future__ import annotations

import copy
import fnmatch
import functools
import os
import re
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

from torch7py.translate.page_library.metatables import LuaTable
from torch7py.translate.page_library.text import text_function_all
from torch7py.translate.page_library.values import (
    NotInPage,
    add,
    call,
    divide,
    index,
    items_of,
    length,
    listed,
    multiply,
    pairs,
    remove,
    store,
    subtract,
    text_of,
    write_values,
)


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


def of_argument(function: Any) -> Any:
    """What Penlight calls: a function, or the operator that a text names."""
    if not isinstance(function, str):
        return function
    if function not in OPERATORS:
        raise NotInPage(f"the operator {function!r} as a function")
    return OPERATORS[function]


OPERATORS: dict[str, Callable[..., Any]] = {
    "*": multiply,
    "+": add,
    "-": subtract,
    "..": lambda one, other: f"{text_of(one)}{text_of(other)}",
    "/": divide,
    "<": lambda one, other: one < other,
    "==": are_equal_values,
    ">": lambda one, other: one > other,
}


def mapped(function: Any, table: Any, *args: Any) -> Any:
    """``tablex.map(function, table, ...)``: what it gives for each value, under the same keys."""
    results = {key: call(of_argument(function), value, *args) for key, value in pairs(table)}
    return listed({key: value for key, value in results.items() if value is not None})


def reduced(function: Any, table: Any, first: Any = None) -> Any:
    """``tablex.reduce(function, table[, first])``"""
    items = items_of(table) if first is None else [first, *items_of(table)]
    return (
        functools.reduce(lambda one, other: call(of_argument(function), one, other), items) if items else None
    )


def filtered(table: Any, accepts: Any, *args: Any) -> list[Any]:
    """``tablex.filter(table, accepts, ...)``"""
    results = [(item, call(of_argument(accepts), item, *args)) for item in items_of(table)]
    return [item for item, result in results if result is not None and result is not False]


def for_each(table: Any, function: Any, *args: Any) -> None:
    """``tablex.foreach(table, function, ...)``, which is given each value with its key."""
    for key, value in pairs(table):
        call(function, value, key, *args)


def lines_of_text(text: str, keeps_ends: Any = None) -> list[str]:
    """``stringx.splitlines(text[, keep])``"""
    lines = re.findall(r"([^\r\n]*)(\r\n|\r|\n|$)", text)
    return [line + end if keeps_ends else line for line, end in lines if line or end]


def all_files(root: Any = None, mask: Any = None) -> list[str]:
    """``dir.getallfiles(root, mask)``: the files in a directory and in those below it, whose names fit."""
    files: list[str] = []
    for at, _, names in os.walk(root or "."):
        files += [os.path.join(at, name) for name in names if mask is None or fnmatch.fnmatchcase(name, mask)]
    return files


def changed_at(name: str) -> Any:
    """``path.getmtime(name)``, in seconds."""
    if not os.path.exists(name):
        raise NotInPage(f"the time of {name}, which is not there")
    return int(os.path.getmtime(name))


PENLIGHT: dict[str, Callable[..., Any]] = {
    "dir.getdirectories": partial(entries_in, os.path.isdir),
    "dir.getfiles": partial(entries_in, os.path.isfile),
    "dir.makepath": make_path,
    "dir.getallfiles": all_files,
    "path.extension": lambda name: extension_of(name)[1],
    "path.getmtime": changed_at,
    "path.splitext": lambda name: extension_of(name),
    "stringx.import": lambda: None,  # methods of texts are there in any case
    "stringx.lines": lambda text: iter(text.removesuffix("\n").split("\n")),
    "stringx.splitlines": lines_of_text,
    "tablex.compare_no_order": have_same_items,
    "tablex.copy": copy_table,
    "tablex.deepcopy": copy.deepcopy,
    "tablex.filter": filtered,
    "tablex.find": first_place,
    "tablex.foreach": for_each,
    "tablex.index_map": lambda table: {value: place for place, value in enumerate(items_of(table), 1)},
    "tablex.insertvalues": insert_values,
    "tablex.keys": lambda table: [key for key, _ in pairs(table)],
    "tablex.makeset": lambda table: dict.fromkeys(items_of(table), True),
    "tablex.map": mapped,
    "tablex.merge": merge_tables,
    "tablex.reduce": reduced,
    "tablex.size": lambda table: sum(1 for _ in pairs(table)),
    "tablex.sub": part_of,
    "tablex.update": update_table,
    "tablex.values": lambda table: [value for _, value in pairs(table)],
    "utils.escape": lambda text: re.sub(r"[-.+\[\]()$^%?*]", r"%\g<0>", text),
    "utils.printf": lambda form, *args: write_values(*text_function_all("format", form, *args)) and None,
    "utils.split": pieces_of,
}


def extension_of(name: str) -> tuple[str, str]:
    """A name without its last dot and what follows, and that."""
    match = re.fullmatch(r"(.*)(\.[^./]*)", name, re.DOTALL)
    return (name, "") if match is None else (match[1], match[2])


def penlight_all(name: str, *args: Any) -> tuple[Any, ...]:
    """All values of a function of Penlight's."""
    of_lists = name.startswith("List.")  # whose methods take any table
    result = LIST_METHODS[name.removeprefix("List.")](*args) if of_lists else PENLIGHT[name](*args)
    return result if type(result) is tuple else (result,)


def penlight(name: str, *args: Any) -> Any:
    """The first value of a function of Penlight's."""
    return (*penlight_all(name, *args), None)[0]


def penlight_module(name: str) -> SimpleNamespace:
    """What ``require 'pl.name'`` gives."""
    names = [full.partition(".")[2] for full in PENLIGHT if full.startswith(f"{name}.")]
    return SimpleNamespace(**{last: partial(penlight, f"{name}.{last}") for last in names})


def new_list(table: Any = None) -> LuaTable:
    """``List(table)``: a table with these items, and the methods of ``pl.List``."""
    result = LuaTable(enumerate([] if table is None else items_of(table), 1))
    result.meta = {"__index": LIST_METHODS, "__tostring": lambda self: f"{{{self.get('join')(self, ',')}}}"}
    return result


def with_items(table: Any, items: list[Any]) -> Any:
    """The same list with other items."""
    for place in range(max(len(items), length(table)), 0, -1):
        store(table, place, items[place - 1] if place <= len(items) else None)
    return table


def without_value(table: Any, value: Any) -> Any:
    place = first_place(table, value)
    items = items_of(table)
    return table if place is None else with_items(table, items[: place - 1] + items[place:])


def in_order(table: Any, before: Any = None) -> list[Any]:
    """The items as ``table.sort`` leaves them, by an order that tells all of them apart."""
    earlier = (lambda one, other: one < other) if before is None else of_argument(before)
    compared = functools.cmp_to_key(lambda one, other: -1 if call(earlier, one, other) else 1)
    return sorted(items_of(table), key=compared)


LIST_METHODS: dict[str, Callable[..., Any]] = {
    "append": lambda table, value: with_items(table, [*items_of(table), value]),
    "clear": lambda table: with_items(table, []),
    "clone": lambda table: new_list(table),
    "contains": lambda table, value: first_place(table, value) is not None,
    "count": lambda table, value: sum(are_equal_values(item, value) for item in items_of(table)),
    "extend": lambda table, other: with_items(table, [*items_of(table), *items_of(other)]),
    "filter": lambda table, accepts, *args: new_list(filtered(table, accepts, *args)),
    "foreach": lambda table, function, *args: for_each(new_list(table), function, *args),
    "index": first_place,
    "insert": lambda table, place, value: with_items(
        table, [*items_of(table)[: int(place) - 1], value, *items_of(table)[int(place) - 1 :]]
    ),
    "iter": lambda table: iter(items_of(table)),
    "join": lambda table, mark="": (mark or "").join(map(text_of, items_of(table))),
    "len": lambda table: length(table),
    "map": lambda table, function, *args: new_list(mapped(function, items_of(table), *args)),
    "pop": lambda table, *place: remove(table, *place),
    "reduce": lambda table, function, *first: reduced(function, table, *first),
    "remove": lambda table, place: (remove(table, place), table)[1],
    "remove_value": without_value,
    "reverse": lambda table: with_items(table, items_of(table)[::-1]),
    "slice": lambda table, *ends: new_list(part_of(table, *ends)),
    "sort": lambda table, *before: with_items(table, in_order(table, *before)),
    "sorted": lambda table, *before: new_list(in_order(table, *before)),
}


def list_class() -> LuaTable:
    """``pl.List``, which is called, or has ``new`` called."""
    made = LuaTable(new=new_list)
    made.meta = {"__call": lambda _, table=None: new_list(table)}
    return made


LIST = list_class()
