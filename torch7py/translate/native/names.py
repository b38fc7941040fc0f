"""Python names for the variables of a program, where two of one name in a function must not become one."""

from __future__ import annotations

from collections.abc import Iterable, Set

from torch7py.translate import tree
from torch7py.translate.native.code import names_reserved, python_name
from torch7py.translate.scopes import Scope, Scopes, Variable
from torch7py.translate.tree import Name

__all__ = ["Names"]


class Names:
    """Chooses a name for each variable; ``fresh`` gives names for values that the program has no name for."""

    def __init__(self, scopes: Scopes, imported: Set[Variable] = frozenset()) -> None:
        self.scopes = scopes
        # What other files give: the page has it by a name of its own, which its functions must not take.
        self._imported = imported
        self.chosen: dict[Variable, str] = {}
        self._named: dict[tuple[str, Scope], list[Variable]] = {}  # of a function, those that go by a name
        self.used: dict[Scope, set[str]] = {}
        self._rests: dict[Scope, str] = {}
        self._of_loops: dict[tuple[Scope, str], str] = {}
        for variable in scopes.globals.values():
            if variable.writes:
                self._give(variable, scopes.main)
        self._visit(scopes.main)

    def _visit(self, scope: Scope) -> None:
        for variable in scope.variables:
            self._give(variable, scope)
        for inner in scope.inner:
            self._visit(inner)

    def _give(self, variable: Variable, scope: Scope) -> None:
        used = self.used.setdefault(scope, set())
        base = "underscore" if variable.name == "_" and variable.reads else python_name(variable.name)
        if variable.name == "_" and not variable.reads and not (variable.kind == "parameter" and "_" in used):
            self._choose(variable, "_")
            if variable.kind == "parameter":
                used.add("_")
            return
        name, number = base, 1
        while self._clashes(variable, scope, name) or (variable.kind == "parameter" and name in used):
            number += 1
            name = f"{base}{number}"
        self._choose(variable, name)
        used.add(name)

    def _choose(self, variable: Variable, name: str) -> None:
        self.chosen[variable] = name
        self._named.setdefault((name, variable.scope or self.scopes.main), []).append(variable)

    def _clashes(self, variable: Variable, scope: Scope, name: str) -> bool:
        if not all(self._may_share(other, variable) for other in self._named.get((name, scope), ())):
            return True
        # A function that uses an outer variable must not have one of its own of that name.
        outer = scope.parent
        while outer is not None:
            if any(self._used_within(other, scope) for other in self._named.get((name, outer), ())):
                return True
            outer = outer.parent
        return False

    def _used_within(self, variable: Variable, scope: Scope) -> bool:
        users = variable.readers | variable.writers
        inside = [scope]
        while inside:
            current = inside.pop()
            if current in users:
                return True
            inside.extend(current.inner)
        return False

    def _may_share(self, first: Variable, second: Variable) -> bool:
        """Whether the later variable may take over the earlier one's name."""
        if first.captured or second.captured:
            return False
        if second.declaration is None or first.declaration is None:
            return False
        if first in self._imported:
            return False
        if first.scope is self.scopes.main and "function" in (first.kind, second.kind):
            return False  # the function is a def of the page, which is there from its beginning
        start = second.declaration.span.start
        uses = [*first.reads, *first.writes]
        if any(name.span.start >= start for name in uses):
            return False
        # No loop may bring the program back from the second one to a use of the first.
        loops = self.scopes.loops_of
        renewed = set(loops[first.declaration])
        return not any((set(loops[name]) & set(loops[second.declaration])) - renewed for name in uses)

    def of(self, name: Name) -> str:
        variable = self.scopes.of_name[name]
        return self.chosen.get(variable) or python_name(name.name)

    def of_variable(self, variable: Variable) -> str:
        return self.chosen.get(variable) or python_name(variable.name)

    def fresh(self, base: str, scope: Scope) -> str:
        """A name that no variable of the function, or of those around and in it, has."""
        name = self._free(base, scope)
        self.used.setdefault(scope, set()).add(name)
        return name

    def free_in(self, scopes: Iterable[Scope], base: str) -> str:
        """A name that means nothing else in any of several functions."""
        scopes, name = list(scopes), base
        while (other := next((n for s in scopes if (n := self._free(name, s)) != name), None)) is not None:
            name = other
        return name

    def stand_for(self, parameter: Variable, name: str, scope: Scope) -> None:
        """Let a parameter be what the functions around have under a name, which its own then has for nothing else."""
        self.chosen[parameter] = name
        inside = [scope]
        for current in inside:
            inside += current.inner
            for variable in current.variables:
                if variable is not parameter and self.chosen.get(variable) == name:
                    self.chosen[variable] = self.fresh(name, current)

    def of_loop(self, base: str, scope: Scope) -> str:
        """The variable of loops that a function has in the page alone, one for all that begin with this name."""
        name = self._of_loops.get((scope, base))
        if name is None:
            name = self._of_loops[scope, base] = self._free(base, scope)
        return name

    def rest(self, scope: Scope) -> str:
        """What ``...`` of a function is called: ``args`` where no variable in sight is called so."""
        name = self._rests.get(scope)
        if name is None:
            name = self._rests[scope] = self._free("args", scope)
        return name

    def _free(self, base: str, scope: Scope) -> str:
        taken = self.used.get(scope, set()) | names_reserved()
        outer = scope.parent
        while outer is not None:
            taken |= self.used.get(outer, set())
            outer = outer.parent
        inside = list(scope.inner)
        while inside:
            current = inside.pop()
            taken |= self.used.get(current, set())
            inside.extend(current.inner)
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base}{number}"
        return name


def walk_function(node: tree.Node | tree.Block) -> list[tree.Node | tree.Block]:
    """A node and what is below it, without what is in inner functions."""
    nodes: list[tree.Node | tree.Block] = []
    stack: list[tree.Node | tree.Block] = [node]
    while stack:
        current = stack.pop()
        nodes.append(current)
        stack.extend(
            child for child in reversed(list(tree.children(current))) if not isinstance(child, tree.Function)
        )
    return nodes
