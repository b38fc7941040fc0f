"""The stretches of a variable: a new one where it is assigned in the block that declares it."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.scopes import Scopes, Variable
from torch7py.translate.tree import Block, Expression, Name
from torch7py.translate.types import Types

__all__ = ["AssignedValues", "Stretches"]


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


class AssignedValues:
    """What the statements of a program give its variables."""

    def __init__(self, program: Block) -> None:
        self._of_targets: dict[Name, Expression | None] = {}
        nodes: list[tree.Local | tree.Assign] = [
            *tree.every(program, tree.Local),
            *tree.every(program, tree.Assign),
        ]
        for node in nodes:
            names = node.names if isinstance(node, tree.Local) else node.targets
            alike = len(names) == len(node.values)
            for at, name in enumerate(names):
                if isinstance(name, Name) and (node.values or isinstance(node, tree.Assign)):
                    self._of_targets[name] = node.values[at] if alike else None

    def to(self, variable: Variable) -> list[Expression | None]:
        """All that a variable is ever given but nil at first; None for what is no value of its own in a statement."""
        first = variable.declaration
        declared = [first] if isinstance(first, Name) and first in self._of_targets else []
        return [self._of_targets.get(name) for name in (*variable.writes, *declared)]

    def once(self, scopes: Scopes) -> dict[Variable, Expression]:
        """The variables that are given one value, and nothing else ever, each with that value."""
        given: dict[Variable, Expression] = {}
        for variable in dict.fromkeys(scopes.of_name[name] for name in self._of_targets):
            values = self.to(variable)
            if len(values) == 1 and values[0] is not None and variable.kind in ("local", "global"):
                given[variable] = values[0]
        return given
