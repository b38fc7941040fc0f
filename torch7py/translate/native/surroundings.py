"""Where the statements and expressions of a program are: in which function, block and other statements."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.scopes import Scope, Scopes
from torch7py.translate.tree import Block, Statement

__all__ = ["Surroundings"]


class Surroundings:
    def __init__(self, program: Block, scopes: Scopes) -> None:
        self.program, self.scopes = program, scopes
        # Those around in its function, outermost first.
        self.parents: dict[Statement, tuple[Statement, ...]] = {}
        self.owner: dict[Statement, Scope] = {}  # the function that each is in
        self.block_of: dict[Statement, Block] = {}
        # The statement of each node, but what is in a function of it.
        self.home: dict[tree.Node, Statement] = {}
        self._within: dict[Statement, Statement | None] = {}  # the statement around, or around the function
        self._bodies = {function.body: scope for function, scope in scopes.of_function.items()}
        self._of_scope: dict[Scope, list[Statement]] | None = None
        self._record(program, scopes.main, (), None)

    def _record(
        self, block: Block, scope: Scope, parents: tuple[Statement, ...], within: Statement | None
    ) -> None:
        for statement in block.statements:
            self.parents[statement] = parents
            self.owner[statement] = scope
            self.block_of[statement] = block
            self._within[statement] = within
            for node in tree.direct_nodes(statement):
                self.home[node] = statement  # type: ignore[index]  # they are no blocks
            for inner in tree.blocks(statement):
                function = self._bodies.get(inner)
                if function is None:
                    self._record(inner, scope, (*parents, statement), statement)
                else:
                    self._record(inner, function, (), statement)

    def chain(self, node: tree.Node) -> list[Statement]:
        """The statement of a node, behind all that it is in, those around its functions too, outermost first."""
        statements: list[Statement] = []
        at: Statement | None = self.home[node]
        while at is not None:
            statements.append(at)
            at = self._within[at]
        return statements[::-1]

    def blocks(self, node: tree.Node) -> list[Block]:
        """The blocks around a node, outermost first."""
        return [self.block_of[statement] for statement in self.chain(node)]

    def block(self, node: tree.Node) -> Block:
        """The innermost one."""
        return self.block_of[self.home[node]]

    def all_statements(self) -> list[Statement]:
        return list(self.owner)

    def statements_of(self, scope: Scope) -> list[Statement]:
        if self._of_scope is None:
            self._of_scope = {}
            for statement, owner in self.owner.items():
                self._of_scope.setdefault(owner, []).append(statement)
        return list(self._of_scope.get(scope, ()))
