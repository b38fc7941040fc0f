"""One statement in the faithful style, with the names that the native page has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.faithful.expressions import Expressions
from torch7py.translate.faithful.functions import FunctionWriter
from torch7py.translate.faithful.names import Names
from torch7py.translate.faithful.page import Writer
from torch7py.translate.faithful.writing import FunctionWriting
from torch7py.translate.native import code
from torch7py.translate.native.faithful_parts.expressions import PartExpressions
from torch7py.translate.native.faithful_parts.passing import DRAWING, EXCHANGED, Passing, Refused, is_callable
from torch7py.translate.native.faithful_parts.statements import PART_WRITERS
from torch7py.translate.native.whole_tensors import elements
from torch7py.translate.scopes import Scope, Variable
from torch7py.translate.tree import Call, Expression, Invoke, Name, Statement

if TYPE_CHECKING:
    from torch7py.translate.native.translator import Translator

__all__ = ["Part"]


class Part(Writer):
    """One statement."""

    def __init__(self, passing: Passing, node: Statement) -> None:
        self.passing, self.t, self.node = passing, passing.t, node
        self._own: dict[Variable, bool] = {}  # what ``is_own`` found
        super().__init__(tree.Block((node,), None, ()), passing.t.file, passing.t.scopes)
        self.made = self._made()  # variables that the statement gives functions, by which others call them
        self.functions = {v: f for v, f in self.functions.items() if self.is_own(v) or v in self.made}
        self.writers = PART_WRITERS

    def _made(self) -> dict[Variable, tree.Function]:
        node, found = self.node, {}
        if isinstance(node, tree.LocalFunction):
            found[self.t.scopes.of_name[node.name]] = node.function
        elif isinstance(node, tree.FunctionStatement) and isinstance(node.target, Name):
            found[self.t.scopes.of_name[node.target]] = node.function
        elif isinstance(node, tree.Local) and len(node.names) == len(node.values) == 1:
            value = node.values[0]
            if isinstance(value, tree.Function):
                found[self.t.scopes.of_name[node.names[0]]] = value
        for variable, function in found.items():
            if not is_callable(self.t, variable, function) or self.t.classes.is_part(self.node):
                raise Refused
        return found

    def lines(self) -> list[tuple[int, str]]:
        self._check_names()
        t = self.t
        if any(
            t.kind(node) == "tensor" or (t.path(node) or "").startswith("torch.")
            for node in tree.walk(self.node)
            if isinstance(node, Expression)
        ):
            t.page_needs("lua.use_torch()")
        writer = PartWriter(self, self.t.scope, None)
        writer.line = self.node.line
        self.writers[type(self.node)](writer, self.node)
        found = []
        for line in writer.code.lines:
            if line.blank:
                found.append((0, ""))
            found.append((line.depth, f"{line.text}  {line.comment}" if line.comment else line.text))
        return found

    def names_for(self, scope: Scope, outer: FunctionWriting | None) -> Names:
        return PartNames(self.t, scope)

    def expressions_for(self, writer: FunctionWriting) -> Expressions:
        return PartExpressions(self, writer)

    def is_within(self, start: int, end: int) -> bool:
        return self.node.place.start <= start and end <= self.node.place.end

    def is_own(self, variable: Variable) -> bool:
        """Whether a variable is declared in the statement and used nowhere else."""
        if variable.declaration is None:
            return False
        own = self._own.get(variable)
        if own is None:
            names = (variable.declaration, *variable.reads, *variable.writes)
            own = self._own[variable] = all(self.is_within(n.place.start, n.place.end) for n in names)
        return own

    def is_own_type(self, node: Expression) -> bool:
        """Whether what is of an expression's type stands in the statement alone."""
        return self.is_within(*self.passing.span(self.t.type(node)))

    def _check_names(self) -> None:
        """Refuse names that cannot be had in both styles."""
        t = self.t
        for node in tree.walk(self.node):
            if isinstance(node, tree.Vararg):
                raise Refused
            if isinstance(node, Invoke) and node.method in DRAWING:
                raise Refused
            if isinstance(node, Invoke) and node.receiver in t.project.moves.by_function:
                raise Refused  # it is no method, but a function of the page
            if isinstance(node, tree.Function) and t.scopes.of_function[node].upvalues:
                self._check_function(node)
            if not isinstance(node, Name):
                continue
            variable = t.scopes.of_name[node]
            if variable.is_global and not variable.writes:
                continue  # judged where it is used
            if self.is_own(variable) or variable in self.made:
                continue
            if t.training.is_dropped(variable) or variable in t.graph_variables or variable in t.scales:
                raise Refused
            assigned = node is variable.declaration or node in variable.writes
            if assigned and (t.kind(node) not in EXCHANGED or elements(t, node) == "mask"):
                raise Refused

    def _check_function(self, node: tree.Function) -> None:
        """Refuse a function that keeps another one's variable of a turn, or assigns one of the module's."""
        scope = self.t.scopes.of_function[node]
        for variable in scope.upvalues:
            if self.is_own(variable):
                continue
            if variable.in_loop and not variable.constant and not self._is_called_at_once(node):
                raise Refused
            if scope in variable.writers and self.t.modules.at_module_level(variable):
                raise Refused
        if scope.globals_written:
            raise Refused

    def _is_called_at_once(self, node: tree.Function) -> bool:
        """Whether a function is an argument of a method or of a library's function, which do not keep it."""
        for call in tree.walk(self.node):
            if isinstance(call, (Call, Invoke)) and node in call.arguments:
                return not self.t.types.function_called(call)
        return False


class PartNames(Names):
    """The names that the native page has for variables."""

    def __init__(self, t: Translator, scope: Scope) -> None:
        super().__init__(scope, None)
        self.t = t

    def lookup(self, variable: Variable) -> str | None:
        return self.t.names.of_variable(variable)

    def declare(self, variable: Variable) -> str:
        return self.t.names.of_variable(variable)

    def take(self, wanted: str, for_good: bool = False, first: bool = False) -> str:
        return self.t.names.fresh(code.python_name(wanted), self.scope)


class PartWriter(FunctionWriter):
    page: Part

    def per_turn(self, variable: Variable) -> bool:
        """A variable of the page that a function assigns is the page's own: the function is called at once."""
        return super().per_turn(variable) and (self.page.is_own(variable) or variable.constant)

    def read(self, variable: Variable) -> str:
        if variable.is_global and not variable.writes:
            return super().read(variable)
        name = self.page.t.names.of_variable(variable)
        return f"{name}.value" if self.is_cell(variable) else name

    @property
    def is_native(self) -> bool:
        """Whether what is written belongs to a function of the native page, and not to one in the statement."""
        return self.outer is None
