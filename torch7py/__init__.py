"""Runs legacy Torch7 programs (Lua) on today's PyTorch.

Importing this package costs nothing: PyTorch and Lua are loaded when one of its names is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from torch7py.bridge.errors import LuaError, LuaSyntaxError, RuntimeClosed
    from torch7py.bridge.lua_values import LuaFunction, LuaTable
    from torch7py.bridge.runtime import Runtime
    from torch7py.files import load, save
    from torch7py.ops.errors import Torch7Error, TorchError
    from torch7py.plain_layers import detach
    from torch7py.t7.errors import T7Error
    from torch7py.t7.objects import Function as T7Function
    from torch7py.t7.objects import Object as T7Object
    from torch7py.t7.objects import Table
    from torch7py.translate.api import Translation, to_pytorch
    from torch7py.translate.errors import NotTranslated

__all__ = [
    "LuaError",
    "LuaFunction",
    "LuaSyntaxError",
    "LuaTable",
    "NotTranslated",
    "Runtime",
    "RuntimeClosed",
    "T7Error",
    "T7Function",
    "T7Object",
    "Table",
    "Torch7Error",
    "TorchError",
    "Translation",
    "__version__",
    "detach",
    "load",
    "save",
    "to_pytorch",
]

__version__ = "0.1.0"

_HOME = {
    "LuaError": ("torch7py.bridge.errors", "LuaError"),
    "LuaFunction": ("torch7py.bridge.lua_values", "LuaFunction"),
    "LuaSyntaxError": ("torch7py.bridge.errors", "LuaSyntaxError"),
    "LuaTable": ("torch7py.bridge.lua_values", "LuaTable"),
    "NotTranslated": ("torch7py.translate.errors", "NotTranslated"),
    "Runtime": ("torch7py.bridge.runtime", "Runtime"),
    "RuntimeClosed": ("torch7py.bridge.errors", "RuntimeClosed"),
    "T7Error": ("torch7py.t7.errors", "T7Error"),
    "T7Function": ("torch7py.t7.objects", "Function"),
    "T7Object": ("torch7py.t7.objects", "Object"),
    "Table": ("torch7py.t7.objects", "Table"),
    "Torch7Error": ("torch7py.ops.errors", "Torch7Error"),
    "TorchError": ("torch7py.ops.errors", "TorchError"),
    "detach": ("torch7py.plain_layers", "detach"),
    "Translation": ("torch7py.translate.api", "Translation"),
    "load": ("torch7py.files", "load"),
    "save": ("torch7py.files", "save"),
    "to_pytorch": ("torch7py.translate.api", "to_pytorch"),
}

_ROOMS = ("nn", "rnn")  # torch7py.nn.Linear, without a further import


def load_ipython_extension(shell: InteractiveShell) -> None:
    """``%load_ext torch7py`` in a notebook: ``%%lua`` and its kin (``torch7py.notebook.magics``)."""
    importlib.import_module("torch7py.notebook.magics").load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    importlib.import_module("torch7py.notebook.magics").unload(shell)


if not TYPE_CHECKING:  # else a type checker would take any name for one that exists

    def __getattr__(name: str) -> object:
        if name in _ROOMS:
            return importlib.import_module(f"torch7py.{name}")
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module, attribute = _HOME[name]
        value: object = getattr(importlib.import_module(module), attribute)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*__all__, *_ROOMS})
