"""What holds the vectors and the settings of a training step: variables, and fields of objects and of records.

A field stands for all objects of its type: ``self.params`` is the vector of ``self.model`` in each of them.
"""

from __future__ import annotations

from typing import TypeAlias

from torch7py.translate import tree, tree_queries
from torch7py.translate.kinds import Type
from torch7py.translate.native.analysis.program_facts import Known
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Expression, Index, Name, Statement

__all__ = ["Holder", "Holders"]

Holder: TypeAlias = Variable | tuple[Type, str]


class Holders:
    def __init__(self, t: Known) -> None:
        self.t = t
        self._assigned: dict[Holder, list[tuple[Statement, Expression, Expression | None]]] | None = None
        self._fields: dict[Holder, list[Index]] | None = None

    def of(self, node: Expression) -> Holder | None:
        """What an expression names."""
        if isinstance(node, Name):
            return self.t.scopes.of_name.get(node)
        if not isinstance(node, Index) or not node.dotted or not isinstance(node.key, tree.String):
            return None
        base = self.t.type(node.base).find()
        if base.kind not in ("table", "object") or base.has("dict") or self.t.path(node) is not None:
            return None
        return base, node.key.value

    def uses(self, holder: Holder) -> list[Expression]:
        """Where the program names it, to read or to assign it."""
        if isinstance(holder, Variable):
            return [*holder.reads, *holder.writes]
        if self._fields is None:
            self._fields = {}
            for node in tree.every(self.t.program, Index):
                field_holder = self.of(node)
                if field_holder is not None:
                    self._fields.setdefault(field_holder, []).append(node)
        return list(self._fields.get(holder, []))

    def assigned(self, holder: Holder) -> list[tuple[Statement, Expression, Expression | None]]:
        """The statements that assign it: each one with what it names there, and with the value if that is one."""
        if self._assigned is None:
            self._assigned = {}
            for statement in self.t.surroundings.owner:
                if isinstance(statement, tree.Local):
                    targets: tuple[Expression, ...] = statement.names if statement.values else ()
                elif isinstance(statement, tree.Assign):
                    targets = statement.targets
                else:
                    continue
                for index, target in enumerate(targets):
                    target_holder = self.of(target)
                    if target_holder is not None:
                        alone = len(targets) == len(statement.values)
                        value = statement.values[index] if alone else None
                        self._assigned.setdefault(target_holder, []).append((statement, target, value))
        return self._assigned.get(holder, [])

    def in_literals(self, holder: Holder) -> list[tuple[Statement, Index, tree.Field]]:
        """The tables that are made with the field in them, each by a statement for a variable."""
        literals: list[tuple[Statement, Index, tree.Field]] = []
        if isinstance(holder, Variable):
            return literals
        for statement in self.t.surroundings.owner:
            if not isinstance(statement, tree.Assignment) or len(statement.values) != 1:
                continue
            (value,), targets = (
                statement.values,
                statement.targets,
            )
            if (
                not isinstance(value, tree.Table)
                or self.t.type(value).find() is not holder[0]
                or len(targets) != 1
            ):
                continue
            for item in value.fields:
                if item.key is not None and item.key_name == holder[1]:
                    target = Index(item.span, targets[0], item.key, True)
                    self.t.types.by_node[target] = self.t.type(item.value)
                    literals.append((statement, target, item))
        return literals

    def field(self, base: Expression, like: Index) -> Index:
        """The same field of another object."""
        node = Index(base.span, base, like.key, True)
        self.t.types.by_node[node] = self.t.type(like)
        return node

    def field_with(self, value: Expression, statement: Statement, base: Expression) -> Index | None:
        """The field of an object that keeps, from a function on, what an expression of that function is."""
        if isinstance(value, Index) and tree_queries.same_expression(value.base, base):
            holder = self.of(value)
            if holder is not None and len(self.assigned(holder)) == 1:
                return value
            return None
        if not isinstance(value, Name) or not self.t.scopes.of_name[value].constant:
            return None
        scope = self.t.surroundings.owner[statement]
        for other, owner in self.t.surroundings.owner.items():
            if owner is scope and isinstance(other, tree.Assign) and len(other.targets) == len(other.values):
                for target, assigned_value in zip(other.targets, other.values, strict=True):
                    same = isinstance(assigned_value, Name) and self.of(assigned_value) is self.of(value)
                    if same and isinstance(target, Index) and tree_queries.same_expression(target.base, base):
                        holder = self.of(target)
                        if holder is not None and len(self.assigned(holder)) == 1:
                            return target
        return None
