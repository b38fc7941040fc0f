"""Tables as text in JSON, as cjson writes them."""

from __future__ import annotations

import json
from typing import Any

from torch7py.translate.page_library.values import NotInPage, type_of


class Null:
    """``cjson.null``, which is not nil: it is true, and it stands in tables."""

    type_in_lua = "userdata"

    def __str__(self) -> str:
        return "userdata: NULL"


NULL = Null()


def to_json(value: Any) -> str:
    """``cjson.encode(value)``; the order of keys is another, and numbers have all their digits."""
    return json.dumps(_in_json(value), separators=(",", ":"), allow_nan=False)


def from_json(text: Any) -> Any:
    """``cjson.decode(text)``"""
    return _with_nulls(json.loads(text))


def _with_nulls(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_nulls(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _with_nulls(entry) for key, entry in value.items()}
    return NULL if value is None else value


def _in_json(value: Any) -> Any:
    if isinstance(value, (list, tuple)) and value:
        return [_in_json(entry) for entry in value]
    if isinstance(value, (list, tuple)):
        return {}  # as any table without entries
    if isinstance(value, dict):
        return _table_in_json(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)  # as Lua writes it
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if value is NULL:
        return None
    raise TypeError(f"JSON of a {type_of(value)}")


def _table_in_json(table: dict[Any, Any]) -> Any:
    """An array where all keys are places, few of them empty; an object otherwise."""
    places = [
        key for key, _ in table.items() if isinstance(key, (int, float)) and key > 0 and key == int(key)
    ]
    if table and len(places) == len(table):
        last = int(max(places))
        if last > 10 and last > 2 * len(table):
            raise NotInPage("JSON of an array most of whose places are empty")
        return [_in_json(table.get(place)) for place in range(1, last + 1)]
    return {str(key): _in_json(entry) for key, entry in table.items()}
