"""The functions of Lua that are in no library, and ``G``, the globals."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Callable
from typing import Any

from torch7py.lua_compat import mathematics as math_module
from torch7py.lua_compat import scalars as _scalars  # noqa: F401  (what strings and numbers do in expressions)
from torch7py.lua_compat import system as system_module
from torch7py.lua_compat.arguments import MISSING, a_string, a_table, an_int, bad_argument
from torch7py.lua_compat.bits import bits, jit
from torch7py.lua_compat.coroutines import coroutines
from torch7py.lua_compat.errors import CAUGHT, LuaError, Source, callers, fail, place, thrown
from torch7py.lua_compat.loops import ipairs_values, next_value, pairs_values
from torch7py.lua_compat.numbers import read_number
from torch7py.lua_compat.operators import eq, tostring
from torch7py.lua_compat.package_loader import load_package
from torch7py.lua_compat.printing import pretty_print, print_plain, set_print_level
from torch7py.lua_compat.strings import string, string_metatable
from torch7py.lua_compat.tables import tables, unpack
from torch7py.lua_compat.values import (
    Environment,
    Globals,
    GuardedGlobals,
    Library,
    Table,
    call,
    first,
    kind_of,
    metatable,
    multi,
    type_metatables,
)

__all__ = ["G", "reset", "select", "type_metatables"]


def assert_(*values: Any) -> Any:
    if not values:
        raise bad_argument(1, "assert", "value expected")
    if values[0] is None or values[0] is False:
        message = values[1] if len(values) > 1 else "assertion failed!"
        if type(message) in (str, int, float):
            raise LuaError(place(1, sys._getframe()) + tostring(message))
        raise LuaError(message)
    return values


def error(value: Any = None, level: Any = None, *_: Any) -> Any:
    depth = 1 if level is None else an_int(level, 2, "error")
    if type(value) in (str, int, float) and depth > 0:
        value = place(depth, sys._getframe()) + tostring(value)
    raise LuaError(value)


def pcall(f: Any = MISSING, *args: Any) -> tuple[Any, ...]:
    if f is MISSING:
        raise bad_argument(1, "pcall", "value expected")
    try:
        return (True, *multi(call(f, *args)))
    except CAUGHT as caught:
        return False, thrown(caught)


def xpcall(f: Any = MISSING, handler: Any = MISSING, *args: Any) -> tuple[Any, ...]:
    try:
        return (True, *multi(call(f, *args)))
    except CAUGHT as caught:
        return (False, *multi(call(handler, thrown(caught))))


def collectgarbage(option: Any = None, *_: Any) -> Any:
    if option in (None, "collect"):
        gc.collect()
        return 0
    if option == "count":
        return sys.getallocatedblocks() * 64 / 1024
    return 0


def getmetatable(value: Any = MISSING, *_: Any) -> Any:
    if value is MISSING:
        raise bad_argument(1, "getmetatable", "value expected")
    found = metatable(value)
    if found is None:
        return None
    hidden = found.rawget_("__metatable")
    return found if hidden is None else hidden


def setmetatable(table: Any = MISSING, meta: Any = MISSING, *_: Any) -> Any:
    target = a_table(table, 1, "setmetatable")
    if meta is not None and not isinstance(meta, Table):
        got = "no value" if meta is MISSING else kind_of(meta)
        raise bad_argument(
            2,
            "setmetatable",
            f"nil or table expected, got {got}" if meta is MISSING else "nil or table expected",
        )
    if target.meta_ is not None and target.meta_.rawget_("__metatable") is not None:
        raise fail("cannot change a protected metatable")
    target.meta_ = meta
    if isinstance(target, Globals):
        target.__class__ = Globals if meta is None else GuardedGlobals
    return target


def rawequal(a: Any = MISSING, b: Any = MISSING, *_: Any) -> bool:
    return eq(a, b) if not isinstance(a, Table) else a is b


def rawget(table: Any = MISSING, key: Any = None, *_: Any) -> Any:
    return a_table(table, 1, "rawget").rawget_(key)


def rawset(table: Any = MISSING, key: Any = None, value: Any = None, *_: Any) -> Any:
    a_table(table, 1, "rawset").rawset_(key, value)
    return table


def rawlen(value: Any = MISSING, *_: Any) -> int:
    if type(value) is str:
        return len(value)
    return len(a_table(value, 1, "rawlen").array_)


def select(n: Any = MISSING, *values: Any) -> Any:
    if n == "#":
        return len(values)
    at = an_int(n, 1, "select")
    if at < 0:
        at += len(values)
        if at < 0:
            raise bad_argument(1, "select", "index out of range")
        return values[at:]
    if at == 0:
        raise bad_argument(1, "select", "index out of range")
    return values[at - 1 :]


def tonumber(value: Any = MISSING, base: Any = None, *_: Any) -> int | float | None:
    if base is None or base == 10:
        if value is MISSING:
            raise bad_argument(1, "tonumber", "value expected")
        if type(value) in (int, float):
            return value  # type: ignore[no-any-return]
        return read_number(value) if type(value) is str else None
    radix = an_int(base, 2, "tonumber")
    if not 2 <= radix <= 36:
        raise bad_argument(2, "tonumber", "base out of range")
    text = a_string(value, 1, "tonumber").strip(" \t\n\v\f\r").lower()
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isalnum()) or any(int(c, 36) >= radix for c in digits):
        return None
    number = int(digits, radix)
    return -number if text.startswith("-") else number


def to_string(value: Any = MISSING, *_: Any) -> Any:
    if value is MISSING:
        raise bad_argument(1, "tostring", "value expected")
    return tostring(value)


def type_(value: Any = MISSING, *_: Any) -> str:
    if value is MISSING:
        raise bad_argument(1, "type", "value expected")
    return kind_of(value)


def getfenv(f: Any = None, *_: Any) -> Any:
    names = getattr(f, "__globals__", {})
    found = names.get("G") if "__lua__" in names else G
    return found.table if isinstance(found, Environment) else G


def setfenv(f: Any = None, environment: Any = None, *_: Any) -> Any:
    """Other globals, for a chunk that was just made of source; any other function has those of the program."""
    if environment is G:
        return f
    names = getattr(f, "__globals__", {})
    if "__lua__" not in names or names.get("chunk") is not f:
        raise fail("setfenv: a translated function has the globals of the program")
    names["G"] = Environment(a_table(environment, 2, "setfenv"))
    return f


# Chunks of source. The translator says here how to make a function of Lua source.

compiler: list[Callable[[str, str], Callable[..., Any]]] = []
TRANSLATOR = (
    "torch7py.translate.faithful"  # which is above this: imported when a program brings source of its own
)


def compiled(source: str, name: str) -> Callable[..., Any]:
    """A function of Lua source; LuaError when it is not Lua."""
    if not compiler:
        importlib.import_module(TRANSLATOR)
    return compiler[0](source, name)


def load(source: Any = MISSING, name: Any = None, mode: Any = None, environment: Any = None, *_: Any) -> Any:
    if kind_of(source) == "function" and source is not MISSING:
        parts = []
        while True:
            part = first(call(source))
            if part is None or part == "":
                break
            parts.append(part)
        source = "".join(parts)
    text = a_string(source, 1, "load")
    try:
        chunk = compiled(text, text if name is None else a_string(name, 2, "load"))
        return chunk if environment is None else setfenv(chunk, environment)
    except LuaError as problem:
        return None, problem.value


def file_source(name: str) -> str:
    try:
        with open(name.encode("latin1"), "rb") as file:
            return file.read().decode("latin1")
    except OSError as problem:
        raise LuaError(f"cannot open {name}: {problem.strerror}") from problem


def loadfile(name: Any = MISSING, *_: Any) -> Any:
    try:
        source = file_source(a_string(name, 1, "loadfile"))
    except LuaError as problem:
        return None, problem.value
    return load(source, "@" + name)


def newproxy(argument: Any = None, *_: Any) -> Any:
    raise fail("newproxy is not translated")


def traceback(*args: Any) -> Any:
    if args and type(args[0]) is not str and args[0] is not None:
        return args[0]
    lines = [f"\n\t{found[0].shown}:{found[1]}: in function" for found in callers(sys._getframe()) if found]
    return (args[0] + "\n" if args and args[0] is not None else "") + "stack traceback:" + "".join(lines)


def getinfo(level: Any = MISSING, *_: Any) -> Any:
    """``debug.getinfo``: of a function its file, of a level of the stack file and line; nil beyond the last."""
    if callable(level) and not isinstance(level, Table):
        source = getattr(level, "__globals__", {}).get("__lua__")
        if source is None:
            return Table(
                None, {"source": "=[C]", "short_src": "[C]", "currentline": -1, "what": "C", "func": level}
            )
        return Table(None, {**_of_file(source), "currentline": -1, "what": "Lua", "func": level})
    running = callers(sys._getframe())
    next(running, None)  # getinfo itself
    for at, found in enumerate(running, 1):
        if at == an_int(level, 1, "getinfo"):
            if found is None:
                return Table(None, {"source": "=[C]", "short_src": "[C]", "currentline": -1, "what": "C"})
            return Table(None, {**_of_file(found[0]), "currentline": found[1], "what": "Lua"})
    return None


def _of_file(source: Source) -> dict[str, Any]:
    return {"source": "@" + source.file, "short_src": source.shown}


def _not_here(name: str) -> Callable[..., Any]:
    def refuse(*_: Any) -> Any:
        raise fail(f"debug.{name}: a translated function's variables are Python's")

    return refuse


def _debug_setmetatable(value: Any = None, meta: Any = None, *_: Any) -> Any:
    if isinstance(value, Table):
        value.meta_ = meta
    elif meta is None:
        type_metatables.pop(kind_of(value), None)
    else:
        type_metatables[kind_of(value)] = meta
    return value


def _debug_getmetatable(value: Any = None, *_: Any) -> Any:
    return metatable(value)


registry = Table()
debug = Library(
    {
        "getinfo": getinfo,
        "getregistry": lambda *_: registry,
        **{
            name: _not_here(name)
            for name in ("getlocal", "getupvalue", "setlocal", "setupvalue", "upvalueid")
        },
        "getmetatable": _debug_getmetatable,
        "setmetatable": _debug_setmetatable,
        "traceback": traceback,
    }
)
package = Library(
    {
        "loaded": Table(),
        "preload": Table(),
        "path": "./?.lua;./?/init.lua",
        "cpath": "",
        "config": "/\n;\n?\n!\n-\n",
    }
)


def _later(name: str) -> Callable[[], None]:
    """How a global is made that th has from the start, and that costs time to make."""

    def make() -> None:
        load_package(name)

    return make


settings: dict[str, Any] = {"rnn_api": None, "seed": None}
"""Of the program as a whole: the generation of rnn and nn (2015 or 2016), and the seed of torch's random stream."""
resetters: list[Callable[[], None]] = []
"""What has to be done besides when a new program begins."""

FUNCTIONS: dict[str, Any] = {
    "assert": assert_,
    "bit": bits,
    "collectgarbage": collectgarbage,
    "gcinfo": lambda *_: collectgarbage("count"),
    "jit": jit,
    "coroutine": coroutines,
    "debug": debug,
    "error": error,
    "getfenv": getfenv,
    "getmetatable": getmetatable,
    "io": system_module.files,
    "ipairs": ipairs_values,
    "load": load,
    "loadfile": loadfile,
    "loadstring": load,
    "math": math_module.mathematics,
    "newproxy": newproxy,
    "next": next_value,
    "os": system_module.system,
    "package": package,
    "pairs": pairs_values,
    "pcall": pcall,
    "print": pretty_print,
    "print_new": pretty_print,
    "print_old": print_plain,
    "rawequal": rawequal,
    "rawget": rawget,
    "rawlen": rawlen,
    "rawset": rawset,
    "select": select,
    "setfenv": setfenv,
    "setmetatable": setmetatable,
    "setprintlevel": set_print_level,
    "string": string,
    "table": tables,
    "tonumber": tonumber,
    "tostring": to_string,
    "type": type_,
    "unpack": unpack,
    "xpcall": xpcall,
    "_VERSION": "Lua 5.1",
}
G = Globals()
_LIBRARIES = [value for value in FUNCTIONS.values() if isinstance(value, Library)]
_FIRST = [(library, dict(library.__dict__)) for library in _LIBRARIES]


def reset() -> None:
    """The globals, the libraries and math.random as a program finds them."""
    G.__class__ = Globals
    for library, fields in _FIRST:
        library.__dict__.clear()
        library.__dict__.update({k: v for k, v in fields.items() if k != "hash_"})
        library.meta_ = None
    loaded, preload = Table(), Table()
    package.__dict__.update(loaded=loaded, preload=preload)
    G.__dict__.clear()
    G.__dict__.update(FUNCTIONS, _G=G)
    G.add_later({name: _later(name) for name in ("torch", "paths", "sys", "xlua", "pl")})
    G.meta_ = None
    for name in ("string", "table", "math", "io", "os", "coroutine", "debug", "package", "_G"):
        loaded.rawset_(name, G.__dict__[name])
    type_metatables.clear()
    string_metatable.array_.clear()
    string_metatable.hash_.clear()
    string_metatable.hash_["__index"] = string
    math_module.reset()
    system_module.reset()
    set_print_level(5)
    settings.update(rnn_api=None, seed=None)
    for resetter in resetters:
        resetter()


reset()
