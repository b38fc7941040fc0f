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
from torch7py.translate.native.analysis.explicit_calls import CriterionBackward, Forward, Pass
from torch7py.translate.native.analysis.flow import passed_integers
from torch7py.translate.native.interfaces import training as interfaces
from torch7py.translate.native.interfaces.training import Training
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.models.inputs import takes_items
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.training.criterions import Criterions
from torch7py.translate.native.training.forwards import Forwards
from torch7py.translate.native.training.losses import Losses
from torch7py.translate.native.training.requires_grad import Reach
from torch7py.translate.native.user_passes import has_user_passes
from torch7py.translate.scopes import Scope
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement
from torch7py.translate.tree_queries import base_name

__all__ = ["Explicit"]


class Explicit(interfaces.Explicit):
    def __init__(self, t: Translation, training: Training, forwards: Forwards, losses: Losses) -> None:
        super().__init__()
        self.training, self.t, self.flow, self.calls = training, t, training.flow, forwards
        self.reach = Reach(t, self, forwards)
        self.criterions = Criterions(t, self, forwards, losses)

    def may_take(self, scope: Scope) -> bool:
        """Whether a function is not a layer's own method, which is written by other rules."""
        owner = None if scope.function is None else self.t.classes.owners.get(scope.function)
        plain = owner is None or owner.instance.kind not in ("module", "criterion")
        return plain or (owner is not None and has_user_passes(owner))

    def take(self, scope: Scope, statements: list[Statement]) -> None:
        self.scopes[scope] = statements

    def forwards_elsewhere(self, scope: Scope, statements: list[Statement]) -> list[Scope]:
        """The functions in which modules were run that a function sends gradients back through."""
        forward_scopes: list[Scope] = []
        for node in self.calls.backward_calls(statements):
            if self.t.kind(node.receiver) != "module" or self.calls.last(node, statements) is not None:
                continue
            forward_scopes += [
                self.t.surroundings.owner[self.flow.statement(f)] for f in self.calls.all_of(node.receiver)
            ]
        return [other for other in forward_scopes if other is not scope]

    def resolve(self, scopes: list[Scope]) -> None:
        self._read_everywhere(scopes)
        if self.scopes:
            self.reach.find()
        for statements in self.scopes.values():
            for node in self.calls.backward_calls(statements):
                if self.t.kind(node.receiver) == "module":
                    self._resolve_pass(node, statements)
                else:
                    self.criterion_calls[node] = CriterionBackward(node)
        for statements in self.scopes.values():
            self._read_fields(statements)
        for scope, statements in self.scopes.items():
            for node in self.calls.backward_calls(statements):
                if node in self.criterion_calls:
                    self.criterions.forward_of(self.criterion_calls[node], scope, statements)
            for node in self.calls.backward_calls(statements):
                if node in self.passes and not self.passes[node].refused:
                    self.criterions.pass_on(self.passes[node], scope, statements)
            for node in self.calls.backward_calls(statements):
                if node in self.criterion_calls and not self.criterion_calls[node].fused:
                    self.criterion_calls[node].holder = self.criterions.holder(
                        self.criterion_calls[node], scope
                    )
        for forward in self.forwards.values():
            self._name(forward)

    def _resolve_pass(self, node: Invoke, statements: list[Statement]) -> None:
        backward_pass = self.passes[node] = Pass(node)
        statement = self.flow.statement(node)
        backward_pass.used = not (isinstance(statement, tree.Run) and statement.call is node)
        if self.calls.overwrites(node, statements):
            backward_pass.refused = "a gradient that another call has overwritten when it is read"
            return
        if len(node.arguments) < 2:
            backward_pass.refused = f"{node.method} without a gradient"
            return
        if self.calls.keeps_steps(node.receiver) or self.training.carried.keeps_states(node.receiver):
            backward_pass.refused = "a gradient by hand through a module that remembers its steps"
            return
        if self.calls.comes_after_several(node, statements):
            backward_pass.refused = "a backward pass after a loop that has run the module several times"
            return
        last = self.calls.last(node, statements)
        if last is not None:
            self._belongs(backward_pass, last)
            return
        candidates = self.calls.all_of(node.receiver)
        if not candidates:
            backward_pass.refused = "a backward pass through a module that is not seen to be run"
            return
        if base_name(node.receiver) is None or self.calls.is_one_of_several(node.receiver):
            backward_pass.refused = "a backward pass through one of several modules"
            return
        if self.calls.parts_run(node.receiver):
            backward_pass.refused = "a backward pass through a module whose parts are run by themselves"
            return
        module_input = node.arguments[0]
        others = [call for call in candidates if not self.flow.same(call.arguments[0], module_input)]
        here = any(self.flow.statement(call) in statements for call in candidates)
        if (
            len(others) == len(candidates)
            or not self._is_fixed(module_input, candidates[0])
            or (here and others)
        ):
            backward_pass.refused = "a backward pass of which is not known what input it belongs to"
            return
        # From then on there is nothing to go back through, until the input is this one again.
        for call in others:
            self._forward(call).voids = True
        candidates = [call for call in candidates if call not in others]
        if self.t.kind(node.arguments[0]) != "tensor":
            backward_pass.refused = (
                "a backward pass of a table of inputs, in another function than its forward"
            )
            return
        for call in candidates:
            if not self.calls.overwritten(call, candidates):
                self._keep(backward_pass, call)
        self.may_be_stale(node.receiver)

    def _keep(self, backward_pass: Pass, call: Call | Invoke) -> None:
        """Have a module keep its input and output of a forward, for a pass in another function."""
        forward = self._forward(call)
        forward.passes.append(backward_pass)
        forward.needs_leaf |= backward_pass.used
        forward.kept = True
        backward_pass.kept.append(forward)

    def _is_fixed(self, node: Expression, first: Expression) -> bool:
        """Whether an expression is a variable that holds the same tensor from the first forward on."""
        if not isinstance(node, Name):
            return False
        variable = self.t.scopes.of_name[node]
        if variable.kind == "parameter":
            return False
        home = variable.scope or self.t.scopes.main
        later = [w for w in variable.writes if w.span.start > first.span.start or not self._is_at(w, home)]
        before = len(variable.writes) - len(later)
        return not later and (not variable.in_loop or not before)

    def _is_at(self, node: Name, scope: Scope) -> bool:
        """Whether a place is in a function itself, and in no loop of it."""
        statement = self.flow.statement(node)
        return self.t.surroundings.owner[statement] is scope and not self.flow.loops(statement)

    def _forward(self, call: Call | Invoke) -> Forward:
        forward = self.forwards.get(call)
        if forward is None:
            forward = self.forwards[call] = Forward(call, self.calls.module(call), call.arguments[0])
        return forward

    def _belongs(self, backward_pass: Pass, call: Call | Invoke) -> None:
        """A pass is one back through this forward, if nothing has changed since."""
        node = backward_pass.node
        module_input = call.arguments[0]
        if not self.flow.same(module_input, node.arguments[0]):
            backward_pass.refused = "a backward pass with another input than the forward had"
            return
        if self.calls.switched(call, node):
            backward_pass.refused = (
                "a backward pass in another mode, training or evaluation, than the forward's"
            )
            return
        if self.flow.changed(module_input, call, node):
            backward_pass.refused = "an input that changes between a forward and its backward pass"
            return
        statement = self.flow.statement(call)
        target = passed_integers(statement, call)
        if target is not None and self.flow.overwritten(target, call, node):
            backward_pass.refused = "an output that is changed between a forward and its backward pass"
            return
        forward = self._forward(call)
        if forward.passes:
            forward.passes[-1].again = True
        backward_pass.again = self.flow.repeats(statement, self.flow.statement(node))
        backward_pass.forward = forward
        forward.passes.append(backward_pass)
        forward.needs_leaf |= backward_pass.used
        if self.calls.moves(backward_pass.node.receiver, call, node):
            self.may_be_stale(backward_pass.node.receiver)

    def may_be_stale(self, module: Expression) -> None:
        name = base_name(module)
        if name is not None:
            self.stale.add(self.t.scopes.of_name[name])

    def _read_everywhere(self, scopes: list[Scope]) -> None:
        """Read outputs of modules in functions whose backward passes, if there are any, are those of a loss."""
        for scope in scopes:
            if self.t.user_passes.is_inside(scope.function):
                continue
            if scope not in self.scopes and self.may_take(scope):
                statements = [
                    s for s in self.t.surroundings.statements_of(scope) if s not in self.training.dropped
                ]
                self._read_fields(statements)

    def _read_fields(self, statements: list[Statement]) -> None:
        """``module.output`` and ``module.gradInput`` where the program reads them."""
        here = set(statements)
        for statement in statements:
            for node in tree.direct_nodes(statement):
                if not (isinstance(node, Index) and node.dotted and isinstance(node.key, tree.String)):
                    continue
                if node in self.t.models.coupling.inside:
                    continue
                kind, name = self.t.kind(node.base), node.key.value
                if name == "gradInput" and kind in ("module", "criterion") and self.passes:
                    calls = [
                        c
                        for c in self.calls.backward_calls(statements)
                        if c.method != "accGradParameters"
                        and self.flow.same(c.receiver, node.base)
                        and c.span.end <= node.span.start
                        and self.flow.precedes(self.flow.statement(c), statement)
                    ]
                    if calls:
                        source: Pass | CriterionBackward = (
                            self.passes.get(calls[-1]) or self.criterion_calls[calls[-1]]
                        )
                        self.read[node] = source
                        if isinstance(source, Pass):
                            source.used = True
                            for forward in [*([source.forward] if source.forward else []), *source.kept]:
                                forward.needs_leaf = True
                elif name == "output" and kind == "module":
                    before = [
                        f
                        for f in self.calls.all_of(node.base)
                        if self.flow.statement(f) in here and f.span.end <= node.span.start
                    ]
                    last = before[-1] if before else None
                    if last is not None and self.flow.precedes(self.flow.statement(last), statement):
                        if not self.calls.runs_between(node.base, last, node):
                            self.read[node] = self._forward(last)
                    elif last is None and not self.calls.parts_run(node.base):
                        forwards = self.calls.all_of(node.base)
                        for forward_call in forwards:
                            if not self.calls.overwritten(forward_call, forwards):
                                self._forward(forward_call).kept = True
                                self.kept_fields.add(node)

    def _name(self, forward: Forward) -> None:
        """How the page calls a forward's output and, where it is wanted, its input."""
        t = self.t
        scope = self.t.surroundings.owner[self.flow.statement(forward.node)]
        statement = self.flow.statement(forward.node)
        target = passed_integers(statement, forward.node)
        refused = [p for p in forward.passes if p.refused]
        if forward.passes and len(refused) == len(forward.passes):
            forward.passes.clear()
        if forward.kept:
            return
        uses = [p.node for p in forward.passes] + [n for n, s in self.read.items() if s is forward]
        if target is not None and not any(self.flow.assigned(target, forward.node, use) for use in uses):
            forward.output, forward.named = t.names.of(target), True
        elif uses:
            forward.output = t.names.fresh("output", scope)
        if forward.needs_leaf and t.kind(forward.input) != "table":
            base = f"{t.names.of(forward.input)}_leaf" if isinstance(forward.input, Name) else "leaf"
            forward.leaf = t.names.fresh(base, scope)
        for backward_pass in forward.passes:
            if backward_pass.used and isinstance(self.flow.statement(backward_pass.node), tree.Run):
                backward_pass.name = t.names.fresh("gradInput", scope)
        if forward.needs_leaf and takes_items(t.type(forward.module)):
            for backward_pass in forward.passes:
                backward_pass.refused = backward_pass.refused or "the gradient of an input that is looked up"

    def places(self) -> list[Statement]:
        """The statements with backward calls that are written one by one."""
        return [self.flow.statement(node) for node in (*self.passes, *self.criterion_calls)]

    def check(self, node: Invoke) -> None:
        """Refuse a pass that is not known well enough."""
        backward_pass = self.passes.get(node)
        if backward_pass is None:
            return
        if backward_pass.refused:
            raise Problem("T7-226", node.line, backward_pass.refused)
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
