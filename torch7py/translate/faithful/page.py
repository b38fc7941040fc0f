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
from torch7py.translate.faithful.code import Code, Line, comment_lines
from torch7py.translate.faithful.expressions import Expressions
from torch7py.translate.faithful.format import bare, finish
from torch7py.translate.faithful.functions import FunctionWriter
from torch7py.translate.faithful.names import Names
from torch7py.translate.faithful.statements import WRITERS
from torch7py.translate.parse import LuaSyntaxError, parse
from torch7py.translate.quoting import chunk_name
from torch7py.translate.scopes import Scope, Scopes, Variable, resolve
from torch7py.translate.tree import Block, Comment

__all__ = ["Page", "Writer", "compile_chunk", "translate_faithful"]


@dataclass
class Page:
    """The Python source of a Lua file, and how many of its statements were translated."""

    text: str
    statements: int
    failures: list[NotTranslated] = field(default_factory=list)
    rnn_api: int | None = None


class Writer:
    """What is known of the file being written."""

    writers: Mapping[type[tree.Statement], Callable[[FunctionWriter, Any], None]] = WRITERS

    def __init__(self, program: Block, file: str, scopes: Scopes | None = None) -> None:
        self.program = program
        self.file = file
        self.scopes: Scopes = resolve(program) if scopes is None else scopes
        self.kinds: dict[Variable, str] = {}
        self.functions: dict[Variable, tree.Function] = {}  # variables that always hold this function
        self._gives_one: dict[tree.Function, bool] = {}
        self._order: dict[Variable, int] = {}
        self._writers: dict[Scope, FunctionWriter] = {}
        self._aims: set[str] = set()
        self._backward: set[Scope] = set()
        self.statements = 0
        self.failures: list[NotTranslated] = []
        self._survey()

    def names_for(self, scope: Scope, outer: FunctionWriter | None) -> Names:
        """What gives names to the variables of a function."""
        return Names(scope, None if outer is None else outer.names)

    def expressions_for(self, writer: FunctionWriter) -> Expressions:
        return Expressions(writer)

    def _survey(self) -> None:
        for node in tree.walk(self.program):
            if not isinstance(node, tree.Statement):
                continue
            self.statements += 1
            if isinstance(node, tree.LocalFunction):
                variable = self.scopes.variable(node.name)
                if variable.constant:
                    self.functions[variable] = node.function
            elif isinstance(node, tree.Local) and len(node.names) == len(node.values):
                for name, value in zip(node.names, node.values, strict=True):
                    if isinstance(value, tree.Function) and self.scopes.variable(name).constant:
                        self.functions[self.scopes.variable(name)] = value
            elif isinstance(node, tree.Goto):
                self._aims.add(node.label)
        if self._aims:
            self._find_backward(self.program, self.scopes.main)
            for function, scope in self.scopes.of_function.items():
                self._find_backward(function.body, scope)

    def _find_backward(self, block: Block, scope: Scope) -> None:
        """Note the functions in which a goto comes after its label: what lies between is a loop."""
        seen: set[str] = set()
        stack: list[tree.Node | Block] = [block]
        while stack:
            node = stack.pop()
            if isinstance(node, tree.Function):
                continue
            if isinstance(node, tree.Label):
                seen.add(node.name)
            elif isinstance(node, tree.Goto) and node.label in seen:
                self._backward.add(scope)
                return
            stack.extend(reversed(list(tree.children(node))))

    # Questions

    def is_aim(self, label: tree.Label) -> bool:
        return label.name in self._aims

    def has_backward_goto(self, scope: Scope) -> bool:
        return scope in self._backward

    def writer_of(self, scope: Scope | None) -> FunctionWriter | None:
        return None if scope is None else self._writers.get(scope)

    def order(self, variable: Variable) -> int:
        return self._order.setdefault(variable, len(self._order))

    def reads_itself(self, variable: Variable) -> bool:
        """Whether the function that a local function's variable holds uses that variable."""
        return variable.kind == "function"

    def note_kind(self, variable: Variable, kind: str) -> None:
        if kind and variable.constant:
            self.kinds[variable] = kind

    def gives_one(self, function: tree.Function) -> bool:
        """Whether a function always returns exactly one value."""
        known = self._gives_one.get(function)
        if known is None:
            self._gives_one[function] = False  # while it is being found out: recursion
            known = self._gives_one[function] = self.ends(function.body) and all(
                len(node.values) == 1
                and not isinstance(node.values[0], tree.Vararg | tree.Call | tree.Invoke)
                for node in _returns(function.body)
            )
        return known

    def ends(self, block: Block) -> bool:
        """Whether what follows the block in its function is never reached."""
        if any(isinstance(s, tree.Label) for s in block.statements):
            return False
        last = block.statements[-1] if block.statements else None
        if isinstance(last, tree.Return):
            return True
        if isinstance(last, tree.Do):
            return self.ends(last.body)
        if isinstance(last, tree.If):
            return last.otherwise is not None and all(
                self.ends(body) for body in (*(body for _, body in last.branches), last.otherwise)
            )
        return False

    # Text

    def trailing(self, comment: Comment | None) -> str:
        return "" if comment is None else " ".join(comment_lines(comment))

    def height(self, comments: tuple[Comment, ...]) -> int:
        return sum(len(comment_lines(comment)) for comment in comments)

    def cannot(self, code: str, node: tree.Node, reason: str) -> NotTranslated:
        return NotTranslated(reason, code, f"{self.file}:{node.line}")

    # The page

    def write(self) -> list[Line]:
        main = FunctionWriter(self, self.scopes.main, None)
        header = Code()
        header.add("def chunk(*varargs):", 1)
        main.body(self.program)
        for line in main.code.lines:
            line.depth += 1
        return [*header.lines, *main.code.lines]

    def register(self, writer: FunctionWriter) -> None:
        self._writers[writer.scope] = writer


def _returns(block: Block) -> list[tree.Return]:
    found: list[tree.Return] = []
    stack: list[tree.Node | Block] = [block]
    while stack:
        node = stack.pop()
        if isinstance(node, tree.Return):
            found.append(node)
        elif not isinstance(node, tree.Function):
            stack.extend(tree.children(node))
    return found


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
