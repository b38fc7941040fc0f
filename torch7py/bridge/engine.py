"""The choice of a Lua engine among those of lupa, and the creation of a Lua state."""

from __future__ import annotations

import importlib
import os
from importlib import resources
from typing import Any

from torch7py.ops.errors import TorchError
from torch7py.packages.registry import package_source

__all__ = ["ENGINES", "TITLES", "as_object", "chunk_source", "engine_name", "new_lua"]

# In order of preference: LuaJIT 2.1 has FFI and the better compiler; macOS wheels carry plain Lua 5.1 alone.
ENGINES = ("luajit21", "luajit20", "lua51")
TITLES = {"luajit21": "LuaJIT 2.1", "luajit20": "LuaJIT 2.0", "lua51": "Lua 5.1"}


def engine_name() -> str:
    """The engine to use: ``TORCH7PY_LUA`` if set, else the first that this lupa was built with."""
    wanted = os.environ.get("TORCH7PY_LUA")
    if wanted:
        if wanted not in ENGINES:
            raise TorchError(f"TORCH7PY_LUA={wanted}: choose one of {', '.join(ENGINES)}")
        return wanted
    for name in ENGINES:
        try:
            importlib.import_module(f"lupa.{name}")
        except ImportError:
            continue
        return name
    raise TorchError("this build of lupa has no Lua 5.1 engine (LuaJIT or lua51)")


def _no_attributes(*args: Any) -> Any:
    raise AttributeError("Python objects have no attributes in Lua")


def new_lua(name: str) -> Any:
    """Create a Lua state that can reach no Python object except those passed to it."""
    module = importlib.import_module(f"lupa.{name}")
    lua = module.LuaRuntime(
        unpack_returned_tuples=True,
        encoding="latin1",  # Lua strings are bytes: each becomes one character, whatever it is
        source_encoding="latin1",
        register_eval=False,
        register_builtins=False,
        attribute_handlers=(_no_attributes, _no_attributes),
    )
    lua.execute("python, package.loaded.python = nil")  # lupa's functions hold Lua values longer than Lua may
    return lua


def as_object(name: str, value: Any) -> Any:
    """Wrap a number so that Lua keeps and returns it unchanged instead of converting it."""
    return importlib.import_module(f"lupa.{name}").as_attrgetter(value)


def chunk_source(name: str) -> str:
    """The text of one of the bridge's own ``.lua`` files, or of a package's (``the.module/file.lua``)."""
    if "/" in name:
        return package_source(name)
    return resources.files("torch7py.bridge").joinpath("lua").joinpath(name).read_text(encoding="utf-8")
