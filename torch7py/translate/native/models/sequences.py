"""Modules with a name of their own that a sequencer applies to the steps of a sequence.

In a page they take the whole sequence, with time in front: ``nn.Sequencer(rnn)`` is ``rnn`` itself. That holds where
a module is in sequencers alone; one that the program also applies to single steps stays refused.
"""

from __future__ import annotations

from torch7py.translate import tree, tree_queries
from torch7py.translate.facts import layers as facts
from torch7py.translate.facts.layers import FORWARD
from torch7py.translate.kinds import Description
from torch7py.translate.layers import Args, Layer
from torch7py.translate.layers.recurrent import remembers
from torch7py.translate.native.analysis.builders import Builders, chain_root
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem
from torch7py.translate.scopes import Scope, Variable
from torch7py.translate.tree import Block, Call, Expression, Index, Invoke, Name, Statement

__all__ = ["Sequences"]


class Sequences:
    def __init__(self, t: Translation, builders: Builders) -> None:
        self.t, self.builders = t, builders
        self.construction_calls: dict[int, Call] = {}  # id of a layer -> the call that makes it
        self._module_exprs: dict[Call, Description] = {}
        self._holders: dict[Call, set[Call]] = {}  # what a sequencer applies -> those sequencers
        self._alone: set[Call] = set()  # what is applied by itself, or in another container
        self._added: dict[Call, list[Expression]] = {}  # what is added to a container
        self._stored: list[tuple[Index, Call]] = []  # fields and items that are given a new module
        self._modes: dict[Call, list[Invoke]] = {}  # of sequencers, the calls of their `remember`
        self._find()

    def _find(self) -> None:
        t = self.t
        invokes = list(tree.every(t.program, Invoke))
        calls = list(tree.every(t.program, Call))
        for node in calls:
            if self.builders.is_construction(node) and t.kind(node) in ("module", "criterion"):
                module_exprs = [layer for layer in t.type(node).find().layers if layer.call is node]
                self._module_exprs.update((node, layer) for layer in module_exprs)
        for statement in tree.every(t.program, tree.Assign):
            for target, value in zip(statement.targets, statement.values, strict=False):
                root = chain_root(value)
                if isinstance(target, Index) and isinstance(root, Call) and root in self._module_exprs:
                    self._stored.append((target, root))
        for invoke in invokes:
            if invoke.method == "add" and invoke.arguments and t.kind(invoke.arguments[0]) == "module":
                for container in self.held(invoke.receiver):
                    self._added.setdefault(container, []).append(invoke.arguments[0])
        for construction, description in list(self._module_exprs.items()):
            if facts.applies_to_steps(description.name):
                for argument in construction.arguments:
                    if t.kind(argument) == "module":
                        for part in self.held(argument):
                            self._mark(construction, part)
        waiting = [c for node in invokes if node.method in FORWARD for c in self.held(node.receiver)]
        waiting += [
            c
            for node in calls
            if node not in self._module_exprs and t.kind(node.callee) == "module"
            for c in self.held(node.callee)
        ]
        while waiting:
            node = waiting.pop()
            if node in self._alone:
                continue
            self._alone.add(node)
            if not facts.applies_to_steps(self._module_exprs[node].name):
                waiting += self.parts(node)
        for invoke in invokes:
            if invoke.method == "remember" and t.kind(invoke.receiver) == "module":
                for sequencer in self._sequencers(invoke.receiver):
                    self._modes.setdefault(sequencer, []).append(invoke)

    def held(self, node: Expression) -> list[Call]:
        """The constructions that an expression may give."""
        node = chain_root(node)
        if isinstance(node, Call) and node in self._module_exprs:
            return [node]
        if isinstance(node, Name):
            builder = self.builders.builder_at(node)
            if builder is not None and self.builders.is_straight(builder.variable):
                return self.held(builder.value)
        if self.t.kind(node) != "module":
            return []
        if isinstance(node, Index):
            block = self._block(node)
            for target, call in reversed(self._stored):
                before = target.span.end <= node.span.start and block is not None
                if before and tree_queries.same_expression(target, node) and block is self._block(target):
                    return [call]
        constructions = [layer.call for layer in self.t.type(node).find().layers]
        return [
            call
            for call in constructions
            if call in self._module_exprs and not call.span.start <= node.span.start < call.span.end
        ]

    def parts(self, node: Call) -> list[Call]:
        """The constructions that are in one, as far as is known."""
        modules = [argument for argument in node.arguments if self.t.kind(argument) == "module"]
        constructions = [call for part in (*modules, *self._added.get(node, [])) for call in self.held(part)]
        return [call for call in constructions if call is not node]

    def _block(self, node: Expression) -> Block | None:
        """The block of the statement that an expression is in."""
        home = self.t.surroundings.home.get(node)
        return None if home is None else self.t.surroundings.block_of[home]

    def inside(self, module: Expression) -> set[Call]:
        """The constructions in a module, and of itself."""
        waiting, constructions = self.held(module), set[Call]()
        while waiting:
            node = waiting.pop()
            if node not in constructions:
                constructions.add(node)
                waiting += self.parts(node)
        return constructions

    def _mark(self, sequencer: Call, node: Call) -> None:
        waiting, seen = [node], {sequencer}
        while waiting:
            part = waiting.pop()
            if part in seen:
                continue
            seen.add(part)
            self._holders.setdefault(part, set()).add(sequencer)
            if not facts.applies_to_steps(self._module_exprs[part].name):
                waiting += self.parts(part)

    def _sequencers(self, module: Expression) -> list[Call]:
        waiting, seen, sequencers = self.held(module), set[Call](), []
        while waiting:
            node = waiting.pop()
            if node in seen:
                continue
            seen.add(node)
            if facts.may_remember(self._module_exprs[node].name):
                sequencers.append(node)
            else:
                waiting += self.parts(node)
        return sequencers

    def over_time(self, node: Expression) -> bool:
        """Whether a module, or the call that makes it, is applied to sequences as a whole, and to nothing else."""
        calls = self.held(node)
        return bool(calls) and all(c in self._holders and c not in self._alone for c in calls)

    def is_whole(self, node: Call) -> bool:
        """Whether what is made here takes a whole sequence: by itself, or as it is in sequencers alone."""
        module_expr = self._module_exprs.get(node)
        if module_expr is None:
            return False
        of_tensor = facts.may_remember(module_expr.name) and facts.takes(module_expr.name) == "sequence"
        return of_tensor or self.over_time(node)

    def applied(self, node: Expression) -> Expression | None:
        """What a sequencer applies, where that is a module with a name of its own that takes sequences."""
        while isinstance(node, Invoke) and node.method == "remember":
            node = node.receiver
        if (
            not isinstance(node, Call)
            or node not in self._module_exprs
            or not facts.is_sequencer(self._module_exprs[node].name)
        ):
            return None
        if not node.arguments:
            return None
        (inner, *_) = node.arguments
        builder = self.builders.builder_at(inner) if isinstance(inner, Name) else None
        called = isinstance(inner, (Call, Invoke)) and bool(self.t.types.function_called(inner))
        if not (called or isinstance(inner, (Name, Index))) or (builder is not None and builder.inlined):
            return None
        return inner if self.over_time(inner) else None

    def takes_whole(self, layer: Layer) -> bool:
        """Whether a module that is made here takes whole sequences, as it is in sequencers alone."""
        call = self.construction_calls.get(id(layer))
        return call is not None and self.over_time(call)

    # What is remembered

    def kept(self, layer: Layer) -> str:
        """How the rules of layers say in which mode such a module goes on where its last sequence ended."""
        mode = self.mode(self.construction_calls[id(layer)])
        return remembers(Args({"remember": mode} if mode else {}))

    def remembers(self, node: Call) -> Expression | str:
        """In which mode what is made here goes on where the last sequence ended; nothing where it never does."""
        holders = (
            {node} if facts.may_remember(self._module_exprs[node].name) else self._holders.get(node, set())
        )
        modes = {holder: self._modes.get(holder, []) for holder in holders}
        calls = [call for invokes in modes.values() for call in invokes]
        if not calls:
            return ""
        first = calls[0]
        if len(set(calls)) > 1 or any(not invokes for invokes in modes.values()):
            raise Problem("T7-202", first.line, "remember of some of the sequencers of a module")
        self._check_always(first, node)
        return first.arguments[0] if first.arguments else "'both'"

    def _check_always(self, call: Invoke, construction: Call) -> None:
        """Refuse what is remembered only in a branch, or from a later time on."""
        flow, owner = self.t.training.flow, self.t.surroundings.owner
        statement, maker = flow.statement(call), flow.statement(construction)
        blocks = self._around(statement)
        here, there = owner[statement], owner[maker]
        branch = Problem("T7-202", call.line, "remember that is called in a branch, or a loop")
        if here is there:
            if not set(blocks) <= set(self._around(maker)):
                raise branch
            if call.span.start < construction.span.start:
                raise Problem("T7-202", call.line, "remember before a sequencer is added")
            if self._has_run(construction, call):
                raise Problem("T7-202", call.line, "remember of a module that has run several times before")
        elif here.function is not None or len(blocks) > 1 or self._runs_before(call, here):
            raise branch

    def _has_run(self, construction: Call, call: Invoke) -> bool:
        """Whether the program runs a module several times before it says that it remembers: what the last run left it
        goes on from, but these begin anew."""
        runs = [
            node
            for node in tree.every(self.t.program, Invoke)
            if node.method in FORWARD
            and construction.span.start < node.span.start < call.span.start
            and self.t.kind(node.receiver) == "module"
            and construction in self._sequencers(node.receiver)
        ]
        statement = self.t.training.flow.statement
        around = set(self._around(statement(construction)))
        return len(runs) > 1 or any(not set(self._around(statement(run))) <= around for run in runs)

    def _runs_before(self, call: Invoke, scope: Scope) -> bool:
        """Whether the main program runs a module before it says what is remembered."""
        flow, owner = self.t.training.flow, self.t.surroundings.owner
        return any(
            node.method in FORWARD
            and node.span.start < call.span.start
            and owner[flow.statement(node)] is scope
            and self.t.kind(node.receiver) == "module"
            for node in tree.every(self.t.program, Invoke)
        )

    def _around(self, statement: Statement) -> tuple[int, ...]:
        return tuple(map(id, self.t.surroundings.blocks(statement)))

    def check(self, call: Invoke) -> None:
        """Refuse a call of ``remember`` of which is not known what it is about."""
        sequencers = self._sequencers(call.receiver)
        if not sequencers:
            raise Problem("T7-202", call.line, "the method remember of a module without a sequencer")
        for node in sequencers:
            self.mode(node)

    def variables(self, node: Call) -> list[Expression]:
        """What the mode of a construction depends on."""
        try:
            mode = self.remembers(node) if node in self._module_exprs else ""
        except Problem:  # it is told where the program calls the method
            return []
        return [] if isinstance(mode, (str, tree.String)) else [mode]

    def known_mode(self, node: Call) -> str:
        """The mode of a construction, nothing where it is in doubt: ``check`` refuses the call that says it."""
        try:
            return self.mode(node)
        except Problem:
            return ""

    def mode(self, node: Call) -> str:
        """The same as a text of the page, for where the module is made."""
        mode = self.remembers(node) if node in self._module_exprs else ""
        if isinstance(mode, str):
            return mode
        for part in tree.walk(mode):
            if isinstance(part, Name) and not self._is_seen(self.t.scopes.of_name[part], node):
                raise Problem("T7-202", mode.line, "remember by a variable of another time or function")
        return self.t.value(mode).text

    def _is_seen(self, variable: Variable, node: Call) -> bool:
        """Whether a variable is the same where a module is made and later."""
        if variable.is_global and not variable.writes:
            return True
        flow, owner = self.t.training.flow, self.t.surroundings.owner
        home = variable.scope or self.t.scopes.main
        inside = home in (owner[flow.statement(node)], self.t.scopes.main)
        return inside and all(name.span.start < node.span.start for name in variable.writes)
