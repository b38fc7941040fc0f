"""A runtime as the package's own code sees it: tables are lists and dicts, strings have a character for each byte.

Most tests compare what a program computed with lists and texts. What a user of Python gets for a table or a string
has tests of its own (tests/bridge/test_value_conversion.py).
"""

from __future__ import annotations

from typing import Any

from torch7py.bridge.lua_values import LuaTable
from torch7py.bridge.runtime import Runtime

__all__ = ["InnerRuntime", "lua"]


class _InnerGlobals:
    def __init__(self, runtime: InnerRuntime) -> None:
        self._runtime = runtime
        self._users = Runtime._globals(runtime)

    def __getitem__(self, name: str) -> Any:
        found = self._users[name]
        if isinstance(found, (LuaTable, str, bytes)):
            return self._runtime.evaluate(f"return rawget(_G, '{name}')")
        return found

    def __setitem__(self, name: str, value: Any) -> None:
        self._runtime.set_global(name, value)

    def __contains__(self, name: str) -> bool:
        return name in self._users

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default


class InnerRuntime(Runtime):
    """``execute`` and ``globals`` in the terms of ``evaluate`` and ``set_global``."""

    def execute(self, source: str, name: str = "=python") -> Any:
        return self.evaluate(source, name)

    def _globals(self) -> Any:
        return _InnerGlobals(self)


def lua(text: str) -> Any:
    """Run a program in a runtime of its own, and return its results."""
    with InnerRuntime() as runtime:
        return runtime.execute(text)
