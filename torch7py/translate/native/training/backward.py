"""Which statements only compute gradients: backward calls, and what stores and passes on their results."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch7py.translate import tree, tree_queries
from torch7py.translate.native.gradients import Gradients, is_gradient
from torch7py.translate.native.interfaces.training import Training
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.training.explicit_backward import Explicit
from torch7py.translate.native.training.losses import Losses
from torch7py.translate.native.training.truncated_bptt import Carried
from torch7py.translate.scopes import Scope, Variable
from torch7py.translate.tree import Block, Call, Expression, Index, Invoke, Name, Statement
from torch7py.translate.tree_queries import base_name

__all__ = ["BackwardPasses"]


@dataclass(eq=False)
class _FunctionGradients:
    """What is found in one function."""

    statements: list[Statement]
    gradients: set[Variable]
    dropped: set[Statement]
    objections: dict[Statement, str] = field(default_factory=dict)
    escapes: bool = False  # gradients are used for something else
    unknown: bool = False  # the loss is not found

    @property
    def is_other(self) -> bool:
        """Whether this is another computation than the backward pass of a loss."""
        return bool(self.objections) or self.escapes or self.unknown


class BackwardPasses:
    def __init__(
        self, t: Translation, training: Training, explicit: Explicit, losses: Losses, carried: Carried
    ) -> None:
        self.training, self.t = training, t
        self.explicit, self.losses, self.carried = explicit, losses, carried
        # By what all gradients of a function's criterions are scaled.
        self.scales: dict[Scope | Statement, Invoke] = {}
        self.objections: dict[Statement, str] = {}  # why a statement is no part of the loss's backward pass
        places = t.surroundings
        self._scopes = {  # those with a backward pass
            places.owner[home]
            for node in tree.every(self.t.program, Invoke)
            if self.t.user_passes.is_backward(node) and (home := places.home.get(node)) is not None
        }

    def analyse(self, scopes: list[Scope]) -> None:
        """Find the backward passes of a program: which are those of a loss, and which are written call by call."""
        explicit, losses = self.explicit, self.losses
        steps_by_scope: dict[Scope, _FunctionGradients] = {}
        for scope in scopes:
            if scope in self._scopes and self.t.user_passes.is_inside(scope.function):
                explicit.take(
                    scope, sorted(self.t.surroundings.statements_of(scope), key=lambda s: s.span.start)
                )
            elif scope in self._scopes:
                statements = sorted(self.t.surroundings.statements_of(scope), key=lambda s: s.span.start)
                self.training.steps[scope] = statements
                self.carried.find(scope, statements)
                steps_by_scope[scope] = self._judge(statements)
        for scope, step in steps_by_scope.items():
            if explicit.may_take(scope) and not step.objections and not step.escapes:
                if explicit.calls.objects(step.statements, step.dropped):
                    step.escapes = True
                    continue
                before = losses.copy()
                losses.insert_backward(scope, step.statements, step.dropped)
                step.unknown = bool(losses.unknown - before.unknown)
                losses.restore(before)
        waiting = [s for s, step in steps_by_scope.items() if explicit.may_take(s) and step.is_other]
        while waiting:
            scope = waiting.pop()
            if scope not in explicit.scopes and scope in steps_by_scope and explicit.may_take(scope):
                explicit.take(scope, steps_by_scope[scope].statements)
                waiting += explicit.forwards_elsewhere(scope, steps_by_scope[scope].statements)
        for scope, step in steps_by_scope.items():
            if scope not in explicit.scopes:
                self.objections.update(step.objections)
                self.training.dropped |= step.dropped
                self.training.dropped_variables |= step.gradients
                losses.insert_backward(scope, step.statements, step.dropped)
        self.training.dropped.update(self.t.models.coupling.functions_back())
        steps = {self._step(statement) for statement in losses.backward_at}
        for step_node, scaled in self.scales.items():
            home = self.t.surroundings.home[scaled]
            if step_node not in steps and self.t.surroundings.owner[home] not in explicit.scopes:
                self.objections[home] = "a gradient that is scaled, of a loss elsewhere"

    def _judge(self, statements: list[Statement]) -> _FunctionGradients:
        """Which statements of a function compute gradients, and what there is against their being a loss's."""
        gradients: set[Variable] = set()
        dropped: set[Statement] = set()
        while self._grow(statements, gradients, dropped):
            pass
        self._check_escapes(statements, gradients, dropped)
        in_order = [statement for statement in statements if statement in dropped]
        passed = Gradients(self.t, in_order)
        scaled = self._scaled(statements, dropped)
        passed.scaled.update(scaled)
        step = _FunctionGradients(statements, gradients, dropped)
        for statement in in_order:
            for objection in passed.objections(statement):
                step.objections.setdefault(self.losses.outermost(statement, dropped), objection)
        calls = [
            s for s in statements if any(self.t.user_passes.is_backward(n) for n in tree.direct_nodes(s))
        ]
        step.escapes = any(s not in dropped for s in calls) or any(
            self._reads_gradient(node)
            for s in statements
            if s not in dropped
            for node in tree.direct_nodes(s)
        )
        return step

    def _scaled(self, statements: list[Statement], dropped: set[Statement]) -> list[Invoke]:
        """``criterion:backward(x, y):div(n)``, where all criterions of a step are scaled by the same number."""
        groups: dict[Scope | Statement, list[Invoke]] = {}
        for statement in statements:
            for node in tree.direct_nodes(statement):
                is_call = isinstance(node, Invoke) and self.t.user_passes.is_backward(node)
                if is_call and isinstance(node, Invoke) and self.t.kind(node.receiver) == "criterion":
                    groups.setdefault(self._step(statement), []).append(node)
        nodes = [n for s in statements for n in tree.direct_nodes(s) if isinstance(n, Invoke)]
        scaled = {n.receiver: n for n in nodes if n.method in ("div", "mul") and len(n.arguments) == 1}
        scalings: list[Invoke] = []
        for step, calls in groups.items():
            changes = [scaled[n] for n in calls if n in scaled]
            if len(changes) == len(calls) and self._are_alike(changes, statements, dropped):
                self.scales[step] = changes[0]
                scalings += changes
        return scalings

    def _step(self, statement: Statement) -> Scope | Statement:
        """What a statement's training step is in: its function, or in the main program the outermost loop around it."""
        owner = self.t.surroundings.owner[statement]
        around = self.t.surroundings.parents[statement]
        return around[0] if owner.function is None and around else owner

    def scale_at(self, statement: Statement) -> Invoke | None:
        """How the gradient of a loss is scaled that goes back at a statement."""
        return self.scales.get(self._step(statement))

    def _are_alike(self, changes: list[Invoke], statements: list[Statement], dropped: set[Statement]) -> bool:
        """Whether gradients are scaled by one number, which is known where the loss is."""
        of_name, places = self.t.scopes.of_name, self.t.surroundings
        factor = changes[0].arguments[0]
        if self.t.kind(factor) != "number" or any(isinstance(n, (Call, Invoke)) for n in tree.walk(factor)):
            return False
        for name in [n for n in tree.walk(factor) if isinstance(n, Name)]:
            if any(places.home.get(written) in statements for written in of_name[name].writes):
                return False
            declared = of_name[name].declaration
            home = places.home.get(declared) if declared is not None else None
            if home is not None and any(s in dropped for s in (home, *places.parents[home])):
                return False  # of the steps, or of what is left out
        return all(
            n.method == changes[0].method and tree_queries.same_expression(n.arguments[0], factor)
            for n in changes
        )

    def _grow(self, statements: list[Statement], gradients: set[Variable], dropped: set[Statement]) -> bool:
        news = False
        of_name = self.t.scopes.of_name
        for statement in statements:
            if statement in dropped:
                continue
            if self.t.models.coupling.copies_back(statement):
                dropped.add(statement)
                news = True
            elif isinstance(statement, tree.Run):
                if self._runs_on_gradients(statement.call, gradients):
                    dropped.add(statement)
                    news = True
            elif isinstance(statement, tree.Assignment):
                variables = [of_name[name] for t in statement.targets if (name := base_name(t)) is not None]
                if not variables or len(variables) != len(statement.targets):
                    continue
                if any(v in self.training.vectors.flat_gradients for v in variables):
                    continue
                if (
                    statement.values and all(is_gradient(self.t, v, gradients) for v in statement.values)
                ) or all(v in gradients for v in variables):
                    pass
                elif not self._serves(variables, statement, statements, dropped):
                    continue
                elif self.t.models.coupling.takes_back and self._runs(statement):
                    self.training.run_alone.add(statement)
                dropped.add(statement)
                gradients.update(variables)
                news = True
            elif isinstance(statement, (tree.NumericFor, tree.GenericFor, tree.While, tree.If, tree.Do)):
                if isinstance(statement, tree.GenericFor) and is_gradient(
                    self.t, statement.values[0], gradients
                ):
                    loop_variables = {of_name[name] for name in statement.names} - gradients
                    gradients |= loop_variables
                    news = news or bool(loop_variables)
                inside = [s for s in statements if statement in self.t.surroundings.parents[s]]
                if inside and all(s in dropped for s in inside):
                    dropped.add(statement)
                    news = True
        return news

    def _runs(self, statement: Statement) -> bool:
        """Whether a statement runs a module, which may hand its state over."""
        return any(
            isinstance(node, Invoke)
            and node.method in ("forward", "updateOutput")
            and self.t.kind(node.receiver) == "module"
            for node in tree.direct_nodes(statement)
        )

    def _runs_on_gradients(self, call: Call | Invoke, gradients: set[Variable]) -> bool:
        """Whether a call as a statement only computes, keeps or checks gradients."""
        if self.t.user_passes.is_backward(call):
            return True
        if isinstance(call, Invoke):
            return self._base(call.receiver, gradients) is not None
        path = self.t.path(call.callee)
        if path == "table.insert" and call.arguments and is_gradient(self.t, call.arguments[-1], gradients):
            name = base_name(call.arguments[0])
            if name is not None:
                gradients.add(self.t.scopes.of_name[name])
                return True
        if path == "assert":
            names = [n for n in tree.walk(call.arguments[0]) if isinstance(n, Name)]
            of_name = self.t.scopes.of_name
            return any(of_name[n] in gradients for n in names) and all(
                of_name[n] in gradients or of_name[n].kind == "loop" for n in names
            )
        return False

    def _base(self, node: Expression, gradients: set[Variable]) -> Variable | None:
        name = base_name(node)
        if name is None:
            return None
        variable = self.t.scopes.of_name[name]
        return variable if variable in gradients else None

    def _serves(
        self,
        variables: list[Variable],
        statement: Statement,
        statements: list[Statement],
        dropped: set[Statement],
    ) -> bool:
        """Whether variables are read, and read only by statements that compute gradients."""
        if not isinstance(statement, tree.Local):
            return False
        for variable in variables:
            if variable.captured or not variable.reads:
                return False
            for name in [*variable.reads, *variable.writes]:
                home = self.t.surroundings.home.get(name)
                if home is None or (home not in dropped and home is not statement):
                    return False
                if home in self.training.run_alone:
                    return False
        return True

    def _check_escapes(
        self, statements: list[Statement], gradients: set[Variable], dropped: set[Statement]
    ) -> None:
        for statement in statements:
            if statement in dropped:
                continue
            for node in tree.direct_nodes(statement):
                if isinstance(node, Name) and self.t.scopes.of_name[node] in gradients:
                    for other in list(dropped):
                        if any(self.t.user_passes.is_backward(n) for n in tree.direct_nodes(other)):
                            dropped.discard(other)
                    gradients.clear()
                    return

    def _reads_gradient(self, node: tree.Node | Block) -> bool:
        """``module.gradInput``"""
        if not (isinstance(node, Index) and node.key_name == "gradInput"):
            return False
        return self.t.kind(node.base) in ("module", "criterion")
