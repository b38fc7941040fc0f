"""The losses that backward passes are of, and where ``loss.backward()`` stands."""

from __future__ import annotations

from typing import NamedTuple

from torch7py.translate import tree, tree_queries
from torch7py.translate.native.interfaces import training as interfaces
from torch7py.translate.native.interfaces.training import Training
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.scopes import Scope, Variable
from torch7py.translate.tree import Block, Call, Expression, Invoke, Name, Statement
from torch7py.translate.tree_queries import LOOPS, base_name, same_expression

__all__ = ["Losses"]


class Losses(interfaces.Losses):
    def __init__(self, t: Translation, training: Training) -> None:
        self.training, self.t = training, t
        super().__init__()
        self.hoisted_at: dict[Statement, list[Expression]] = {}
        self.named: dict[Statement, str] = {}
        self.unknown: set[Statement] = set()
        self.summed: dict[Expression, str] = {}  # losses of a loop's turns that go back together behind it
        self.sums_at: dict[Statement, list[str]] = {}

    def copy(self) -> _Kept:
        """What is known now, to be restored if something is tried in vain."""
        t = self.t
        return _Kept(
            set(self.graph_functions),
            set(self.calls),
            dict(self.hoisted),
            {s: list(entries) for s, entries in self.hoisted_at.items()},
            dict(self.named),
            {s: list(entries) for s, entries in self.backward_at.items()},
            set(self.unknown),
            set(t.graph_variables),
            {s: set(names) for s, names in t.names.used.items()},
            dict(self.summed),
            {s: list(names) for s, names in self.sums_at.items()},
        )

    def restore(self, kept: _Kept) -> None:
        self.graph_functions, self.calls, self.hoisted, self.hoisted_at = kept[:4]
        self.named, self.backward_at, self.unknown, self.t.graph_variables, self.t.names.used = kept[4:9]
        self.summed, self.sums_at = kept[9:]

    def outermost(self, statement: Statement, dropped: set[Statement]) -> Statement:
        for around in self.t.surroundings.parents[statement]:
            if around in dropped:
                return around
        return statement

    def insert_backward(self, scope: Scope, statements: list[Statement], dropped: set[Statement]) -> None:
        waiting: list[Invoke] = []
        passes: list[tuple[Statement, list[Variable | str]]] = []
        for statement in statements:
            if statement not in dropped:
                continue
            calls = [n for n in tree.direct_nodes(statement) if self.t.user_passes.is_backward(n)]
            criterions = [
                c for c in calls if isinstance(c, Invoke) and self.t.kind(c.receiver) == "criterion"
            ]
            modules = [c for c in calls if isinstance(c, Invoke) and self.t.kind(c.receiver) == "module"]
            waiting += [c for c in criterions if c not in waiting]
            if modules and waiting:
                losses: list[Variable | str] = []
                try:
                    for call in waiting:
                        loss = self._loss_of(call, scope, statements, self.outermost(statement, dropped))
                        if loss not in losses:
                            losses.append(loss)
                except _NoLoss:
                    self.unknown.add(self.outermost(statement, dropped))
                waiting = []
                passes.append((self.outermost(statement, dropped), losses))
                self.backward_at.setdefault(passes[-1][0], [])
        for outermost, losses in self._joined(passes, statements, dropped):
            for loss in losses:
                at = self._first_change(loss, outermost, statements, dropped)
                known_losses = self.backward_at.setdefault(at, [])
                known_losses += [loss] if loss not in known_losses else []

    def _joined(
        self,
        passes: list[tuple[Statement, list[Variable | str]]],
        statements: list[Statement],
        dropped: set[Statement],
    ) -> list[tuple[Statement, list[Variable | str]]]:
        """Passes whose gradients meet in one module, as one at the last of them: autograd goes through it once."""
        groups: list[tuple[Statement, list[Variable | str], set[Statement]]] = []
        for at, losses in passes:
            reached = self._reached(at, statements, dropped) if len(passes) > 1 else {at}
            meeting = [
                group
                for group in groups
                if group[2] & reached and self._may_wait(group[0], at, statements, dropped)
            ]
            for group in meeting:
                groups.remove(group)
                losses = group[1] + [loss for loss in losses if loss not in group[1]]
                reached |= group[2]
            groups.append((at, losses, reached))
        return [(at, losses) for at, losses, _ in groups]

    def _may_wait(
        self, first: Statement, last: Statement, statements: list[Statement], dropped: set[Statement]
    ) -> bool:
        """Whether a backward pass may as well come at a later statement."""
        parents = self.t.surroundings.parents
        between = [
            s for s in statements if first.span.start < s.span.start < last.span.start and s not in dropped
        ]
        return parents[first] == parents[last] and not any(
            isinstance(n, Invoke) and self._changes_model(n) for s in between for n in tree.direct_nodes(s)
        )

    def _reached(
        self, first: Statement, statements: list[Statement], dropped: set[Statement]
    ) -> set[Statement]:
        """The backward passes that what one gives goes on into, with itself."""
        of_name, backward = self.t.scopes.of_name, self.t.user_passes
        passed: set[Variable] = set()
        reached = {first}
        for statement in [s for s in statements if s in dropped and s.span.start >= first.span.start]:
            nodes = tree.direct_nodes(statement)
            # Anew, and not read.
            overwritten = statement.targets if isinstance(statement, tree.Assign) else ()
            names = {of_name[n] for n in nodes if isinstance(n, Name) and n not in overwritten}
            outermost = self.outermost(statement, dropped)
            if outermost is not first and not names & passed:
                passed -= {of_name[target] for target in overwritten if isinstance(target, Name)}
                continue
            if any(backward.is_backward(n) and self._is_module_backward(n) for n in nodes):
                reached.add(outermost)
            if isinstance(statement, tree.Assignment):
                passed |= {of_name[name] for t in statement.targets if (name := base_name(t)) is not None}
            elif isinstance(statement, tree.Run):
                call = statement.call
                changed = call.receiver if isinstance(call, Invoke) else (*call.arguments, None)[0]
                name = base_name(changed) if changed is not None else None
                passed |= {of_name[name]} if name is not None and not backward.is_backward(call) else set()
        return reached

    def _first_change(
        self, loss: Variable | str, backward: Statement, statements: list[Statement], dropped: set[Statement]
    ) -> Statement:
        """The first statement that changes a loss before its backward pass (divides it for printing), or that."""
        if isinstance(loss, str):
            return backward
        of_name = self.t.scopes.of_name
        around = self.t.surroundings.parents[backward]
        changes = [
            s
            for s in statements
            if isinstance(s, tree.Assign)
            and s not in dropped
            and self.t.surroundings.parents[s] == around
            and s.span.start < backward.span.start
            and any(isinstance(t, Name) and of_name[t] is loss for t in s.targets)
            and not any(self._is_criterion_forward(n) for n in tree.direct_nodes(s))
        ]
        if not changes:
            return backward
        first = changes[0]
        between = [s for s in statements if first.span.start < s.span.start < backward.span.start]
        for statement in between:
            for node in tree.direct_nodes(statement) if statement not in dropped else ():
                if isinstance(node, Invoke) and self._changes_model(node):
                    self.unknown.add(backward)
        return first

    def _is_criterion_forward(self, node: tree.Node | Block) -> bool:
        if not isinstance(node, Invoke) or node.method not in ("forward", "updateOutput"):
            return False
        return self.t.kind(node.receiver) == "criterion"

    def _changes_model(self, node: Invoke) -> bool:
        """Whether a call may change weights or gradients."""
        if self.t.kind(node.receiver) == "module":
            return node.method not in ("forward", "training", "evaluate")
        vectors = self.training.vectors
        name = base_name(node.receiver)
        for expression in (node.receiver, *([] if name is None else [name])):
            if vectors.weights_of(expression) is not None or vectors.gradients_of(expression) is not None:
                return True
        return False

    def _loss_of(
        self, backward: Invoke, scope: Scope, statements: list[Statement], at: Statement
    ) -> Variable | str:
        """The variable that holds the loss a criterion's backward belongs to; a name where there is none.

        ``at`` is where the loss goes back.
        """
        before = [s for s in statements if s.span.start <= backward.span.start]
        after = [s for s in statements if s.span.start > backward.span.start]
        for statement in [*reversed(before), *reversed(after)]:
            calls = [n for n in tree.direct_nodes(statement) if isinstance(n, Invoke)]
            forwards = [n for n in calls if self._is_forward_of(n, backward)]
            if forwards:
                return self._summed(statement, max(forwards, key=lambda call: call.span.end), scope, at)
        # The forward may be in a function that gives the loss.
        for statement in reversed(statements):
            if statement.span.start > backward.span.start:
                continue
            for node in tree.direct_nodes(statement):
                if isinstance(node, (Call, Invoke)):
                    for function in self.t.types.function_called(node):
                        inner = [n for n in tree.walk(function.body) if self._is_forward_of(n, backward)]
                        if inner:
                            self.calls.update(n for n in inner if isinstance(n, Expression))
                            self.graph_functions.add(function)
                            self._mark_returned(function, inner)
                            return self._holds(statement, node, scope)
        raise _NoLoss

    def _summed(self, statement: Statement, node: Invoke, scope: Scope, at: Statement) -> Variable | str:
        """The variable with a loss, of all turns where it is of a loop behind which it goes back."""
        around = [at, *self.t.surroundings.parents[at]]
        loops = [
            s for s in self.t.surroundings.parents[statement] if isinstance(s, LOOPS) and s not in around
        ]
        target = statement.targets[0] if isinstance(statement, tree.Assign) else None
        if not loops or (
            isinstance(statement, tree.Assign)
            and isinstance(target, Name)
            and self._adds_to(statement.values[0], target, node)
            and not self._declared_in(self.t.scopes.of_name[target], loops[0])
        ):
            return self._holds(statement, node, scope)
        self.calls.add(node)
        self._hoist(statement, node, scope)
        if node not in self.summed:
            self.summed[node] = self.t.names.fresh("total", scope)
            self.sums_at.setdefault(loops[0], []).append(self.summed[node])
        return self.summed[node]

    def _mark_returned(self, function: tree.Function, inner: list[tree.Node | Block]) -> None:
        for node in tree.walk(function.body):
            if (
                isinstance(node, tree.Local)
                and len(node.names) == len(node.values) == 1
                and any(node.values[0] is n for n in inner)
            ):
                self.t.graph_variables.add(self.t.scopes.of_name[node.names[0]])

    def _is_forward_of(self, node: tree.Node | Block, backward: Invoke) -> bool:
        return (
            isinstance(node, Invoke)
            and node.method in ("forward", "updateOutput")
            and self.t.kind(node.receiver) == "criterion"
            and same_expression(node.receiver, backward.receiver)
        )

    def _holds(self, statement: Statement, node: Call | Invoke, scope: Scope) -> Variable | str:
        self.calls.add(node)
        of_name = self.t.scopes.of_name
        if isinstance(statement, tree.Local) and node in statement.values:
            at = statement.values.index(node)
            variable = of_name[statement.names[at]]
            self.t.graph_variables.add(variable)
            return variable
        if isinstance(statement, tree.Assign) and len(statement.targets) == 1:
            target, value = statement.targets[0], statement.values[0]
            if isinstance(target, Name) and value is node:
                variable = of_name[target]
                self.t.graph_variables.add(variable)
                return variable
            if isinstance(target, Name) and self._adds_to(value, target, node):
                variable = of_name[target]
                is_accumulated = (
                    self._is_summed_in_loop(statement, variable)
                    or self._is_summed_over_calls(statement, variable, scope)
                    or self._has_gone_back(statement, variable)
                )
                if not is_accumulated or self._is_result(variable, scope):
                    self.t.graph_variables.add(variable)
                if not is_accumulated:
                    return variable
        if isinstance(statement, tree.Run) and statement.call is node:
            name = self.named.get(statement)
            if name is None:
                name = self.named[statement] = self.t.names.fresh("loss", scope)
            return name
        return self._hoist(statement, node, scope)

    def name_for(self, statement: Statement, node: Call | Invoke, scope: Scope) -> str:
        """A name of the page's own for a loss; nothing where none can be given."""
        self.calls.add(node)
        if isinstance(statement, tree.Run) and statement.call is node:
            if statement not in self.named:
                self.named[statement] = self.t.names.fresh("loss", scope)
            return self.named[statement]
        try:
            return self._hoist(statement, node, scope)
        except _NoLoss:
            return ""

    def _hoist(self, statement: Statement, node: Call | Invoke, scope: Scope) -> str:
        """Give the loss in an expression a name of its own, in a statement before."""
        if isinstance(statement, (tree.While, tree.Repeat, tree.NumericFor, tree.GenericFor, tree.If)):
            raise _NoLoss
        for outer in tree.direct_nodes(statement):
            logical = isinstance(outer, tree.Binary) and outer.operator in ("and", "or")
            if logical and any(n is node for n in tree.walk(outer)):
                raise _NoLoss
        name = self.hoisted.get(node)
        if name is None:
            name = self.hoisted[node] = self.t.names.fresh("loss", scope)
            self.hoisted_at.setdefault(statement, []).append(node)
        return name

    def _is_summed_in_loop(self, statement: Statement, total: Variable) -> bool:
        """Whether losses are added up over the turns of a loop in which each has its own backward pass."""
        loops = [s for s in self.t.surroundings.parents[statement] if isinstance(s, LOOPS)]
        if not loops or self._declared_in(total, loops[-1]):
            return False
        inside = {s for s in self.t.surroundings.owner if loops[-1] in self.t.surroundings.parents[s]}
        return any(
            self.t.user_passes.is_backward(n)
            for s in inside
            for n in tree.direct_nodes(s)
            if self._is_module_backward(n)
        )

    def _is_summed_over_calls(self, statement: Statement, total: Variable, scope: Scope) -> bool:
        """Whether losses are added up over the calls of a function in which each has its own backward pass."""
        if scope.function is None or total.scope is scope:
            return False
        inside = self.t.surroundings.statements_of(scope)
        begun = any(
            self._is(target, total)
            for s in inside
            if s.span.start < statement.span.start
            for target in tree_queries.targets(s)
        )
        return not begun and any(
            self.t.user_passes.is_backward(n) and self._is_module_backward(n)
            for s in inside
            for n in tree.direct_nodes(s)
        )

    def _has_gone_back(self, statement: Statement, total: Variable) -> bool:
        """Whether a module has gone back between what a loss was first and a statement that adds another one to it."""
        owner, parents = self.t.surroundings.owner, self.t.surroundings.parents
        beside = [s for s in owner if owner[s] is owner[statement] and parents[s] == parents[statement]]
        before = [s for s in beside if s.span.start < statement.span.start]
        firsts = [s for s in before if any(self._is(t, total) for t in tree_queries.targets(s))]
        nodes = [
            n for s in before if firsts and s.span.start > firsts[-1].span.start for n in tree.direct_nodes(s)
        ]
        return any(self.t.user_passes.is_backward(n) and self._is_module_backward(n) for n in nodes)

    def _is(self, node: Expression, variable: Variable) -> bool:
        return isinstance(node, Name) and self.t.scopes.of_name[node] is variable

    def _is_result(self, variable: Variable, scope: Scope) -> bool:
        """Whether the function for an optimizer gives this variable as the loss."""
        if scope.function not in self.training.closures:
            return False
        returns = [
            s for s in self.t.surroundings.statements_of(scope) if isinstance(s, tree.Return) and s.values
        ]
        names = [n for s in returns for n in tree.walk(s.values[0]) if isinstance(n, Name)]
        return any(self.t.scopes.of_name[n] is variable for n in names)

    def _is_module_backward(self, node: tree.Node | Block) -> bool:
        return isinstance(node, Invoke) and self.t.kind(node.receiver) == "module"

    def _declared_in(self, variable: Variable, loop: Statement) -> bool:
        position = variable.declaration.span.start if variable.declaration else -1
        return loop.span.start <= position < loop.span.end

    def _adds_to(self, value: Expression, target: Name, node: Expression) -> bool:
        return (
            isinstance(value, tree.Binary)
            and value.operator == "+"
            and same_expression(value.left, target)
            and value.right is node
        )

    def is_loss_call(self, node: Expression) -> bool:
        if isinstance(node, Invoke):
            return node.method in ("forward", "updateOutput") and self.t.kind(node.receiver) == "criterion"
        return isinstance(node, Call) and self.t.kind(node.callee) == "criterion"


class _Kept(NamedTuple):
    """What ``Losses`` has found so far."""

    graph_functions: set[tree.Function]
    calls: set[Expression]
    hoisted: dict[Expression, str]
    hoisted_at: dict[Statement, list[Expression]]
    named: dict[Statement, str]
    backward_at: dict[Statement, list[Variable | str]]
    unknown: set[Statement]
    graph_variables: set[Variable]
    names: dict[Scope, set[str]]
    summed: dict[Expression, str]
    sums_at: dict[Statement, list[str]]


class _NoLoss(Exception):
    """The loss of a backward pass is not in a variable."""
