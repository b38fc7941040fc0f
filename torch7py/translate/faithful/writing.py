"""What the parts of a writer ask of each other: expressions, jumps, functions, and the page that they are of."""

from __future__ import annotations

import keyword
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from torch7py.lua_compat.values import Library
from torch7py.translate import tree
from torch7py.translate.faithful.code import Code
from torch7py.translate.faithful.names import Names
from torch7py.translate.faithful.survey import Survey
from torch7py.translate.quoting import quoted
from torch7py.translate.scopes import Scope, Variable
from torch7py.translate.tree import Block, Expression, Statement

__all__ = ["ExpressionWriting", "FunctionWriting", "JumpWriting", "PageWriting"]


class ExpressionWriting(ABC):
    """Expressions as source that can stand as an argument."""

    globals = "G"  # what the page calls the globals

    @abstractmethod
    def kind(self, node: Expression) -> str:
        """The kind that is certain: ``bool``, ``int``, ``number``, ``string``, or ''."""

    @abstractmethod
    def value(self, node: Expression) -> str:
        """Exactly one value."""

    @abstractmethod
    def condition(self, node: Expression) -> str:
        """A Python condition that holds when the value is true in Lua."""

    @abstractmethod
    def values(self, nodes: tuple[Expression, ...], open_end: bool = True) -> list[str]:
        """The arguments of a call; with ``open_end`` the last one gives all its values."""

    @abstractmethod
    def several(self, nodes: tuple[Expression, ...]) -> str:
        """What ``return`` hands over."""

    @abstractmethod
    def call(self, node: tree.Call | tree.Invoke) -> str:
        """A call, with whatever it returns."""

    @abstractmethod
    def is_single(self, node: tree.Call | tree.Invoke) -> bool:
        """Whether a call certainly has exactly one result."""


class JumpWriting(ABC):
    """The loops around the current place in one Python function."""

    used: bool

    @property
    @abstractmethod
    def variable(self) -> str:
        """The name of the variable that says where a jump goes."""

    @abstractmethod
    def loop(
        self, header: str, body: Block, line: int, before: Any = None, after: Callable[[], None] | None = None
    ) -> None:
        """One of Lua's loops. ``before`` and ``after`` write lines around the body, in the body's scope."""

    @abstractmethod
    def statements(self, block: Block) -> None:
        """The statements of a block, labels included."""

    @abstractmethod
    def break_(self) -> None:
        """``break``"""

    @abstractmethod
    def goto(self, node: tree.Goto) -> None:
        """``goto``"""


class PageWriting(Survey, ABC):
    """The page, which says who writes what."""

    writers: Mapping[type[Statement], Callable[[Any, Any], None]]

    @abstractmethod
    def names_for(self, scope: Scope, outer: FunctionWriting | None) -> Names:
        """What gives names to the variables of a function."""

    @abstractmethod
    def expressions_for(self, writer: FunctionWriting) -> ExpressionWriting:
        """What writes the expressions of a function."""

    @abstractmethod
    def writer_of(self, scope: Scope | None) -> FunctionWriting | None:
        """What writes the function of a scope, if that has begun."""

    @abstractmethod
    def register(self, writer: FunctionWriting) -> None:
        """Note what writes a function."""


class FunctionWriting(ABC):
    """One Lua function (or the main program) while it is written as a Python function's lines."""

    jumps: JumpWriting

    def __init__(self, page: PageWriting, scope: Scope, outer: FunctionWriting | None) -> None:
        self.page = page
        self.scope = scope
        self.outer = outer
        self.names: Names = page.names_for(scope, outer)
        self.expressions = page.expressions_for(self)
        self.code = Code()
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
        writer: FunctionWriting | None = self
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
            return f"{self.expressions.globals}.{name}"
        return f"lua.index({self.expressions.globals}, {quoted(name)})"

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

    # What is written further down

    @abstractmethod
    def write_function(self, name: str, node: tree.Function, line: int) -> None:
        """``def name(...)`` with everything in it."""

    @abstractmethod
    def function_value(self, node: tree.Function, name: str | None = None) -> str:
        """A function as an expression."""

    @abstractmethod
    def suite(self, header: str, block: Block, line: int, comment: str = "") -> None:
        """A header and the block below it."""

    @abstractmethod
    def statement(self, node: Statement) -> None:
        """One statement."""
