"""Steps after which the program looks at gradients that optim has changed.

optim adds the weight decay, and Nesterov's momentum, to the gradients that it is given, in place; PyTorch leaves them
as they are. That makes no difference where they are cleared before they are used again, or where the function that
computes them makes a new tensor each time and keeps none.
"""

from __future__ import annotations

from typing import NamedTuple

from torch7py.translate import tree, tree_queries
from torch7py.translate.native.analysis.optimizers import Optimizer
from torch7py.translate.native.analysis.state_slots import Holder
from torch7py.translate.native.interfaces.training import Training
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.tensors.rules import is_new_tensor
from torch7py.translate.scopes import Scope
from torch7py.translate.tree import Call, Expression, Invoke, Statement
from torch7py.translate.tree_queries import LOOPS

__all__ = ["looked_at"]

_FIELDS = ("gradWeight", "gradBias")


class _Event(NamedTuple):
    """What happens to gradients somewhere: "cleared", "read", or a function of the program is called."""

    at: int
    what: str
    statement: Statement
    functions: tuple[tree.Function, ...] = ()


def looked_at(t: Translation, optimizer: Optimizer, call: Call) -> bool:
    """Whether the gradients that a step has changed may be looked at before they are cleared."""
    if not _changes(optimizer):
        return False
    functions = t.type(call.arguments[0]).functions
    if functions and all(_gives_new(t, function) for function in functions):
        return False
    return _Gradients(t, t.training, call).after(call.span.end, _statement_of(t, call))


def _changes(optimizer: Optimizer) -> bool:
    for _, table in optimizer.constructions:
        for item in table.fields:
            name = item.key_name or ""
            zero = isinstance(item.value, tree.Number) and item.value.value == 0
            no = isinstance(item.value, tree.Boolean) and not item.value.value
            if name in ("weightDecay", "weightDecays", "nesterov") and not zero and not no:
                return True
    return bool(optimizer.changed & {"weightDecay", "weightDecays", "nesterov"})


def _gives_new(t: Translation, function: tree.Function) -> bool:
    """Whether a function's second result is a tensor that it makes and that nothing else refers to."""
    value_lists = [statement.values for statement in tree_queries.returns_of(function)]
    return bool(value_lists) and all(
        len(values) == 2 and _is_new(t, function, values[1]) for values in value_lists
    )


def _is_new(t: Translation, function: tree.Function, node: Expression) -> bool:
    if not isinstance(node, tree.Name):
        return is_new_tensor(t, node)
    variable = t.scopes.of_name[node]
    definitions = [
        s for s in tree.every(function.body, tree.Local) if variable in map(t.scopes.of_name.get, s.names)
    ]
    if len(definitions) != 1 or len(definitions[0].values) != len(definitions[0].names) or variable.writes:
        return False
    values = dict(zip(map(t.scopes.of_name.get, definitions[0].names), definitions[0].values, strict=True))
    return is_new_tensor(t, values[variable]) and all(_is_changed_only(t, read) for read in variable.reads)


def _is_changed_only(t: Translation, read: tree.Name) -> bool:
    """Whether a tensor's name stands where it is returned or changed, and no other name is given to it."""
    statement = t.training.flow.statement(read)
    if isinstance(statement, tree.Return):
        return any(value is read for value in statement.values)
    changed: Expression | None = statement.call if isinstance(statement, tree.Run) else None
    while isinstance(changed, Invoke):
        changed = changed.receiver
    return changed is read


def _statement_of(t: Translation, call: Call) -> Statement:
    return t.training.flow.statement(call)


class _Gradients:
    """The gradients of what one step moves, through the program."""

    def __init__(self, t: Translation, training: Training, call: Call) -> None:
        self.training, self.t = training, t
        weights = call.arguments[1]
        self.weights = training.holders.of(weights)
        statement = None if self.weights is None else training.vectors.flattened_at.get(self.weights)
        self.holders: list[Holder] = [
            holder
            for holder, assignment in training.vectors.flattened_at.items()
            if assignment is statement is not None
        ]
        self.module = training.vectors.module_of.get(statement) if statement is not None else None
        self._events: dict[Scope, list[_Event]] = {}
        self._seen: set[tuple[Scope, int]] = set()

    def after(self, at: int, statement: Statement) -> bool:
        """Whether they may be read before they are cleared, from a place on."""
        places = self.t.surroundings
        scope = places.owner[statement]
        if (scope, at) in self._seen:
            return False
        self._seen.add((scope, at))
        around = places.parents[statement]
        events = self.events(scope)
        begin = at
        for loop in [s for s in reversed(around) if isinstance(s, LOOPS)]:
            inside = [e for e in events if loop.span.start <= e.at < loop.span.end]
            is_read = self._first([e for e in inside if e.at > begin], around)
            if is_read is not None:
                return is_read
            # In the next turn; this may be the last.
            if self._first([e for e in inside if e.at <= begin], around):
                return True
            begin = loop.span.end
        is_read = self._first([e for e in events if e.at > begin], around)
        if is_read is not None:
            return is_read
        function = scope.function
        calls = [] if function is None else self.t.types.calls_of.get(function, [])
        return any(self.after(c.span.end, self.training.flow.statement(c)) for c in calls)

    def _first(
        self,
        events: list[_Event],
        around: tuple[Statement, ...],
        within: frozenset[tree.Function] = frozenset(),
    ) -> bool | None:
        """Whether the first thing that happens is that they are read; None if nothing surely happens.

        ``within``: the functions whose events these are, which may call themselves.
        """
        skipped = -1
        for event in events:
            if event.at < skipped:
                continue
            if event.what == "cleared":
                parents = self.t.surroundings.parents[event.statement]
                inside = [s for s in parents if s not in around and not isinstance(s, tree.Do)]
                if not inside:
                    return False
                if isinstance(inside[-1], LOOPS):  # whose turns all clear them first
                    skipped = inside[-1].span.end
            elif event.what == "read":
                return True
            else:
                outcomes = [
                    self._first(self.events(self.t.scopes.of_function[f]), (), within | {f})
                    for f in event.functions
                    if f not in within
                ]
                if True in outcomes:
                    return True
                if outcomes and all(outcome is False for outcome in outcomes):
                    return False
        return None

    def events(self, scope: Scope) -> list[_Event]:
        if scope not in self._events:
            self._events[scope] = []  # of a function that calls itself
            occurrences = [
                event
                for statement in self.t.surroundings.statements_of(scope)
                for node in tree.direct_nodes(statement)
                if isinstance(node, Expression) and (event := self._event(node, statement)) is not None
            ]
            self._events[scope] = sorted(occurrences, key=lambda event: event.at)
        return self._events[scope]

    def _event(self, node: Expression, statement: Statement) -> _Event | None:
        at = node.span.end
        if isinstance(node, Invoke) and self._clears(node):
            return _Event(at, "cleared", statement)
        if isinstance(node, Call) and any(node in o.calls for o in self.training.optimizers):
            if self.training.holders.of(node.arguments[1]) != self.weights:
                return None
            functions = self.t.type(node.arguments[0]).functions
            outcomes = [self._first(self.events(self.t.scopes.of_function[f]), ()) for f in functions]
            return _Event(
                at, "cleared" if outcomes and all(f is False for f in outcomes) else "read", statement
            )
        if isinstance(node, (Call, Invoke)):
            called = self.t.types.function_called(node)
            return _Event(at, "call", statement, tuple(called)) if called else None
        if self.training.holders.of(node) in self.holders and self.training.holders.of(node) != self.weights:
            return None if self._is_passed(node, statement) else _Event(node.span.start, "read", statement)
        is_field = isinstance(node, tree.Index) and node.key_name in _FIELDS
        return _Event(node.span.start, "read", statement) if is_field else None

    def _clears(self, node: Invoke) -> bool:
        if node.method in ("zero", "fill"):
            return self.training.holders.of(node.receiver) in self.holders
        alike = self.module is not None and tree_queries.same_expression(
            _last(node.receiver), _last(self.module)
        )
        return node.method == "zeroGradParameters" and alike

    def _is_passed(self, node: Expression, statement: Statement) -> bool:
        """Whether gradients are only named to be cleared, assigned, or given to the step."""
        if isinstance(statement, tree.Return):
            return self.t.surroundings.owner[statement].function in self.training.closures
        if isinstance(statement, tree.Assignment):
            return node in statement.targets
        return any(
            isinstance(n, Invoke) and n.receiver is node and self._clears(n)
            for n in tree.direct_nodes(statement)
        )


def _last(node: Expression) -> Expression:
    """A module as its own name: ``self.model`` is ``model``."""
    return node.key if isinstance(node, tree.Index) and node.dotted else node
