"""The stretches of a variable: a new one where it is assigned in the block that declares it."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.scopes import Scopes, Variable
from torch7py.translate.tree import Block, Expression, Name
from torch7py.translate.types import Types

__all__ = ["Stretches", "given_once"]


class Stretches:
    """Gives each variable of a program its stretches, in ``types.versions``."""

    def __init__(self, scopes: Scopes, types: Types) -> None:
        self.scopes = scopes
        self.types = types
        # Where a variable is assigned in the block that declares it.
        self._homes: dict[Variable, list[int]] = {}
        self._seen: set[Variable] = set()  # globals

    def find(self, program: Block) -> None:
        self._visit(program, True)
        everything = [v for s in [self.scopes.main, *self.scopes.of_function.values()] for v in s.variables]
        for variable in [*everything, *self.scopes.globals.values()]:
            bounds = self._homes.get(variable, [])
            if variable.foreign is not None:
                bounds = [bound for bound in bounds if bound < variable.foreign]
            self.types.versions[variable] = (bounds, [Type() for _ in range(len(bounds) + 1)])

    def _visit(self, block: Block, main: bool) -> None:
        declared: set[Variable] = set()
        for statement in block.statements:
            if isinstance(statement, tree.Local):
                declared |= {self.scopes.of_name[name] for name in statement.names}
            if isinstance(statement, tree.Assign):
                for target in statement.targets:
                    if isinstance(target, Name):
                        variable = self.scopes.of_name[target]
                        if main and variable.is_global and variable not in self._seen:
                            self._seen.add(variable)  # the first assignment of a global is its declaration
                        elif variable in declared or (main and variable.is_global):
                            self._homes.setdefault(variable, []).append(statement.span.end)
            for inner in tree.blocks(statement):
                self._visit(inner, False)


def given_once(program: Block, scopes: Scopes) -> dict[Variable, Expression]:
    """The variables that are given one value, and nothing else ever, each with that value."""
    values: dict[Variable, Expression | None] = {}
    for statement in tree.those(program, tree.Local, tree.Assign):
        assert isinstance(statement, (tree.Local, tree.Assign))
        targets = statement.names if isinstance(statement, tree.Local) else statement.targets
        if isinstance(statement, tree.Local) and not statement.values:
            continue  # nil, until it is given a value
        alike = len(targets) == len(statement.values)
        for place, target in enumerate(targets):
            if isinstance(target, Name):
                variable = scopes.of_name[target]
                values[variable] = statement.values[place] if alike and variable not in values else None
    return {
        variable: value
        for variable, value in values.items()
        if value is not None and variable.kind in ("local", "global") and len(variable.writes) <= 1
    }
