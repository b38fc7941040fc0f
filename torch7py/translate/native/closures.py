"""Functions that outlive the turn of a loop in which they are made.

In Lua each turn has variables of its own, in Python all turns of a loop share them. What keeps its value is handed to
the function as a default argument. What is assigned is the item of a list that each turn makes, which is handed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from torch7py.translate import tree
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem
from torch7py.translate.scopes import Scope, Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement

__all__ = ["Closures"]


class Closures:
    def __init__(self, translator: Translation) -> None:
        self.t = translator
        self._parents: dict[tree.Node | tree.Block, tree.Node | tree.Block] = {}

    def name_boxes(self) -> None:
        """Have the variables that are items of lists written so."""
        for variable in self.boxes:
            name = self.t.names.of_variable(variable)
            self.t.names.chosen[variable] = f"{name}[0]"

    def boxes_of(self, statement: Statement) -> Iterator[str]:
        """The names of the lists for which a statement declares variables."""
        names = statement.names if isinstance(statement, tree.Local) else ()
        names = (statement.name,) if isinstance(statement, tree.LocalFunction) else names
        for name in names if self.boxes else ():
            if self.t.scopes.of_name[name] in self.boxes:
                yield self.box(self.t.scopes.of_name[name])

    def box(self, variable: Variable) -> str:
        """The name of the list that a variable is the item of, else its own."""
        return self.t.names.of_variable(variable).removesuffix("[0]")

    @cached_property
    def boxes(self) -> set[Variable]:
        """The variables of a turn that are assigned, and that a function uses which is kept beyond the turn."""
        return {
            variable
            for scope in self.t.scopes.of_function.values()
            for variable in scope.upvalues
            if variable.in_loop and variable.kind in ("local", "function")
            if self._changes(variable, scope) and self._outlives(scope.function, variable.scope)
        }

    def _changes(self, variable: Variable, scope: Scope) -> bool:
        """Whether a variable is given a value after a function that uses it is made, or by that."""
        assert scope.function is not None
        assert variable.declaration is not None
        is_behind = variable.declaration.span.start > scope.function.span.start
        is_itself = variable.kind == "function" and self._is_name_of(variable, scope.function)
        return not variable.constant or is_behind or is_itself

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
            keeps_its_value = variable.kind != "function" and not self._changes(variable, scope)
            if keeps_its_value or variable in self.boxes:
                variables.append(variable)
            elif self._outlives(function, variable.scope):
                if self._changes(variable, scope):
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

    def _outlives(self, node: Expression | None, home: Scope | None, seen: tuple[Variable, ...] = ()) -> bool:
        """Whether a function, or the variable that holds it, is kept beyond its turn of a loop in ``home``."""
        assert node is not None
        parent = self._parent(node)
        while isinstance(parent, (tree.Paren, tree.Binary)):
            node, parent = parent, self._parent(parent)
        if isinstance(parent, tree.LocalFunction):
            return self._is_kept(parent.name, home, seen)
        if isinstance(parent, tree.Local) and node in parent.values:
            at = parent.values.index(node)
            return at < len(parent.names) and self._is_kept(parent.names[at], home, seen)
        if isinstance(parent, tree.FunctionStatement):
            return not isinstance(parent.target, Name) or self._is_kept(parent.target, home, seen)
        if isinstance(parent, tree.Assign) and node in parent.values:
            at = parent.values.index(node)
            target = parent.targets[at] if at < len(parent.targets) else None
            return isinstance(target, Index) or (
                isinstance(target, Name) and self._is_kept(target, home, seen)
            )
        if isinstance(parent, (Call, Invoke)) and node in parent.arguments:
            return self._keeps(parent, parent.arguments.index(node), home, seen)
        if isinstance(parent, tree.Return):  # of a function that the turn calls; its own ends the loop
            return self._function_around(parent) is not (home.function if home is not None else None)
        return isinstance(parent, (tree.Field, tree.Table))

    def _function_around(self, node: tree.Node | tree.Block) -> tree.Function | None:
        around = self._parent(node)
        while around is not None and not isinstance(around, tree.Function):
            around = self._parent(around)
        return around

    def _is_kept(self, name: Name, home: Scope | None, seen: tuple[Variable, ...]) -> bool:
        variable = self.t.scopes.of_name[name]
        if variable in seen:
            return False
        if variable.kind != "parameter" and not variable.in_loop and not _is_inside(variable.scope, home):
            return True
        for read in variable.reads:
            parent = self._parent(read)
            called = isinstance(parent, Call) and parent.callee is read
            if not called and self._outlives(read, home, (*seen, variable)):
                return True
        return False

    def _keeps(self, call: Call | Invoke, at: int, home: Scope | None, seen: tuple[Variable, ...]) -> bool:
        """Whether a call keeps one of its arguments."""
        if isinstance(call, Call) and self.t.path(call.callee) == "table.insert":
            return True
        for function in self.t.types.function_called(call):
            shift = 1 if isinstance(call, Invoke) else 0
            if at + shift >= len(function.parameters):
                if function.vararg:
                    return True
                continue
            if self._is_kept(function.parameters[at + shift], home, seen):
                return True
        return False


def _is_inside(scope: Scope | None, home: Scope | None) -> bool:
    """Whether a function is inside another one."""
    around = scope.parent if scope is not None else None
    while around is not None and around is not home:
        around = around.parent
    return around is home and home is not None
