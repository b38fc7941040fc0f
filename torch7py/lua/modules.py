"""Translated files as modules: where ``require`` finds them, and how a program is started."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from typing import Any

from torch7py.lua.basic import G
from torch7py.lua.errors import CAUGHT, thrown
from torch7py.lua.operators import tostring
from torch7py.lua.system import Exit
from torch7py.lua.values import Table

__all__ = ["find_chunk", "main"]

DEPTH = 20_000
"""Calls within calls that a program may have, about as many as LuaJIT allows."""


def find_chunk(name: str, path: str, load: Callable[..., Any]) -> Any:
    """The chunk of a local module: of ``a/b.py``, translated before, or of ``a/b.lua``; None when neither is there."""
    for template in path.split(";"):
        file = template.replace("?", name.replace(".", "/"))
        translated = file.removesuffix(".lua") + ".py"
        if os.path.isfile(translated):
            spec = importlib.util.spec_from_file_location(name, translated)
            if spec is not None and spec.loader is not None:
                module = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(module)
                if hasattr(module, "chunk"):
                    return module.chunk
        if os.path.isfile(file):
            with open(file, "rb") as opened:
                return load(opened.read().decode("latin1"), "@" + file)
    return None


def main(chunk: Callable[..., Any], file: str) -> None:
    """Run a translated program with the arguments of the command line; ends the process."""
    arguments = [os.fsencode(argument).decode("latin1") for argument in sys.argv[1:]]
    G.rawset_("arg", Table(list(arguments), {0: file}))
    sys.setrecursionlimit(max(DEPTH, sys.getrecursionlimit()))
    code = 0
    try:
        chunk(*arguments)
    except Exit as leaving:
        code = leaving.code
    except CAUGHT as error:
        sys.stdout.flush()
        value = thrown(error)
        print(value if type(value) is str else tostring(value), file=sys.stderr)
        code = 1
    sys.stdout.flush()
    sys.exit(code)
