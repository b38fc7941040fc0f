"""Where the tables of a program are made, what is put into them, and in which loops."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.native.analysis.program_facts import Known
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Expression, Index, Name
from torch7py.translate.tree_queries import same_expression

__all__ = ["TableUses"]


class TableUses:
    def __init__(self, translator: Known) -> None:
        self.t = translator
        self.stores: dict[Type, list[tuple[tree.Assign, Index]]] = {}
        self.values: dict[Type, list[Expression]] = {}
        self.constructors: dict[Type, list[tree.Table]] = {}
        self.shrunk: set[Type] = set()  # what table.remove takes items out of
        self.loop_of: dict[Variable, tree.NumericFor | tree.GenericFor] = {}
        # what is handed to a function that may fill it or take something out of it, and where
        self.filled_by: list[tuple[int, Expression]] = []
        for node in tree.those(translator.program, tree.NumericFor, tree.GenericFor):
            if isinstance(node, (tree.NumericFor, tree.GenericFor)):
                for name in node.names if isinstance(node, tree.GenericFor) else (node.variable,):
                    self.loop_of[translator.scopes.of_name[name]] = node
        for node in tree.those(translator.program, tree.Table, tree.Call, tree.Invoke, tree.Assign):
            if isinstance(node, tree.Table):
                self._constructor(node)
            elif isinstance(node, tree.Call) and node.arguments:
                self._called(node)
            elif isinstance(node, tree.Invoke) and node.method == "insert" and node.arguments:
                self.values.setdefault(self.t.type(node.receiver), []).append(node.arguments[-1])
            elif isinstance(node, tree.Assign):
                self._assigned(node)

    def _constructor(self, node: tree.Table) -> None:
        table_type = self.t.type(node)
        self.constructors.setdefault(table_type, []).append(node)
        values = [item.value for item in node.fields if not isinstance(item.key, tree.String)]
        if values:
            self.values.setdefault(table_type, []).extend(values)

    def _assigned(self, statement: tree.Assign) -> None:
        types = self.t.types
        for index, target in enumerate(statement.targets):
            if isinstance(target, Index) and (
                types.kind(target.base) == "table" or types.of(target.base).find().classes
            ):
                base = types.of(target.base).owner()
                if not self._is_gradient(target.base):
                    self.stores.setdefault(base, []).append((statement, target))
                if index < len(statement.values):
                    self.values.setdefault(base, []).append(statement.values[index])

    def _is_gradient(self, table: Expression) -> bool:
        """Whether a table is a layer's own of gradients, of which autograd makes a list in any case."""
        return (
            isinstance(table, Index)
            and table.key_name == "gradInput"
            and self.t.kind(table.base) in ("module", "criterion")
        )

    def _called(self, node: tree.Call) -> None:
        types, first = self.t.types, node.arguments[0]
        path = types.path(node.callee)
        if path == "table.remove":
            self.shrunk.add(types.of(first))
            self.filled_by.append((node.span.start, first))
        if path == "table.insert":
            self.values.setdefault(types.of(first), []).append(node.arguments[-1])
            self.filled_by.append((node.span.start, first))
        elif types.function_called(node):
            self.filled_by += [(node.span.start, a) for a in node.arguments if isinstance(a, (Name, Index))]

    def is_same(self, left: Expression, right: Expression) -> bool:
        """Whether two expressions name the same variable, or field."""
        if isinstance(left, Name) and isinstance(right, Name):
            return self.t.scopes.of_name[left] is self.t.scopes.of_name[right]
        return same_expression(left, right)

    def is_for(self, table: tree.Table, base: Expression) -> bool:
        """Whether a constructor is what was assigned to this variable."""
        statement = self.t.surroundings.home[table]
        if isinstance(statement, tree.Local):
            targets: tuple[Expression, ...] = statement.names
        elif isinstance(statement, tree.Assign):
            targets = statement.targets
        else:
            return False
        if table not in statement.values:
            return False
        target = targets[statement.values.index(table)]
        return self.is_same(target, base)
