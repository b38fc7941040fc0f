"""Where the tables of a program are made, what is put into them, and in which loops and blocks that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.forms import same_expression
from torch7py.translate.kinds import Type
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Block, Expression, Index, Name, Statement

if TYPE_CHECKING:
    from torch7py.translate.native.translator import Translator

__all__ = ["TableUses"]


class TableUses:
    def __init__(self, translator: Translator) -> None:
        self.t = translator
        self.stores: dict[Type, list[tuple[tree.Assign, Index]]] = {}
        self.values: dict[Type, list[Expression]] = {}
        self.made: dict[Type, list[tree.Table]] = {}
        self.shrunk: set[Type] = set()  # what table.remove takes items out of
        self.context: dict[tree.Node, tuple[Block, ...]] = {}
        self.statements: dict[tree.Node, tuple[Statement, ...]] = {}
        self.loop_of: dict[Variable, tree.NumericFor | tree.GenericFor] = {}
        # what is handed to a function that may fill it or take something out of it, and where
        self.filled_by: list[tuple[int, Expression]] = []
        for node in tree.those(translator.program, tree.NumericFor, tree.GenericFor):
            if isinstance(node, (tree.NumericFor, tree.GenericFor)):
                for name in node.names if isinstance(node, tree.GenericFor) else (node.variable,):
                    self.loop_of[translator.scopes.of_name[name]] = node
        self._visit(translator.program, (), ())

    def _visit(self, block: Block, around: tuple[Statement, ...], blocks: tuple[Block, ...]) -> None:
        types = self.t.types
        for statement in block.statements:
            chain = (*around, statement)
            inside = (*blocks, block)
            for node in self._nodes(statement):
                self.context[node] = inside
                self.statements[node] = chain
                kind = type(node)
                if (
                    kind is tree.Invoke
                    and isinstance(node, tree.Invoke)
                    and node.method == "insert"
                    and node.arguments
                ):
                    self.values.setdefault(types.of(node.receiver), []).append(node.arguments[-1])
                if kind is not tree.Table and kind is not tree.Call:
                    continue
                if isinstance(node, tree.Table):
                    self.made.setdefault(types.of(node), []).append(node)
                    for item in node.fields:
                        if not isinstance(item.key, tree.String):
                            self.values.setdefault(types.of(node), []).append(item.value)
                elif isinstance(node, tree.Call) and node.arguments:
                    self._called(node)
            if isinstance(statement, tree.Assign):
                for index, target in enumerate(statement.targets):
                    if isinstance(target, Index) and (
                        types.kind(target.base) == "table" or types.of(target.base).find().classes
                    ):
                        base = types.of(target.base).owner()
                        self.stores.setdefault(base, []).append((statement, target))
                        if index < len(statement.values):
                            self.values.setdefault(base, []).append(statement.values[index])
            for child in tree.blocks(statement):
                self._visit(child, chain, inside)

    def _called(self, node: tree.Call) -> None:
        types, first = self.t.types, node.arguments[0]
        path = types.path(node.callee)
        if path == "table.remove":
            self.shrunk.add(types.of(first))
            self.filled_by.append((node.place.start, first))
        if path == "table.insert":
            self.values.setdefault(types.of(first), []).append(node.arguments[-1])
            self.filled_by.append((node.place.start, first))
        elif types.function_called(node):
            self.filled_by += [(node.place.start, a) for a in node.arguments if isinstance(a, (Name, Index))]

    def _nodes(self, statement: Statement) -> list[tree.Node]:
        """The nodes of a statement that are in no inner block."""
        found: list[tree.Node] = [statement]
        stack = list(tree.children(statement))
        while stack:
            node = stack.pop()
            if isinstance(node, Block):
                continue
            found.append(node)
            if not isinstance(node, tree.Function):
                stack.extend(tree.children(node))
        return found

    def blocks_of(self, statement: Statement) -> tuple[Block, ...]:
        """The blocks around a statement, outermost first."""
        return self.context[statement]

    def is_same(self, left: Expression, right: Expression) -> bool:
        """Whether two expressions name the same variable, or field."""
        if isinstance(left, Name) and isinstance(right, Name):
            return self.t.scopes.of_name[left] is self.t.scopes.of_name[right]
        return same_expression(left, right)

    def is_for(self, made: tree.Table, base: Expression) -> bool:
        """Whether a constructor is what was assigned to this variable."""
        statement = self.statements[made][-1]
        if isinstance(statement, tree.Local):
            targets: tuple[Expression, ...] = statement.names
        elif isinstance(statement, tree.Assign):
            targets = statement.targets
        else:
            return False
        if made not in statement.values:
            return False
        target = targets[statement.values.index(made)]
        return self.is_same(target, base)
