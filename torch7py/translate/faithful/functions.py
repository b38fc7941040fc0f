"""Lua functions as Python functions: variables, statements, blocks."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.errors import NotTranslated
from torch7py.translate.faithful.code import Line
from torch7py.translate.faithful.jumps import Jumps
from torch7py.translate.faithful.statements import SIMPLE
from torch7py.translate.faithful.writing import FunctionWriting, PageWriting
from torch7py.translate.quoting import quoted
from torch7py.translate.scopes import Scope
from torch7py.translate.tree import Block, Statement

__all__ = ["FunctionWriter"]

SHORT = 70
"""A function of one expression that is no longer becomes a lambda."""


class FunctionWriter(FunctionWriting):
    """Writes one Lua function (or the main program) as a Python function's lines."""

    def __init__(self, page: PageWriting, scope: Scope, outer: FunctionWriting | None) -> None:
        super().__init__(page, scope, outer)
        self.jumps = Jumps(self)

    # Functions

    def header(self, name: str, inner: FunctionWriter, node: tree.Function) -> str:
        parameters = [f"{inner.declare(p)}=None" for p in node.parameters]
        parameters.append("*varargs" if node.vararg else "*_")
        for variable in sorted(inner.scope.upvalues, key=self.page.order):
            if variable.scope is self.scope and self.per_turn(variable):
                bound = self.names.lookup(variable)
                parameters.append(f"{bound}={bound}")
        return f"def {name}({', '.join(parameters)}):"

    def write_function(self, name: str, node: tree.Function, line: int) -> None:
        """``def name(...)`` with everything in it."""
        inner = type(self)(self.page, self.page.scopes.of_function[node], self)
        inner.line = line
        header = self.header(name, inner, node)
        self.code.add(header, line, comment=self.page.trailing(node.body.opening))
        inner.body(node.body)
        self.take_in(inner)

    def take_in(self, inner: FunctionWriter) -> None:
        depth = self.code.depth + 1
        for line in inner.code.lines:
            line.depth += depth
            self.code.lines.append(line)
        for variable in inner.rebound:
            if variable.scope is not self.scope:
                self.rebound.add(variable)

    def body(self, block: Block) -> None:
        """The statements of a function, with what must stand before them."""
        start = self.line
        self.names.open()
        self.block(block, at_end=True)
        self.names.close()
        if not self.page.ends(block):
            self.add("return ()")
        first = []
        # Only what this function itself assigns; an inner one says so itself.
        own = {v for v in self.rebound if self.scope in v.writers and v.scope is not None}
        if own:
            names = sorted(str(self.names.lookup(v)) for v in own)
            first.append(f"nonlocal {', '.join(names)}")
        if self.jumps.used:
            first.append(f"{self.jumps.variable} = 0")
        self.code.lines[:0] = [Line(0, text, start) for text in first]

    def function_value(self, node: tree.Function, name: str | None = None) -> str:
        """A function as an expression: a lambda where it is short, else the name of a ``def`` written before."""
        short = self._lambda(node)
        if short is not None and name is None:
            return short
        wanted = name or (node.name.replace(":", ".").rpartition(".")[2] if node.name else "function")
        taken = self.names.take(wanted)
        self.names.pending.add(taken)
        self.write_function(taken, node, node.line)
        return taken

    def _lambda(self, node: tree.Function) -> str | None:
        block = node.body
        if block.closing or block.opening or len(block.statements) > 1:
            return None
        if block.statements and not isinstance(block.statements[0], tree.Return):
            return None
        if node.place.end - node.place.start > SHORT:
            return None
        inner = type(self)(self.page, self.page.scopes.of_function[node], self)
        inner.line = node.line
        header = self.header("f", inner, node)
        result, returns_call = "()", False
        if block.statements:
            statement = block.statements[0]
            assert isinstance(statement, tree.Return)
            if statement.around.before or statement.around.trailing or statement.around.inside:
                return None
            result = inner.expressions.several(statement.values)
            if len(statement.values) > 1:
                result = f"({result})"
            else:
                returns_call = bool(statement.values) and isinstance(
                    statement.values[0], tree.Call | tree.Invoke
                )
        if inner.code.lines or inner.rebound:
            return None
        self._returning_lambda |= returns_call
        return f"lambda {header.removeprefix('def f(').removesuffix('):')}: {result}"

    # Blocks

    def block(self, block: Block, at_end: bool = False) -> None:
        """Statements; an empty block becomes ``pass``."""
        before = len(self.code.lines)
        self.jumps.statements(block)
        self.code.comments(block.closing, self.line)
        has_code = any(not line.text.startswith("#") for line in self.code.lines[before:])
        if not has_code and not (at_end and not self.page.ends(block)):
            self.add("pass")

    def suite(self, header: str, block: Block, line: int, comment: str = "") -> None:
        """A header and the block below it."""
        self.code.add(header, line, comment=comment or self.page.trailing(block.opening))
        self.code.depth += 1
        self.names.open()
        self.block(block)
        self.names.close()
        self.code.depth -= 1

    def statement(self, node: Statement) -> None:
        around = node.around
        self.line = node.line
        self.names.pending.clear()
        start = len(self.code.lines)
        self.code.comments(around.before, node.line)
        self.code.comments(around.inside, node.line)
        depth, before = self.code.depth, len(self.code.lines)
        try:
            self.page.writers[type(node)](self, node)
        except NotTranslated as problem:
            self.page.failures.append(problem)
            del self.code.lines[before:]
            self.code.depth = depth
            self.line = node.line
            self.add(f"raise lua.not_translated({quoted(problem.code)}, {quoted(problem.reason)})")
        lines = self.code.lines
        if node.after_gap and len(lines) > start:
            lines[start].blank = True
        if around.before and around.blank:
            after = start + sum(1 for line in lines[start:] if line.text.startswith("#"))
            if after < len(lines):
                lines[min(start + self.page.height(around.before), len(lines) - 1)].blank = True
        if around.trailing is not None and len(lines) > start:
            if isinstance(node, SIMPLE):
                lines[-1].comment = self.page.trailing(around.trailing)
            else:
                self.code.comments((around.trailing,), node.line)
