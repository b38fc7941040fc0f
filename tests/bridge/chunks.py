"""The bridge's Lua chunks on bare engines: what a chunk does by itself, on every Lua that lupa carries."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest

from torch7py.bridge.engine import ENGINES, chunk_source, new_lua
from torch7py.packages.registry import chunk_name

__all__ = ["Engine", "engines"]

engines = [
    pytest.param(
        name,
        marks=pytest.mark.skipif(
            not importlib.util.find_spec(f"lupa.{name}"), reason=f"this lupa has no {name}"
        ),
    )
    for name in ENGINES
]


class Engine:
    """A Lua state in which chunks are run one by one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.jit = name != "lua51"
        self.lua = new_lua(name)
        self._load = self.lua.execute(
            "local load, assert = loadstring, assert return function(s, n) return assert(load(s, n)) end"
        )

    def chunk(self, name: str, *arguments: Any) -> Any:
        """Run one of the bridge's chunks; what it returns."""
        return self._load(chunk_source(name), chunk_name(name))(*arguments)

    def run(self, source: str, *arguments: Any) -> Any:
        """Run Lua source under the name ``test.lua``."""
        return self._load(source, "@test.lua")(*arguments)

    def rows(self, source: str, *arguments: Any) -> list[Any]:
        """Run Lua source that returns an array; its values as a list."""
        table = self.run(source, *arguments)
        return [table[i] for i in range(1, len(table) + 1)]
