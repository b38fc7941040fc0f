"""A whole translated file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType
from typing import Any

from torch7py import lua_compat
from torch7py.bridge.generation import LATER, generation_of
from torch7py.lua_compat import basic
from torch7py.translate import tree
from torch7py.translate.checked_code import checked_tree, compiled
from torch7py.translate.errors import NotTranslated
from torch7py.translate.faithful.code import Code, Line
from torch7py.translate.faithful.expressions import Expressions
from torch7py.translate.faithful.format import bare, finish
from torch7py.translate.faithful.functions import FunctionWriter
from torch7py.translate.faithful.names import Names
from torch7py.translate.faithful.statements import WRITERS
from torch7py.translate.faithful.writing import FunctionWriting, PageWriting
from torch7py.translate.parse import LuaSyntaxError, parse
from torch7py.translate.quoting import chunk_name
from torch7py.translate.scopes import Scope, Scopes
from torch7py.translate.tree import Block

__all__ = ["Page", "Writer", "compile_chunk", "translate_faithful"]


@dataclass
class Page:
    """The Python source of a Lua file, and how many of its statements were translated."""

    text: str
    statements: int
    failures: list[NotTranslated] = field(default_factory=list)
    rnn_api: int | None = None


class Writer(PageWriting):
    """The file being written."""

    writers: Mapping[type[tree.Statement], Callable[[Any, Any], None]] = WRITERS

    def __init__(self, program: Block, file: str, scopes: Scopes | None = None) -> None:
        super().__init__(program, file, scopes)
        self._writers: dict[Scope, FunctionWriting] = {}

    def names_for(self, scope: Scope, outer: FunctionWriting | None) -> Names:
        """What gives names to the variables of a function."""
        return Names(scope, None if outer is None else outer.names)

    def expressions_for(self, writer: FunctionWriting) -> Expressions:
        return Expressions(writer)

    def writer_of(self, scope: Scope | None) -> FunctionWriting | None:
        return None if scope is None else self._writers.get(scope)

    # The page

    def write(self) -> list[Line]:
        main = FunctionWriter(self, self.scopes.main, None)
        header = Code()
        header.add("def chunk(*varargs):", 1)
        main.body(self.program)
        for line in main.code.lines:
            line.depth += 1
        return [*header.lines, *main.code.lines]

    def register(self, writer: FunctionWriting) -> None:
        self._writers[writer.scope] = writer


def translate_faithful(source: str | bytes, file: str = "?") -> Page:
    """Translate a Lua file; raises LuaSyntaxError.

    What Python cannot hold is an error in the page, and is in its ``failures``.
    """
    program = parse(source, file)
    writer = Writer(program, file)
    lines = writer.write()
    found = generation_of(file) if os.path.isfile(file) else LATER
    rnn_api = None if found == LATER else found
    text = finish(lines, file, rnn_api)
    checked_tree(text, file)
    return Page(text, writer.statements, writer.failures, rnn_api)


def short_name(name: str) -> str:
    """A chunk's name as messages show it."""
    if name[:1] == "@":
        return name[1:]
    if name[:1] == "=":
        return name[1:60]
    cut = next((at for at, char in enumerate(name[:48]) if char < " "), min(len(name), 48))
    return chunk_name(name if cut == len(name) else f"{name[: min(cut, 45)]}...")


@lru_cache(maxsize=128)
def _code_of(source: str, shown: str) -> CodeType:
    lines = Writer(parse(source.encode("latin1"), shown), shown).write()
    return compiled(bare(lines, shown), f"<{shown}>")


def compile_chunk(source: str, name: str) -> Callable[..., Any]:
    """A function of Lua source, as ``loadstring`` makes it; LuaError when it is not Lua."""
    try:
        code = _code_of(source, short_name(name))
    except LuaSyntaxError as error:
        raise lua_compat.LuaError(str(error)) from error
    names: dict[str, Any] = {"__name__": "chunk"}
    exec(code, names)
    chunk: Callable[..., Any] = names["chunk"]
    return chunk


basic.compiler[:] = [compile_chunk]
