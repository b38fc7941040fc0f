"""Functions that outlive the turn of a loop in which they are made.

In Lua each turn has variables of its own, in Python all turns of a loop share them. What keeps its value is handed to
the function as a default argument; what is assigned cannot be.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem
from torch7py.translate.scopes import Scope, Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name

__all__ = ["Closures"]


class Closures:
    def __init__(self, translator: Translation) -> None:
        self.t = translator
        self._parents: dict[tree.Node | tree.Block, tree.Node | tree.Block] = {}

    def of_turn(self, scope: Scope) -> list[Variable]:
        """What a function takes from its turn of a loop, in the order of their declarations."""
        function = scope.function
        assert function is not None
        variables = []
        # What an optimizer moves, which a parameter of it stands for.
        point = self.t.training.points.get(function)
        moved = [self.t.scopes.of_name[point]] if isinstance(point, Name) else []
        for variable in dict.fromkeys([*scope.upvalues, *moved]):
            declaration = variable.declaration
            if not variable.in_loop or variable.scope is not scope.parent or declaration is None:
                continue
            if self.t.training.is_dropped(variable):
                continue
            early = declaration.span.start > function.span.start  # it is declared behind the function
            itself = variable.kind == "function" and self._is_name_of(variable, function)
            if variable.constant and not early and variable.kind != "function":
                variables.append(variable)
            elif self._outlives(function, ()):
                if not variable.constant or early or itself:
                    raise Problem(
                        "T7-219",
                        function.line,
                        f"a function kept for later with {variable.name}, which each turn of a loop has for itself",
                    )
                variables.append(variable)
        return sorted(variables, key=lambda v: v.declaration.span.start if v.declaration else 0)

    def _is_name_of(self, variable: Variable, function: tree.Function) -> bool:
        parent = self._parent(function)
        return isinstance(parent, tree.LocalFunction) and parent.name is variable.declaration

    def _parent(self, node: tree.Node | tree.Block) -> tree.Node | tree.Block | None:
        if not self._parents:
            stack: list[tree.Node | tree.Block] = [self.t.program]
            while stack:
                current = stack.pop()
                for child in tree.children(current):
                    self._parents[child] = current
                    stack.append(child)
        return self._parents.get(node)

    def _outlives(self, node: Expression, seen: tuple[Variable, ...]) -> bool:
        """Whether a function, or the variable that holds it, is kept beyond its turn of the loop."""
        parent = self._parent(node)
        while isinstance(parent, (tree.Paren, tree.Binary)):
            node, parent = parent, self._parent(parent)
        if isinstance(parent, tree.LocalFunction):
            return self._is_kept(parent.name, seen)
        if isinstance(parent, tree.Local) and node in parent.values:
            at = parent.values.index(node)
            return at < len(parent.names) and self._is_kept(parent.names[at], seen)
        if isinstance(parent, tree.FunctionStatement):
            return not isinstance(parent.target, Name) or self._is_kept(parent.target, seen)
        if isinstance(parent, tree.Assign) and node in parent.values:
            at = parent.values.index(node)
            target = parent.targets[at] if at < len(parent.targets) else None
            return isinstance(target, Index) or (isinstance(target, Name) and self._is_kept(target, seen))
        if isinstance(parent, (Call, Invoke)) and node in parent.arguments:
            return self._keeps(parent, parent.arguments.index(node), seen)
        return isinstance(parent, (tree.Field, tree.Table))

    def _is_kept(self, name: Name, seen: tuple[Variable, ...]) -> bool:
        variable = self.t.scopes.of_name[name]
        if variable in seen:
            return False
        if variable.kind != "parameter" and not variable.in_loop:
            return True
        for read in variable.reads:
            parent = self._parent(read)
            called = isinstance(parent, Call) and parent.callee is read
            if not called and self._outlives(read, (*seen, variable)):
                return True
        return False

    def _keeps(self, call: Call | Invoke, at: int, seen: tuple[Variable, ...]) -> bool:
        """Whether a call keeps one of its arguments."""
        if isinstance(call, Call) and self.t.path(call.callee) == "table.insert":
            return True
        for function in self.t.types.function_called(call):
            shift = 1 if isinstance(call, Invoke) else 0
            if at + shift >= len(function.parameters):
                if function.vararg:
                    return True
                continue
            if self._is_kept(function.parameters[at + shift], seen):
                return True
        return False
