"""Loops over a table with names for keys that do the same in whatever order the entries come.

Such a loop counts, adds up whole numbers, or fills another table under the loop's own keys. All others go through the
entries in the order of their keys, as the original does here.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Assign, Binary, Expression, Index, Name

__all__ = ["comes_in_any_order"]

# Functions that give the same for the same arguments, and do nothing else.
_PURE = {
    "tostring",
    "tonumber",
    "type",
    "math.abs",
    "math.ceil",
    "math.floor",
    "math.max",
    "math.min",
    "math.sqrt",
}


def comes_in_any_order(t: Translation, node: tree.GenericFor, table: Expression) -> bool:
    """Whether it makes no difference in which order a loop over ``pairs(table)`` takes the entries."""
    return _Loop(t, node, table).is_free(node.body)


class _Loop:
    def __init__(self, t: Translation, node: tree.GenericFor, table: Expression) -> None:
        self.t = t
        self.key = t.scopes.of_name[node.names[0]]
        self.over = t.type(table).find()
        self.inner: set[Variable | None] = {t.scopes.of_name[name] for name in node.names}
        self.counters: set[Variable] = set()
        self.filled: set[Type] = set()
        for local in tree.every(node.body, tree.Local):
            self.inner.update(t.scopes.of_name[name] for name in local.names)
        for assignment in tree.every(node.body, Assign):
            for target in assignment.targets:
                if isinstance(target, Name):
                    self.counters.add(t.scopes.of_name[target])
                elif isinstance(target, Index):
                    self.filled.add(t.type(target.base).find())

    def is_free(self, block: tree.Block) -> bool:
        return all(self._statement(statement) for statement in block.statements)

    def _statement(self, node: tree.Statement) -> bool:
        if isinstance(node, tree.Local):
            return all(self._plain(value) for value in node.values)
        if isinstance(node, tree.If):
            blocks = [block for _, block in node.branches] + ([node.otherwise] if node.otherwise else [])
            return all(self._plain(test) for test, _ in node.branches) and all(map(self.is_free, blocks))
        if not isinstance(node, Assign) or len(node.targets) != 1 or len(node.values) != 1:
            return False
        (target,), (value,) = node.targets, node.values
        return self._fills(target, value) if isinstance(target, Index) else self._counts(target, value)

    def _counts(self, target: Expression, value: Expression) -> bool:
        """``n = n + 1``: sums of whole numbers are exact."""
        if not (isinstance(target, Name) and isinstance(value, Binary) and value.operator == "+"):
            return False
        variable = self.t.scopes.of_name[target]
        counter, added = (
            (value.left, value.right) if isinstance(value.left, Name) else (value.right, value.left)
        )
        if (
            not isinstance(counter, Name)
            or self.t.scopes.of_name[counter] is not variable
            or variable in self.inner
        ):
            return False
        integer_analysis = self.t.integers
        return self._plain(added) and integer_analysis.is_whole(added) and integer_analysis.variable(variable)

    def _fills(self, target: Index, value: Expression) -> bool:
        """``other[key] = value``"""
        filled = self.t.type(target.base)
        if filled.kind != "table" or filled.find().classes or filled.find() is self.over:
            return False
        if not (isinstance(target.key, Name) and self.t.scopes.of_name[target.key] is self.key):
            return False
        return isinstance(target.base, Name) and self._plain(target.base, stored=True) and self._plain(value)

    def _plain(self, node: Expression, stored: bool = False) -> bool:
        """Whether an expression only reads, and nothing that the loop changes."""
        for part in tree.walk(node):
            if isinstance(part, (tree.Function, tree.Invoke, tree.Vararg)):
                return False
            if isinstance(part, tree.Call) and self.t.path(part.callee) not in _PURE:
                return False
            if isinstance(part, Name) and self.t.scopes.of_name.get(part) in self.counters:
                return False
            if isinstance(part, (Index, tree.Unary, Name)) and not stored:
                base = (
                    part.base
                    if isinstance(part, Index)
                    else part.operand
                    if isinstance(part, tree.Unary)
                    else part
                )
                if self.t.kind(base) == "object" or self.t.type(base).find() in self.filled:
                    return False
            if isinstance(part, Binary) and part.operator not in ("and", "or", "==", "~="):
                kinds = {self.t.kind(part.left), self.t.kind(part.right)}
                if not kinds <= {"number", "string"}:
                    return False
        return True
