"""Forwards in a function that is called before their backward pass: ``local out = self:run(x) net:backward(x, g)``."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.analysis.flow import passed_integers
from torch7py.translate.native.interfaces.training import Explicit
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.names import walk_function
from torch7py.translate.native.training.forwards import Forwards
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement
from torch7py.translate.tree_queries import base_name

__all__ = ["Callees"]


class Callees:
    def __init__(self, t: Translation, explicit: Explicit, forwards: Forwards) -> None:
        self.t, self.flow, self.calls = t, forwards.flow, forwards

    def forward(
        self, node: Invoke, statements: list[Statement], candidates: list[Call | Invoke]
    ) -> tuple[Call | Invoke, Call | Invoke] | None:
        """The forward that a backward call surely belongs to, and the call of the function that it is in."""
        at = self.flow.statement(node)
        before = [s for s in statements if s.span.start < at.span.start]
        for statement in sorted(before, key=lambda s: -s.span.start):
            for call in reversed(tree.direct_nodes(statement)):
                if not isinstance(call, (Call, Invoke)):
                    continue
                if call in candidates:
                    return None
                functions = self.t.types.function_called(call)
                if not any(self._runs(f, node.receiver) for f in functions):
                    continue
                forward_call = self._of(functions[0], call, node, candidates) if len(functions) == 1 else None
                return None if forward_call is None else (forward_call, call)
        return None

    def _runs(self, function: tree.Function, module: Expression) -> bool:
        name = base_name(module)
        return name is None or self.flow.runs_inside(function, self.t.scopes.of_name[name])

    def _of(
        self, function: tree.Function, call: Call | Invoke, node: Invoke, candidates: list[Call | Invoke]
    ) -> Call | Invoke | None:
        """The forward in a function, if that is the only one, of the same module and input, and nothing changes."""
        inside = [n for n in walk_function(function.body) if isinstance(n, (Call, Invoke))]
        forwards = [n for n in inside if n in candidates]
        others = [f for n in inside for f in self.t.types.function_called(n)]
        if len(forwards) != 1 or any(self._runs(f, node.receiver) for f in others):
            return None
        (forward,) = forwards
        at, last = self.flow.statement(forward), function.body.statements[-1]
        if not self.flow.precedes(at, last) or self.flow.loops(at) or self._may_leave(function, forward):
            return None
        if not self._same_module(call, forward, node) or not self._same_input(function, call, forward, node):
            return None
        if self._is_changed(forward, last) or self.calls.switched(call, node):
            return None
        values = [node.arguments[0], *self._targets(self.flow.statement(call))]
        if any(self.flow.changed(value, call, node) for value in values):
            return None
        return forward

    def _may_leave(self, function: tree.Function, forward: Expression) -> bool:
        """Whether a function may return before its forward."""
        returns = [n for n in walk_function(function.body) if isinstance(n, tree.Return)]
        return any(n.span.start < forward.span.start and n.span.end < forward.span.start for n in returns)

    def _same_module(self, call: Call | Invoke, forward: Call | Invoke, node: Invoke) -> bool:
        """Whether the function runs the very module: a variable, or a field of the object whose method is called."""
        module = self.calls.module(forward)
        if self.flow.same(module, node.receiver):
            return True
        if not (isinstance(module, Index) and isinstance(node.receiver, Index) and isinstance(call, Invoke)):
            return False
        is_self_field = isinstance(module.base, Name) and module.base.name == "self"
        return is_self_field and self.flow.same(call.receiver, node.receiver.base)

    def _same_input(
        self, function: tree.Function, call: Call | Invoke, forward: Call | Invoke, node: Invoke
    ) -> bool:
        """Whether the forward's input is a parameter that is given what the backward call names."""
        of_name, argument_name = self.t.scopes.of_name, forward.arguments[0]
        if not isinstance(argument_name, Name) or of_name[argument_name].writes:
            return False
        return any(
            of_name[parameter] is of_name[argument_name] and self.flow.same(argument, node.arguments[0])
            for parameter, argument in self.t.types.bound_arguments(function, call)
        )

    def _is_changed(self, forward: Call | Invoke, last: Statement) -> bool:
        """Whether the input or the output changes in the rest of the function."""
        target = passed_integers(self.flow.statement(forward), forward)
        values = [forward.arguments[0], *([] if target is None else [target])]
        return any(self.flow.changed(value, forward, last) for value in values) or self.calls.switched(
            forward, last
        )

    def _targets(self, statement: Statement) -> list[Name]:
        """The variables that are given what the function gives, which may be the output."""
        if isinstance(statement, tree.Local):
            return list(statement.names)
        targets = statement.targets if isinstance(statement, tree.Assign) else ()
        return [target for target in targets if isinstance(target, Name)]
