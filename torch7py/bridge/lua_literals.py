"""Python values as Lua source text, which Lua turns into tables faster than it receives single values."""

from __future__ import annotations

from typing import Any

__all__ = ["lua_literal"]

_ESCAPES = {ord(c): f"\\{ord(c):03d}" for c in '"\\\n\r\0'}


def lua_literal(value: Any) -> str:
    """The Lua expression for nested dicts, lists and tuples of strings, whole numbers and truth values.

    What is None in a dict is left out, as Lua does. Strings are Lua's: one character a byte.

    Raises:
        TypeError: there is something else in it.
    """
    if isinstance(value, dict):
        return (
            "{"
            + ",".join(f"[{lua_literal(k)}]={lua_literal(v)}" for k, v in value.items() if v is not None)
            + "}"
        )
    if isinstance(value, (list, tuple)):
        return "{" + ",".join(map(lua_literal, value)) + "}"
    if isinstance(value, str):
        return f'"{value.translate(_ESCAPES)}"'
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    raise TypeError(f"no constant: {value!r}")
