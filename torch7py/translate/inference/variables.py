"""The stretches of a variable: a new one where it is assigned in the block that declares it."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.scopes import Scopes, Variable
from torch7py.translate.tree import Block, Name
from torch7py.translate.types import Types

__all__ = ["Stretches"]


class Stretches:
    """Gives each variable of a program its stretches, in ``types.versions``."""

    def __init__(self, scopes: Scopes, types: Types) -> None:
        self.scopes = scopes
        self.types = types
        self._scope_of_name: dict[Name, object] = {}

    def find(self, program: Block) -> None:
        homes: dict[Variable, list[int]] = {}
        self._find_homes(program, homes, set())
        everything = [v for s in [self.scopes.main, *self.scopes.of_function.values()] for v in s.variables]
        for variable in [*everything, *self.scopes.globals.values()]:
            bounds = homes.get(variable, [])
            names = [*variable.reads, *variable.writes]
            foreign = [name.place.start for name in names if self._is_foreign(variable, name)]
            first = min(foreign, default=None)
            if first is not None:
                bounds = [bound for bound in bounds if bound < first]
            self.types.versions[variable] = (bounds, [Type() for _ in range(len(bounds) + 1)])

    def _is_foreign(self, variable: Variable, name: Name) -> bool:
        return self._scope_of_name.get(name) is not (variable.scope or self.scopes.main)

    def _find_homes(self, program: Block, homes: dict[Variable, list[int]], seen: set[Variable]) -> None:
        def names_in(node: tree.Node | Block, scope: object) -> None:
            if isinstance(node, tree.Function):
                scope = self.scopes.of_function[node]
            if isinstance(node, Name):
                self._scope_of_name[node] = scope
            for child in tree.children(node):
                names_in(child, scope)

        names_in(program, self.scopes.main)

        def visit(block: Block, main: bool) -> None:
            declared: set[Variable] = set()
            for statement in block.statements:
                if isinstance(statement, tree.Local):
                    declared |= {self.scopes.of_name[name] for name in statement.names}
                if isinstance(statement, tree.Assign):
                    for target in statement.targets:
                        if isinstance(target, Name):
                            variable = self.scopes.of_name[target]
                            if main and variable.is_global and variable not in seen:
                                seen.add(variable)  # the first assignment of a global is its declaration
                            elif variable in declared or (main and variable.is_global):
                                homes.setdefault(variable, []).append(statement.place.end)
                for child in tree.children(statement):
                    descend(child)

        def descend(node: tree.Node | Block) -> None:
            if isinstance(node, Block):
                visit(node, False)
            else:
                for child in tree.children(node):
                    descend(child)

        visit(program, True)
