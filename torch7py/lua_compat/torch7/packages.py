"""Packages of a translated program: classes and functions appear when their package is required.

The Lua files of a package are translated when they are needed, as a program's own files are.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import FrameType
from typing import Any

import torch

from torch7py.lua_compat import basic
from torch7py.lua_compat.basic import G
from torch7py.lua_compat.coroutines import preparations
from torch7py.lua_compat.errors import LuaError, Source, fail
from torch7py.lua_compat.modules import here
from torch7py.lua_compat.strings import string
from torch7py.lua_compat.torch7 import classes, library, module_definitions, modules, objects
from torch7py.lua_compat.torch7.calls import raised
from torch7py.lua_compat.torch7.elements import Behind
from torch7py.lua_compat.torch7.marshalling import ScriptTable, refresh, result_to_lua, to_lua, to_python
from torch7py.lua_compat.torch7.module_record import by_number, is_module
from torch7py.lua_compat.values import Library, Table, call, first, index
from torch7py.nn.binding import describe, virtual_methods
from torch7py.ops import state
from torch7py.ops.dispatch.file_names import from_file_name, to_file_name
from torch7py.ops.dispatch.python import adapt, fields_of
from torch7py.ops.errors import TorchError
from torch7py.packages.registry import Package, chunk_name, package_source, packages
from torch7py.packages.table_objects import bound

__all__ = ["load", "reset"]

_loaded: dict[str, Any] = {}  # what `require` gives


_entered: list[tuple[AbstractContextManager[Any], bool]] = []


def _print(*values: Any) -> None:
    """The program's ``print`` as it is now."""
    call(G.rawget_("print"), *map(to_lua, values))


def _enter() -> None:
    """The conditions under which a program runs: a State of its own, no autograd."""
    if not _entered:
        made = state.State(prints=_print)
        if basic.settings["seed"] is not None:
            made.generator.manual_seed(basic.settings["seed"])
        scope = state.use(made)
        scope.__enter__()
        _entered.append((scope, torch.is_grad_enabled()))
        torch.set_grad_enabled(False)


def reset() -> None:
    while _entered:
        scope, before = _entered.pop()
        scope.__exit__(None, None, None)
        torch.set_grad_enabled(before)
    _loaded.clear()
    classes.reset()
    modules.reset()


# What the packages' Lua parts are given


def _position(*_: Any) -> str:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        source = frame.f_globals.get("__lua__")
        if isinstance(source, Source) and not source.is_ours:
            return f"{source.shown}:{source.line(frame.f_lineno)}: "
        frame = frame.f_back
    return ""


def _fail(form: Any = "", *values: Any) -> Any:
    """Raise an error as if the program's line had raised it."""
    text = first(string.format(form, *values)) if values else form
    raise LuaError(_position() + text)


def _here(level: Any = 2, *_: Any) -> str | None:
    """The file of the program's function that called, as a package's own function (level 1) asks."""
    return here(max(int(level) - 1, 1))


class _Numbers(Table):
    """``handle_of``: numbers for layers."""

    def rawget_(self, key: Any) -> Any:
        return modules.record_of(key).number if is_module(key) and key.extra_ is not None else None


class _Layers(Table):
    """``stand_in``: the layer of a number."""

    def rawget_(self, key: Any) -> Any:
        return by_number.get(key)


def _setting(name: Any = None, *_: Any) -> Any:
    current = state.current()
    return current.default_type.name if name == "default_type" else current.generation


def _walk(m: Any = None, *_: Any) -> Any:
    modules.walk(m)
    return ()


def _adopt(m: Any = None, *_: Any) -> Any:
    modules.adopt(m)
    return ()


def _core() -> Table:
    return Table(
        None,
        {
            "fail": _fail,
            "position": _position,
            "sources": Table(None, {"here": _here}),
            "handle_of": _Numbers(),
            "stand_in": _Layers(),
            "behind": Behind(),
        },
    )


def _module() -> Table:
    return Table(
        None,
        {
            "redefine": module_definitions.redefine,
            "heirs": module_definitions.heirs,
            "watch": module_definitions.watch,
            "walk": _walk,
            "adopt": _adopt,
        },
    )


def _files_of(folder: str) -> Callable[..., Any]:
    """The Lua files of a package by their names in its folder, those of others by ``the.module/file.lua``."""

    def chunk(name: Any = None, *_: Any) -> Callable[..., Any]:
        path = name if "/" in name else f"{folder}/{name}"
        return basic.compiled(package_source(path), chunk_name(path))

    return chunk


def _run_chunk(package: Package, table: Table) -> Any:
    host = Table(None, {"setting": _setting})
    chunk = _files_of(package.module)
    return chunk(package.chunk)(_core(), host, table, chunk, _module())


# Functions and classes


def _function(package: Package, short: str) -> Callable[..., Any]:
    """The function ``package.name``. Tables among its arguments are afterwards as Python leaves them."""
    python = package.functions[short]
    run = adapt(python, f"{package.name}.{short}")
    stay = frozenset(fields_of(python))
    of_names = short in package.filenames

    def function(*arguments: Any) -> Any:
        return _call(run, stay, arguments, of_names)

    function.__name__ = function.__qualname__ = short
    return function


def _call(
    run: Callable[[list[Any]], Any], stay: frozenset[int], arguments: tuple[Any, ...], of_names: bool = False
) -> Any:
    values: list[Any] = []
    tables: list[Table] = []
    for at, value in enumerate(arguments, 1):
        if isinstance(value, Table) and at in stay and not is_module(value):
            values.append(ScriptTable(value))
            continue
        if isinstance(value, Table) and not is_module(value):
            tables.append(value)
        values.append(to_python(value))
    if of_names:
        values = [to_file_name(value) for value in values]
    try:
        result = run(values)
    except Exception as error:
        raise raised(error) from error
    for table in tables:
        refresh(table)
    return result_to_lua(from_file_name(result) if of_names else result)


def _record(package: Package, name: str) -> None:
    """A class of which Python has the methods and the program the objects, which are tables."""
    record = package.records[name]
    c = first(classes.define(f"{package.name}.{name}"))
    cls = bound(record.cls)
    for lua_name, python_name in record.methods.items():
        c.rawset_(
            lua_name, _record_method(cls, f"{package.name}.{name}", lua_name, getattr(cls, python_name))
        )


def _record_method(cls: type, label: str, name: str, python: Callable[..., Any]) -> Callable[..., Any]:
    shown = label if name == "__init" else f"{label}:{name}"
    run = adapt(python, shown, bound=1)
    stay = frozenset(fields_of(python))

    def method(table: Any = None, *arguments: Any) -> Any:
        if not isinstance(table, Table):
            raise fail(f"{shown}: called without an object (with . in place of :?)")
        obj: Any = object.__new__(cls)
        object.__setattr__(obj, "_fields", ScriptTable(table))

        def call_it(values: list[Any]) -> Any:
            result = run([obj, *values])
            return ScriptTable(table) if result is obj else result

        return _call(call_it, frozenset(n - 1 for n in stay), arguments)

    method.__name__ = method.__qualname__ = name
    return method


# Loading


def load(name: str) -> Any:
    """What ``require`` gives of a package, its table mostly, made on the first call; None when there is none."""
    if name in _loaded:
        return _loaded[name]
    try:
        package = packages.get(name)
    except TorchError as error:
        raise fail(str(error)) from None
    if package is None:
        return None
    _enter()
    for required in package.requires:
        if load(required) is None:
            raise fail(f"package '{name}' requires '{required}', which is not there")
    package.load()
    if package.start is not None:
        try:
            package.start()
        except TorchError as error:
            raise fail(str(error)) from None
    if name in ("nn", "rnn") and state.current().generation is None:
        state.current().generation = basic.settings["rnn_api"] or 2016
    table = _table(name, package)
    _loaded[name] = table
    loaded = index(G.package, "loaded")
    if loaded.rawget_(name) is None:
        loaded.rawset_(name, table)
    _add_classes(name)
    objects.publish(name, table)
    for short in package.functions:
        table.rawset_(short, _function(package, short))
    for short in package.records:
        _record(package, short)
    if package.chunk is not None:
        made = first(_run_chunk(package, table))
        if made is not None:
            if loaded.rawget_(name) is table:
                loaded.rawset_(name, made)
            _loaded[name] = made
            return made
    if name == "torch":
        _complete_torch(table)
    return table


def _table(name: str, package: Package) -> Table:
    present = G.__dict__.get(name) if package.makes_global else None
    if isinstance(present, Table):
        return present
    made = library.make() if name == "torch" else Library()
    if package.makes_global:
        G.rawset_(name, made)
    return made


def _add_classes(name: str) -> None:
    found, additions = describe(name, set(_loaded) - {name})
    virtual = virtual_methods() if found else []
    for description in found:
        module_definitions.define(description, virtual)
    for key, class_name, methods in additions:
        module_definitions.extend(key, class_name, methods)


def _complete_torch(table: Table) -> None:
    """CmdLine and Tester, translated when a program first asks for one."""
    config = Table(None, {"colors": False})
    chunk = _files_of(packages["torch"].module)

    @functools.cache
    def add_tester() -> None:
        host = Table(None, {"setting": _setting})
        chunk("tester.lua")(_core(), config, table, chunk, host)

    def add_cmdline() -> None:
        chunk("cmdline.lua")(_core(), Table(), table)

    assert isinstance(table, Library)
    table.add_later({"CmdLine": add_cmdline, "Tester": add_tester, "TestSuite": add_tester})


def _without_autograd() -> None:
    torch.set_grad_enabled(False)


basic.resetters.append(reset)
preparations[:] = [_without_autograd]
modules.load_package[:] = [load]
