"""The expressions of a faithful statement: its own, and those that are read as the native page reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.faithful.expressions import Expressions
from torch7py.translate.faithful.writing import FunctionWriting
from torch7py.translate.native import code
from torch7py.translate.native.faithful_parts.passing import EXCHANGED, Refused, is_allowed
from torch7py.translate.native.whole_tensors import elements
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name

if TYPE_CHECKING:
    from torch7py.translate.native.faithful_parts.part import Part

__all__ = ["PartExpressions"]


class PartExpressions(Expressions):
    globals = "lua.G"

    def __init__(self, part: Part, writer: FunctionWriting) -> None:
        super().__init__(writer)
        self.part, self.t = part, part.t

    def value(self, node: Expression) -> str:
        while isinstance(node, tree.Paren):
            node = node.inner
        native = self._native(node)
        if native is not None:
            return native
        self._check(node)
        return super().value(node)

    def call(self, node: Call | Invoke) -> str:
        if self._is_of_program(node):
            if not self.t.counts.are_all(node):
                raise Refused
            return self._text(node, several=True)
        self._check(node)
        return super().call(node)

    def is_single(self, node: Call | Invoke) -> bool:
        if self._is_of_program(node):
            if not self.t.counts.are_all(node):
                raise Refused
            return self.t.calls.count(node) == 1
        return super().is_single(node)

    def is_primary(self, node: Expression, text: str) -> bool:
        while isinstance(node, tree.Paren):
            node = node.inner
        return self._native(node) is not None or super().is_primary(node, text)

    # What is native

    def _native(self, node: Expression) -> str | None:
        """What must be read as the native page reads it; None for what is not the page's."""
        if isinstance(node, Name):
            return self._name(node)
        if isinstance(node, Index):
            return self._text(node) if self.is_of_page(node.base) else None
        if isinstance(node, tree.Unary) and node.operator == "#" and self.is_of_page(node.operand):
            return self._text(node)
        if isinstance(node, (Call, Invoke)) and self._is_of_program(node):
            return self._text(node)
        return None

    def _name(self, node: Name) -> str | None:
        t = self.t
        variable = t.scopes.of_name[node]
        known = self.part.is_own(variable) or variable in self.part.made
        return None if known or (variable.is_global and not variable.writes) else self._text(node)

    def _text(self, node: Expression, several: bool = False) -> str:
        """An expression as the native page has it: a value that both styles have."""
        t = self.t
        called = t.types.function_called(node) if isinstance(node, (Call, Invoke)) else []
        if not t.training.closures.isdisjoint(called):
            raise Refused  # a function for optim gives the loss alone
        if not several and t.kind(node) not in EXCHANGED:
            raise Refused
        for name in tree.walk(node):
            variable = t.scopes.of_name[name] if isinstance(name, Name) else None
            if variable is None or not self.part.is_own(variable):
                continue
            may_be_float = t.kind(name) == "number" and variable.kind not in ("loop", "parameter")  # type: ignore[arg-type]
            if self.writer.is_cell(variable) or may_be_float:
                raise Refused
        before, outer = len(t.lines), t.scope
        t.scope = self.writer.scope
        try:
            if several:
                written = t.calls.all_values(node)
            else:
                written = t.conditions.maybe(node) if isinstance(node, Index) else t.value(node)
        finally:
            t.scope = outer
        if len(t.lines) > before:
            raise Refused
        text = written.at(code.ATOM)
        if t.kind(node) == "tensor" and not several:
            if self.part.passing.may_have_graph(node):
                raise Refused
            if elements(t, node) == "mask":
                text += ".byte()"
        return text

    def is_of_page(self, node: Expression) -> bool:
        """Whether something is a table, an object or the like of the native page."""
        kind = self.t.kind(node)
        if kind in ("tensor", "string") or self.t.path(node) is not None:
            return False
        if isinstance(node, Name) and self.part.is_own(self.t.scopes.of_name[node]):
            return not self.part.is_own_type(node) if kind is not None else False
        return not (kind == "table" and self.part.is_own_type(node)) and kind is not None

    def _is_of_program(self, node: Call | Invoke) -> bool:
        """Whether a call reaches a function that the native page has."""
        functions = self.t.types.function_called(node)
        return any(not self.part.is_within(f.place.start, f.place.end) for f in functions)

    def _check(self, node: Expression) -> None:
        """Refuse what a faithful expression cannot be or use here."""
        t = self.t
        if isinstance(node, tree.Table) and not self.part.is_own_type(node):
            raise Refused
        if isinstance(node, (Name, Index)):
            path = t.path(node)
            if path is not None and not is_allowed(path):
                raise Refused
            if path is None and isinstance(node, Name) and t.scopes.of_name[node].is_global:
                raise Refused
        if isinstance(node, Call):
            path = t.path(node.callee)
            if path is not None and not is_allowed(path):
                raise Refused
            if path is None and not t.types.function_called(node):
                raise Refused  # something unknown
        if (
            isinstance(node, Invoke)
            and t.kind(node.receiver) not in ("tensor", "string")
            and not self._is_tensors(node.receiver)
        ):
            raise Refused

    def _is_tensors(self, node: Expression) -> bool:
        """Whether something is what a method of a tensor, or a function of torch, gave."""
        while isinstance(node, tree.Paren):
            node = node.inner
        if isinstance(node, Invoke):
            return self.t.kind(node.receiver) == "tensor" or self._is_tensors(node.receiver)
        return isinstance(node, Call) and (self.t.path(node.callee) or "").startswith("torch.")
