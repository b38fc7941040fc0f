"""Lua functions as Python functions: variables, statements, blocks."""

from __future__ import annotations

import keyword
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from torch7py.lua.values import Library
from torch7py.translate import tree
from torch7py.translate.errors import NotTranslated
from torch7py.translate.faithful.code import Code, Line, quoted
from torch7py.translate.faithful.expressions import Expressions
from torch7py.translate.faithful.jumps import Jumps
from torch7py.translate.faithful.names import Names
from torch7py.translate.scopes import Scope, Variable
from torch7py.translate.tree import Block, Expression, Statement

if TYPE_CHECKING:
    from torch7py.translate.faithful.page import Writer

__all__ = ["FunctionWriter"]

SHORT = 70
"""A function of one expression that is no longer becomes a lambda."""


class FunctionWriter:
    """Writes one Lua function (or the main program) as a Python function's lines."""

    def __init__(self, page: Writer, scope: Scope, outer: FunctionWriter | None) -> None:
        self.page = page
        self.scope = scope
        self.outer = outer
        self.names: Names = Names(scope, None if outer is None else outer.names)
        self.expressions = Expressions(self)
        self.code = Code()
        self.jumps = Jumps(self)
        self.cells: set[Variable] = set()
        self.rebound: set[Variable] = set()  # variables of outer functions that are assigned here
        self.line = 1
        self._temporary: str | None = None
        self._returning_lambda = False  # in the line at hand there is a lambda that returns a call
        self._count = 0  # of the operands kept in this function
        self.has_labels = page.has_backward_goto(scope)
        page.register(self)

    # Variables

    def per_turn(self, variable: Variable) -> bool:
        """Whether each turn of a loop has one of its own that a function keeps."""
        owner = self.page.writer_of(variable.scope)
        in_loop = variable.in_loop or (
            owner is not None and owner.has_labels and variable.kind != "parameter"
        )
        return in_loop and variable.captured

    def needs_cell(self, variable: Variable) -> bool:
        if not self.per_turn(variable):
            return False
        return bool(variable.writes) or variable.kind == "function" or self.page.reads_itself(variable)

    def is_cell(self, variable: Variable) -> bool:
        writer: FunctionWriter | None = self
        while writer is not None:
            if variable in writer.cells:
                return True
            writer = writer.outer
        return False

    def read(self, variable: Variable) -> str:
        """The variable as an expression, and as what can be assigned to."""
        if variable.is_global:
            return self.global_(variable.name)
        name = self.names.lookup(variable)
        assert name is not None, variable.name
        return f"{name}.value" if self.is_cell(variable) else name

    def global_(self, name: str) -> str:
        if (
            name.isidentifier()
            and name.isascii()
            and not keyword.iskeyword(name)
            and name not in Library.RESERVED
        ):
            return f"G.{name}"
        return f'lua.index(G, "{name}")'

    def temporary(self) -> str:
        """The name of a value that is read right after it was set."""
        if self._temporary is None:
            self._temporary = self.names.take("it", for_good=True)
        return self._temporary

    def declare(self, name: tree.Name) -> str:
        """Give a variable its Python name; a cell's name is the cell's."""
        variable = self.page.scopes.variable(name)
        if self.needs_cell(variable):
            self.cells.add(variable)
        return self.names.declare(variable)

    # Lines

    def add(self, text: str, comment: str = "") -> None:
        self.code.add(text, self.line, comment=comment)
        if self._returning_lambda:
            self.code.lines[-1].mark = "^"
            self._returning_lambda = False

    def field_comments(self, item: tree.Field) -> None:
        self.code.comments(item.before, self.line)
        if item.trailing is not None:
            self.code.comments((item.trailing,), self.line)

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
        inner = FunctionWriter(self.page, self.page.scopes.of_function[node], self)
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
        inner = FunctionWriter(self.page, self.page.scopes.of_function[node], self)
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
            _WRITERS[type(node)](self, node)
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
            if isinstance(node, _SIMPLE):
                lines[-1].comment = self.page.trailing(around.trailing)
            else:
                self.code.comments((around.trailing,), node.line)

    # Statements

    def local(self, node: tree.Local) -> None:
        values = node.values
        if len(node.names) == 1 and len(values) == 1:
            self._local_one(node.names[0], values[0])
            return
        texts = self.fitted(values, len(node.names))
        names = [self.declare(name) for name in node.names]
        cells = [name for name in node.names if self.page.scopes.variable(name) in self.cells]
        if not values:
            for name, taken in zip(node.names, names, strict=True):
                if name in cells:
                    self.add(f"{taken} = lua.Cell()")
            plain = [taken for name, taken in zip(node.names, names, strict=True) if name not in cells]
            if plain:
                self.add(" = ".join([*plain, "None"]))
            return
        extra = "".join(", _" for _ in range(len(values) - len(names)))
        self.add(f"{', '.join(names)}{extra} = {texts}")
        for name, taken in zip(node.names, names, strict=True):
            if name in cells:
                self.add(f"{taken} = lua.Cell({taken})")

    def _local_one(self, name: tree.Name, value: Expression) -> None:
        variable = self.page.scopes.variable(name)
        if isinstance(value, tree.Function) and not self.needs_cell(variable):
            # The function does not see the variable, but a name of before.
            taken = self.declare(name)
            self.write_function(taken, value, value.line)
            return
        text = self.expressions.value(value)
        taken = self.declare(name)
        if variable in self.cells:
            self.add(f"{taken} = lua.Cell({text})")
        else:
            self.page.note_kind(variable, self.expressions.kind(value))
            self.add(f"{taken} = {text}")

    def fitted(self, values: tuple[Expression, ...], count: int) -> str:
        """The right side of an assignment to ``count`` targets (more, where there are more values)."""
        if not values:
            return ", ".join(["None"] * count)
        last = values[-1]
        open_end = isinstance(last, tree.Vararg) or (
            isinstance(last, tree.Call | tree.Invoke) and not self.expressions.is_single(last)
        )
        missing = count - len(values) + 1
        if open_end and missing > 1:
            parts = [_operand(self.expressions.value(v)) for v in values[:-1]]
            result = "varargs" if isinstance(last, tree.Vararg) else self.expressions.call(last)  # type: ignore[arg-type]
            taken = f"lua.take({missing}, {result})"
            return ", ".join([*parts, f"*{taken}"]) if parts else taken
        parts = [_operand(self.expressions.value(v)) for v in values]
        return ", ".join(parts + ["None"] * (count - len(values)))

    def assign(self, node: tree.Assign) -> None:
        if len(node.targets) == 1:
            self._assign_one(node.targets[0], node.values)
            return
        names = [target for target in node.targets if isinstance(target, tree.Name)]
        variables = [self.page.scopes.variable(name) for name in names]
        if len(names) == len(node.targets) and len(set(variables)) == len(names):
            targets = [self.target(variable) for variable in variables]
            if not any(target.startswith("lua.") for target in targets):
                extra = "".join(", _" for _ in range(len(node.values) - len(names)))
                self.add(f"{', '.join(targets)}{extra} = {self.fitted(node.values, len(names))}")
                return
        self._assign_several(node)

    def target(self, variable: Variable) -> str:
        """What stands left of ``=``."""
        if not variable.is_global and variable.scope is not self.scope and not self.is_cell(variable):
            self.rebound.add(variable)
        return self.read(variable)

    def _assign_one(self, target: Expression, values: tuple[Expression, ...]) -> None:
        if isinstance(target, tree.Name):
            variable = self.page.scopes.variable(target)
            text = self.assigned(values)
            self.store(variable, text)
            return
        assert isinstance(target, tree.Index)
        base, key = self.expressions.value(target.base), self.expressions.value(target.key)
        text = self.assigned(values)
        self.add(f"lua.setindex({base}, {key}, {text})")

    def assigned(self, values: tuple[Expression, ...]) -> str:
        if len(values) == 1:
            return self.expressions.value(values[0])
        return f"({', '.join(_operand(self.expressions.value(v)) for v in values)})[0]"

    def store(self, variable: Variable, text: str) -> None:
        target = self.target(variable)
        if target.startswith("lua."):
            self.add(f'lua.setindex(G, "{variable.name}", {text})')
        elif target != text:
            self.add(f"{target} = {text}")

    def _assign_several(self, node: tree.Assign) -> None:
        """The operands of the targets first, then all values, then the assignments from right to left."""
        operands: list[tuple[str, str] | None] = []
        for target in node.targets:
            if isinstance(target, tree.Index):
                operands.append((self._kept(target.base, node), self._kept(target.key, node)))
            else:
                operands.append(None)
        count = max(len(node.targets), len(node.values))
        results = [self.names.take(f"value_{i + 1}") for i in range(count)]
        self.add(f"{', '.join(results)} = {self.fitted(node.values, len(node.targets))}")
        pairs = zip(node.targets, operands, results[: len(node.targets)], strict=True)
        for target, operand, result in reversed(list(pairs)):
            if operand is not None:
                self.add(f"lua.setindex({operand[0]}, {operand[1]}, {result})")
            else:
                assert isinstance(target, tree.Name)
                self.store(self.page.scopes.variable(target), result)

    def _kept(self, node: Expression, statement: tree.Assign) -> str:
        """An operand of a target as it is before the assignment."""
        if isinstance(node, tree.Number | tree.String | tree.Nil | tree.Boolean):
            return self.expressions.value(node)
        text = self.expressions.value(node)
        if isinstance(node, tree.Name):
            variable = self.page.scopes.variable(node)
            written = {self.page.scopes.variable(t) for t in statement.targets if isinstance(t, tree.Name)}
            if variable not in written and not variable.assigned_inside and not variable.is_global:
                return text
        self._count += 1
        kept = self.names.take(f"operand_{self._count}")
        self.add(f"{kept} = {text}")
        return kept

    def run(self, node: tree.Run) -> None:
        text = self.expressions.call(node.call)
        self.add(text)

    def do(self, node: tree.Do) -> None:
        self.names.open()
        if node.body.opening is not None:
            self.code.comments((node.body.opening,), self.line)
        self.jumps.statements(node.body)
        self.code.comments(node.body.closing, self.line)
        self.names.close()

    def if_(self, node: tree.If) -> None:
        depth = self.code.depth
        for at, (condition, block) in enumerate(node.branches):
            line = condition.line
            if at:
                mark = len(self.code.lines)
                self.line = line
                text = self.expressions.condition(condition)
                if len(self.code.lines) > mark:  # a function or a comment: it must stand inside the else
                    hoisted = self.code.lines[mark:]
                    del self.code.lines[mark:]
                    self.code.add("else:", line)
                    self.code.depth += 1
                    for made in hoisted:
                        made.depth += 1
                    self.code.lines += hoisted
                    self.suite(f"if {text}:", block, line)
                else:
                    self.suite(f"elif {text}:", block, line)
            else:
                text = self.expressions.condition(condition)
                self.suite(f"if {text}:", block, node.line)
        if node.otherwise is not None:
            self.suite("else:", node.otherwise, self.line)
        self.code.depth = depth

    def while_(self, node: tree.While) -> None:
        mark = len(self.code.lines)
        text = self.expressions.condition(node.condition)
        hoisted = self.code.lines[mark:]
        del self.code.lines[mark:]
        if not hoisted:
            self.jumps.loop(f"while {text}:", node.body, node.line)
            return
        for made in hoisted:
            made.depth += 1

        def test() -> None:
            self.code.lines += hoisted
            self.add(f"if not ({text}):")
            self.code.depth += 1
            self.add("break")
            self.code.depth -= 1

        self.jumps.loop("while True:", node.body, node.line, before=test)

    def repeat(self, node: tree.Repeat) -> None:
        def test() -> None:
            self.line = node.condition.line
            condition = node.condition
            while isinstance(condition, tree.Paren):
                condition = condition.inner
            if isinstance(condition, tree.Boolean) and not condition.value:
                return
            self.add(f"if {self.expressions.condition(condition)}:")
            self.code.depth += 1
            self.add("break")
            self.code.depth -= 1

        self.jumps.loop("while True:", node.body, node.line, after=test)

    def numeric_for(self, node: tree.NumericFor) -> None:
        bounds = [self.expressions.value(node.start), self.expressions.value(node.stop)]
        if node.step is not None:
            bounds.append(self.expressions.value(node.step))
        variable = self.page.scopes.variable(node.variable)
        self.names.open()
        name = self.declare(node.variable)
        whole = self.expressions.kind(node.start) == "int" and (
            node.step is None or self.expressions.kind(node.step) == "int"
        )
        if not variable.writes:
            self.page.note_kind(variable, "int" if whole and self._finite(node.stop) else "number")
        header = f"for {name} in lua.range({', '.join(bounds)}):"
        self.jumps.loop(header, node.body, node.line, before=self._make_cells([node.variable]))
        self.names.close()

    @staticmethod
    def _finite(node: Expression) -> bool:
        """Whether a bound is certainly no infinity: loops to infinity count in floats, which is no difference to
        a test or a sum that a double can hold."""
        return True

    def _make_cells(self, names: list[tree.Name]) -> object:
        cells = [self.page.scopes.variable(name) for name in names]
        cells = [variable for variable in cells if variable in self.cells]
        if not cells:
            return None

        def make() -> None:
            for variable in cells:
                name = self.names.lookup(variable)
                self.add(f"{name} = lua.Cell({name})")

        return make

    def generic_for(self, node: tree.GenericFor) -> None:
        count = len(node.names)
        call = node.values[0]
        iterator = None
        if len(node.values) == 1 and isinstance(call, tree.Call) and isinstance(call.callee, tree.Name):
            variable = self.page.scopes.variable(call.callee)
            name = call.callee.name
            if variable.is_global and not variable.writes and name in ("pairs", "ipairs") and count <= 2:
                iterator = f"lua.{name}({', '.join(self.expressions.values(call.arguments))})"
        if iterator is None:
            iterator = f"lua.iterate({', '.join([str(count), *self.expressions.values(node.values)])})"
            padding = 0
        else:
            padding = 2 - count
        self.names.open()
        names = [self.declare(name) for name in node.names] + ["_"] * padding
        self.jumps.loop(
            f"for {', '.join(names)} in {iterator}:",
            node.body,
            node.line,
            before=self._make_cells(list(node.names)),
        )
        self.names.close()

    def function_statement(self, node: tree.FunctionStatement) -> None:
        target = node.target
        if isinstance(target, tree.Name):
            variable = self.page.scopes.variable(target)
            if not variable.is_global and not self.is_cell(variable):
                self.write_function(self.target(variable), node.function, node.line)
                return
            name = self.function_value(node.function, target.name)
            self.store(variable, name)
            return
        assert isinstance(target, tree.Index)
        assert isinstance(target.key, tree.String)
        name = self.function_value(node.function, target.key.value)
        self.line = node.line
        self.add(
            f"lua.setindex({self.expressions.value(target.base)}, {self.expressions.value(target.key)}, {name})"
        )

    def local_function(self, node: tree.LocalFunction) -> None:
        variable = self.page.scopes.variable(node.name)
        taken = self.declare(node.name)
        if variable in self.cells:
            self.add(f"{taken} = lua.Cell()")
            made = self.function_value(node.function, node.name.name + "_function")
            self.add(f"{taken}.value = {made}")
            return
        self.write_function(taken, node.function, node.line)

    def return_(self, node: tree.Return) -> None:
        text = self.expressions.several(node.values)
        self.add(f"return {text}")
        only = node.values[0] if len(node.values) == 1 else None
        if isinstance(only, tree.Call | tree.Invoke):
            line = self.code.lines[-1]
            line.mark = "~" if line.mark == "=" else "!"

    def break_(self, node: tree.Break) -> None:
        self.jumps.break_()

    def goto(self, node: tree.Goto) -> None:
        self.jumps.goto(node)


def _operand(text: str) -> str:
    """An item of a row of values."""
    return f"({text})" if text.startswith("lambda") or " if " in text else text


_SIMPLE = (tree.Local, tree.Assign, tree.Run, tree.Return, tree.Break, tree.Goto)
_WRITERS: dict[type[Statement], Callable[[FunctionWriter, Any], None]] = {
    tree.Local: FunctionWriter.local,
    tree.Assign: FunctionWriter.assign,
    tree.Run: FunctionWriter.run,
    tree.Do: FunctionWriter.do,
    tree.If: FunctionWriter.if_,
    tree.While: FunctionWriter.while_,
    tree.Repeat: FunctionWriter.repeat,
    tree.NumericFor: FunctionWriter.numeric_for,
    tree.GenericFor: FunctionWriter.generic_for,
    tree.FunctionStatement: FunctionWriter.function_statement,
    tree.LocalFunction: FunctionWriter.local_function,
    tree.Return: FunctionWriter.return_,
    tree.Break: FunctionWriter.break_,
    tree.Goto: FunctionWriter.goto,
}
