"""Runs legacy Torch7 programs (Lua) on today's PyTorch.

Importing this package costs nothing: PyTorch and Lua are loaded when one of its names is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch7py.bridge.errors import LuaError
    from torch7py.bridge.runtime import Runtime

__all__ = ["LuaError", "Runtime", "__version__"]

__version__ = "0.1.0"

_HOME = {
    "LuaError": "torch7py.bridge.errors",
    "Runtime": "torch7py.bridge.runtime",
}


if not TYPE_CHECKING:  # else a type checker would take any name for one that exists

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value: object = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *_HOME})
