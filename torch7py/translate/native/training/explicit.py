"""Backward passes that are not those of one loss, written call by call.

Torch7's ``backward`` takes the gradient of a module's output and gives that of its input. Where a program uses these
gradients otherwise than to pass them on from a criterion to the first module, each call has a form of its own:
``output.backward(g)`` for what adds to the gradients of the weights, ``torch.autograd.grad(output, x, g)`` for the
gradient of an input. So that no call reaches further than its module did, the module is given its input cut off from
what made it, as a leaf of the graph where its gradient is wanted.

A call belongs to the module's last forward. Where that is the last one before it in the same function, its output has a
name; otherwise the module keeps it (``last_input``, ``last_output``).
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.forms import base_name
from torch7py.translate.native.analysis.flow import given_whole
from torch7py.translate.native.analysis.passes import Forward, Given, Pass
from torch7py.translate.native.interfaces import training as interfaces
from torch7py.translate.native.interfaces.training import Training
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.models.inputs import takes_items
from torch7py.translate.native.own_passes import has_own_passes
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.training import by_hand
from torch7py.translate.native.training.callees import Callees
from torch7py.translate.native.training.criterions import Criterions
from torch7py.translate.native.training.forwards import Forwards
from torch7py.translate.native.training.losses import Losses
from torch7py.translate.native.training.reach import Reach
from torch7py.translate.scopes import Scope
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement

__all__ = ["Explicit"]


class Explicit(interfaces.Explicit):
    def __init__(self, t: Translation, training: Training, forwards: Forwards, losses: Losses) -> None:
        super().__init__()
        self.training, self.t, self.flow, self.calls = training, t, training.flow, forwards
        self.reach = Reach(t, self, forwards)
        self.criterions = Criterions(t, self, forwards, losses)
        self.callees = Callees(t, self, forwards)

    def may_take(self, scope: Scope) -> bool:
        """Whether a function is not a layer's own method, which is written by other rules."""
        owner = None if scope.function is None else self.t.classes.owners.get(scope.function)
        plain = owner is None or owner.instance.kind not in ("module", "criterion")
        return plain or (owner is not None and has_own_passes(owner))

    def take(self, scope: Scope, own: list[Statement]) -> None:
        self.scopes[scope] = own

    def forwards_elsewhere(self, scope: Scope, own: list[Statement]) -> list[Scope]:
        """The functions in which modules were run that a function sends gradients back through."""
        found: list[Scope] = []
        for node in self.calls.backward_calls(own):
            if self.t.kind(node.receiver) != "module" or self.calls.last(node, own) is not None:
                continue
            found += [
                self.t.surroundings.owner[self.flow.statement(f)] for f in self.calls.all_of(node.receiver)
            ]
        return [other for other in found if other is not scope]

    def resolve(self, scopes: list[Scope]) -> None:
        self._read_everywhere(scopes)
        if self.scopes:
            self.reach.find()
        for own in self.scopes.values():
            for node in self.calls.backward_calls(own):
                if self.t.kind(node.receiver) == "module":
                    self._resolve_pass(node, own)
                else:
                    self.given[node] = Given(node)
        by_hand.find(self.t, self, self.calls)
        for own in self.scopes.values():
            self._read_fields(own)
        for scope, own in self.scopes.items():
            for node in self.calls.backward_calls(own):
                if node in self.given:
                    self.criterions.forward_of(self.given[node], scope, own)
            for node in self.calls.backward_calls(own):
                if node in self.passes and not self.passes[node].refused:
                    self.criterions.pass_on(self.passes[node], scope, own)
            for node in self.calls.backward_calls(own):
                if node in self.given and not self.given[node].fused:
                    self.given[node].holder = self.criterions.holder(self.given[node], scope)
        for found in self.forwards.values():
            self._name(found)

    def _resolve_pass(self, node: Invoke, own: list[Statement]) -> None:
        found = self.passes[node] = Pass(node)
        statement = self.flow.statement(node)
        found.used = not (isinstance(statement, tree.Run) and statement.call is node)
        if self.calls.overwrites(node, own):
            found.refused = "a gradient that another call has overwritten when it is read"
            return
        if len(node.arguments) < 2:
            found.refused = f"{node.method} without a gradient"
            return
        if self.calls.keeps_steps(node.receiver) or self.training.carried.keeps_states(node.receiver):
            found.refused = "a gradient by hand through a module that remembers its steps"
            return
        if self.calls.comes_after_several(node, own):
            found.refused = "a backward pass after a loop that has run the module several times"
            return
        last = self.calls.last(node, own)
        if last is not None:
            self._belongs(found, last)
            return
        candidates = self.calls.all_of(node.receiver)
        if not candidates:
            found.refused = "a backward pass through a module that is not seen to be run"
            return
        if base_name(node.receiver) is None or self.calls.is_one_of_several(node.receiver):
            found.refused = "a backward pass through one of several modules"
            return
        if self.calls.parts_run(node.receiver):
            found.refused = "a backward pass through a module whose parts are run by themselves"
            return
        called = self.callees.forward(node, own, candidates)
        if called is not None:
            self._keep(found, called[0])
            if self.calls.moves(node.receiver, called[1], node):
                self.may_be_stale(node.receiver)
            return
        given = node.arguments[0]
        others = [call for call in candidates if not self.flow.same(call.arguments[0], given)]
        here = any(self.flow.statement(call) in own for call in candidates)
        if len(others) == len(candidates) or not self._is_fixed(given, candidates[0]) or (here and others):
            found.refused = "a backward pass of which is not known what input it belongs to"
            return
        for (
            call
        ) in others:  # from then on there is nothing to go back through, until the input is this one again
            self._forward(call).voids = True
        candidates = [call for call in candidates if call not in others]
        if self.t.kind(node.arguments[0]) != "tensor":
            found.refused = "a backward pass of a table of inputs, in another function than its forward"
            return
        for call in candidates:
            if not self.calls.overwritten(call, candidates):
                self._keep(found, call)
        self.may_be_stale(node.receiver)

    def _keep(self, found: Pass, call: Call | Invoke) -> None:
        """Have a module keep its input and output of a forward, for a pass in another function."""
        forward = self._forward(call)
        forward.passes.append(found)
        forward.needs_leaf |= found.used
        forward.kept = True
        found.kept.append(forward)

    def _is_fixed(self, node: Expression, first: Expression) -> bool:
        """Whether an expression is a variable that holds the same tensor from the first forward on."""
        if not isinstance(node, Name):
            return False
        variable = self.t.scopes.of_name[node]
        if variable.kind == "parameter":
            return False
        home = variable.scope or self.t.scopes.main
        later = [w for w in variable.writes if w.place.start > first.place.start or not self._is_at(w, home)]
        before = len(variable.writes) - len(later)
        return not later and (not variable.in_loop or not before)

    def _is_at(self, node: Name, scope: Scope) -> bool:
        """Whether a place is in a function itself, and in no loop of it."""
        statement = self.flow.statement(node)
        return self.t.surroundings.owner[statement] is scope and not self.flow.loops(statement)

    def _forward(self, call: Call | Invoke) -> Forward:
        found = self.forwards.get(call)
        if found is None:
            found = self.forwards[call] = Forward(call, self.calls.module(call), call.arguments[0])
        return found

    def _belongs(self, found: Pass, call: Call | Invoke) -> None:
        """A pass is one back through this forward, if nothing has changed since."""
        node = found.node
        given = call.arguments[0]
        if not self.flow.same(given, node.arguments[0]):
            found.refused = "a backward pass with another input than the forward had"
            return
        if self.calls.switched(call, node):
            found.refused = "a backward pass in another mode, training or evaluation, than the forward's"
            return
        if self.flow.changed(given, call, node):
            found.refused = "an input that changes between a forward and its backward pass"
            return
        statement = self.flow.statement(call)
        target = given_whole(statement, call)
        if target is not None and self.flow.overwritten(target, call, node):
            found.refused = "an output that is changed between a forward and its backward pass"
            return
        forward = self._forward(call)
        if forward.passes:
            forward.passes[-1].again = True
        found.again = self.flow.repeats(statement, self.flow.statement(node))
        found.forward = forward
        forward.passes.append(found)
        forward.needs_leaf |= found.used
        if self.calls.moves(found.node.receiver, call, node):
            self.may_be_stale(found.node.receiver)

    def may_be_stale(self, module: Expression) -> None:
        name = base_name(module)
        if name is not None:
            self.stale.add(self.t.scopes.of_name[name])

    def _read_everywhere(self, scopes: list[Scope]) -> None:
        """Read outputs of modules in functions whose backward passes, if there are any, are those of a loss."""
        for scope in scopes:
            if self.t.own_passes.is_inside(scope.function):
                continue
            if scope not in self.scopes and self.may_take(scope):
                own = [s for s in self.t.surroundings.statements_of(scope) if s not in self.training.dropped]
                self._read_fields(own)

    def _read_fields(self, own: list[Statement]) -> None:
        """``module.output`` and ``module.gradInput`` where the program reads them."""
        here = set(own)
        for statement in own:
            for node in tree.own_nodes(statement):
                if not (isinstance(node, Index) and node.dotted and isinstance(node.key, tree.String)):
                    continue
                if node in self.t.models.coupling.inside:
                    continue
                kind, name = self.t.kind(node.base), node.key.value
                if name == "gradInput" and kind in ("module", "criterion") and self.passes:
                    calls = [
                        c
                        for c in self.calls.backward_calls(own)
                        if c.method != "accGradParameters"
                        and self.flow.same(c.receiver, node.base)
                        and c.place.end <= node.place.start
                        and self.flow.precedes(self.flow.statement(c), statement)
                    ]
                    if calls:
                        source: Pass | Given = self.passes.get(calls[-1]) or self.given[calls[-1]]
                        self.read[node] = source
                        if isinstance(source, Pass):
                            source.used = True
                            for forward in [*([source.forward] if source.forward else []), *source.kept]:
                                forward.needs_leaf = True
                elif name == "output" and kind == "module":
                    before = [
                        f
                        for f in self.calls.all_of(node.base)
                        if self.flow.statement(f) in here and f.place.end <= node.place.start
                    ]
                    last = before[-1] if before else None
                    if last is not None and self.flow.precedes(self.flow.statement(last), statement):
                        if not self.calls.runs_between(node.base, last, node):
                            self.read[node] = self._forward(last)
                    elif last is None and not self.calls.parts_run(node.base):
                        forwards = self.calls.all_of(node.base)
                        for each in forwards:
                            if not self.calls.overwritten(each, forwards):
                                self._forward(each).kept = True
                                self.kept_fields.add(node)

    def _name(self, found: Forward) -> None:
        """How the page calls a forward's output and, where it is wanted, its input."""
        t = self.t
        scope = self.t.surroundings.owner[self.flow.statement(found.node)]
        statement = self.flow.statement(found.node)
        target = given_whole(statement, found.node)
        refused = [p for p in found.passes if p.refused]
        if found.passes and len(refused) == len(found.passes):
            found.passes.clear()
        if found.kept:
            return
        uses = [p.node for p in found.passes] + [n for n, s in self.read.items() if s is found]
        if target is not None and not any(self.flow.assigned(target, found.node, use) for use in uses):
            found.output, found.named = t.names.of(target), True
        elif uses:
            found.output = t.names.fresh("output", scope)
        if found.needs_leaf and t.kind(found.input) != "table":
            base = f"{t.names.of(found.input)}_leaf" if isinstance(found.input, Name) else "leaf"
            found.leaf = t.names.fresh(base, scope)
        for each in found.passes:
            if each.used and isinstance(self.flow.statement(each.node), tree.Run):
                each.name = t.names.fresh("gradInput", scope)
        if found.needs_leaf and takes_items(t.type(found.module)):
            for each in found.passes:
                each.refused = each.refused or "the gradient of an input that is looked up"

    def places(self) -> list[Statement]:
        """The statements with backward calls that are written one by one."""
        return [self.flow.statement(node) for node in (*self.passes, *self.given)]

    def check(self, node: Invoke) -> None:
        """Refuse a pass that is not known well enough."""
        found = self.passes.get(node)
        if found is None:
            return
        if found.refused:
            raise Problem("T7-226", node.line, found.refused)
        self.check_stale(node)

    def check_stale(self, node: Invoke) -> None:
        if not self.is_stale(node.receiver):
            return
        for optimizer in self.training.optimizers:
            if optimizer.methods != {"adam"} and self.calls.is_module(optimizer.module, node.receiver):
                names = ", ".join(sorted(optimizer.methods))
                reason = f"gradients of an output from before a step of optim.{names}"
                raise Problem("T7-226", node.line, reason)

    def keeps_output(self, module: Expression) -> bool:
        return any(f.kept and self.calls.is_module(f.module, module) for f in self.forwards.values())

    def is_stale(self, module: Expression) -> bool:
        name = base_name(module)
        return name is not None and self.t.scopes.of_name[name] in self.stale
