"""The compiler of the kernels: a separate LuaJIT, created for the first kernel."""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable
from importlib import resources
from typing import Any

__all__ = ["available", "kernel"]

ENGINE = "luajit21"  # its compiler has bit operations on 64 bits


@functools.cache
def available() -> bool:
    """Whether kernels can be compiled. They cannot if TORCH7PY_LUA names another engine than LuaJIT 2.1."""
    if os.environ.get("TORCH7PY_LUA", ENGINE) != ENGINE:
        return False
    try:
        importlib.import_module(f"lupa.{ENGINE}")
    except ImportError:
        return False
    return True


class Compiler:
    """A LuaJIT state and the kernels compiled in it, which have no access to Python."""

    def __init__(self) -> None:
        module = importlib.import_module(f"lupa.{ENGINE}")
        self.lua: Any = module.LuaRuntime(
            unpack_returned_tuples=True,
            register_eval=False,
            register_builtins=False,
            attribute_filter=_nothing,
        )
        # Enough for the traces of all kernels: beyond these limits LuaJIT discards all of them.
        self.lua.execute("require 'jit.opt'.start('maxtrace=4000', 'maxmcode=8192', 'maxside=400')")
        self._reading = self._load("reading", {})()
        self._kernels: dict[tuple[str, ...], Callable[..., Any]] = {}

    def kernel(self, name: str, words: dict[str, str]) -> Callable[..., Any]:
        key = (name, *words.values())
        if key not in self._kernels:
            self._kernels[key] = self._load(name, words)(self._reading)
        return self._kernels[key]

    def _load(self, name: str, words: dict[str, str]) -> Any:
        source = resources.files("torch7py.kernels").joinpath(f"{name}.lua").read_text(encoding="utf-8")
        for word, replacement in words.items():
            source = source.replace(word, replacement)
        return self.lua.compile(source, name=f"={name}.lua")


def _nothing(*arguments: Any) -> Any:
    raise AttributeError("kernels see no Python objects")


_compiler: Compiler | None = None
_abandoned: list[Compiler | None] = []


def current() -> Compiler:
    """The process's compiler."""
    global _compiler
    if _compiler is None:
        _compiler = Compiler()
    return _compiler


def kernel(name: str, **words: str) -> Callable[..., Any]:
    """The function that a ``.lua`` file returns, with words in it replaced by names of C types.

    A kernel is compiled again for other types, so that its loops see one type only.
    """
    return current().kernel(name, words)


def _forget() -> None:
    """Let a child process create a new compiler.

    The parent's may have been running in another thread, which the child does not have: it can be neither used nor
    freed.
    """
    global _compiler
    _abandoned.append(_compiler)
    _compiler = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
