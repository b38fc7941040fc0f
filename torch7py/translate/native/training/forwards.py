"""Which forward a backward call belongs to, and what there is against their being parts of one loss's backward pass."""

from __future__ import annotations

from functools import cached_property

from torch7py.translate import tree, tree_queries
from torch7py.translate.facts import layers as facts
from torch7py.translate.facts.layers import FORWARD
from torch7py.translate.facts.methods import VIEWS
from torch7py.translate.kinds import all_parts
from torch7py.translate.native.analysis.flow import passed_integers
from torch7py.translate.native.interfaces.training import Training
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.user_passes import is_user_pass
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Statement
from torch7py.translate.tree_queries import base_name

__all__ = ["Forwards"]


class Forwards:
    def __init__(self, t: Translation, training: Training) -> None:
        self.training, self.t, self.flow = training, t, training.flow
        self.lost: set[Expression] = set()  # backward calls that come after something else than their forward

    @cached_property
    def _calls(self) -> list[Call | Invoke]:
        return [n for n in self.flow.statement_of if isinstance(n, (Call, Invoke))]

    @cached_property
    def _of_models(self) -> list[Call | Invoke]:
        return [n for n in self._calls if self.is_forward(n)]

    @cached_property
    def _of_losses(self) -> list[Call | Invoke]:
        return [n for n in self._calls if self.training.losses.is_loss_call(n)]

    def is_forward(self, node: tree.Node | tree.Block) -> bool:
        if is_user_pass(self.t, node):
            return False
        if isinstance(node, Invoke):
            return node.method in FORWARD and self.t.kind(node.receiver) == "module" and bool(node.arguments)
        return (
            isinstance(node, Call)
            and self.t.kind(node.callee) == "module"
            and self.t.path(node.callee) is None
            and len(node.arguments) == 1
        )

    def module(self, node: Call | Invoke) -> Expression:
        return node.receiver if isinstance(node, Invoke) else node.callee

    def all_of(self, module: Expression) -> list[Call | Invoke]:
        calls = self._of_models if self.t.kind(module) == "module" else self._of_losses
        forwards = [n for n in calls if self.is_module(self.module(n), module)]
        return sorted(forwards, key=lambda n: n.span.start)

    def is_module(self, a: Expression, b: Expression) -> bool:
        """Whether two expressions mean the same module: one variable, or a field of objects of one class."""
        if self.flow.same(a, b):
            return True
        if isinstance(a, Index) and isinstance(b, Index) and tree_queries.same_expression(a, b):
            return bool(self.t.type(a.base).find().classes) and self.t.type(a.base) is self.t.type(b.base)
        return False

    def last(self, node: Invoke, statements: list[Statement]) -> Call | Invoke | None:
        """The forward that a backward call belongs to, if it is surely the last one before it."""
        statement = self.flow.statement(node)
        here = set(statements)
        before = [
            f
            for f in self.all_of(node.receiver)
            if self.flow.statement(f) in here and f.span.end <= node.span.end
        ]
        if not before or self.is_one_of_several(node.receiver):
            return None
        last = before[-1]
        if not self.flow.precedes(self.flow.statement(last), statement):
            return None
        if any(  # a later one in the loop around
            f.span.start > node.span.start and self._in_shared_loop(f, last, node)
            for f in self.all_of(node.receiver)
            if self.flow.statement(f) in here
        ):
            return None
        if self.runs_between(node.receiver, last, node):
            self.lost.add(node)
            return None
        return last

    def runs_between(self, module: Expression, forward: Call | Invoke, end: Expression) -> bool:
        """Whether a module, or a part of it, may be run again between its forward and another place."""
        if self.flow.runs(module, forward, end) or self.flow.assigned(module, forward, end):
            return True
        return any(
            isinstance(n, (Call, Invoke))
            and self.is_forward(n)
            and (self._shares(self.module(n), module) or self.is_module(self.module(n), module))
            for n in self.flow.between(forward, end)
        )

    def switched(self, forward: tree.Node, backward: tree.Node) -> bool:
        """Whether modules are put into training or evaluation between two places."""
        return any(
            isinstance(n, Invoke)
            and n.method in ("training", "evaluate")
            and self.t.kind(n.receiver) == "module"
            for n in self.flow.between(forward, backward)
        )

    def parts_run(self, module: Expression) -> bool:
        """Whether the program runs a part of a module by itself, or a whole that it is a part of."""
        return any(
            isinstance(n, (Call, Invoke)) and self.is_forward(n) and self._shares(self.module(n), module)
            for n in self.flow.statement_of
        )

    def _shares(self, a: Expression, b: Expression) -> bool:
        """Whether one of two modules is a part of the other."""
        first, second = self.t.type(a).find(), self.t.type(b).find()
        return first is not second and (first in all_parts(second) or second in all_parts(first))

    def _in_shared_loop(self, later: Call | Invoke, first: tree.Node, backward: tree.Node) -> bool:
        """Whether a forward behind a backward call comes before it in the next turn of a loop, without the first."""
        loops = self.flow.loops(self.flow.statement(backward))
        outside = [loop for loop in loops if loop not in self.flow.loops(self.flow.statement(first))]
        return any(loop in outside for loop in self.flow.loops(self.flow.statement(later)))

    def overwritten(self, call: Call | Invoke, others: list[Call | Invoke]) -> bool:
        """Whether another forward surely follows, before any function could ask for this one's gradients."""
        statement = self.flow.statement(call)
        for other in others:
            later = self.flow.statement(other)
            if (
                other.span.start > call.span.start
                and self.flow.block_of[later] is self.flow.block_of[statement]
            ):
                between = self.flow.between(call, other)
                if not any(
                    isinstance(n, (Call, Invoke)) and self.t.types.function_called(n) for n in between
                ):
                    return True
        return False

    def is_one_of_several(self, module: Expression) -> bool:
        return any(isinstance(n, Index) and not n.dotted for n in tree.walk(module))

    def alike(self, a: Expression, b: Expression) -> bool:
        """Whether two expressions are the same, or one is a module's forward and the other its output."""
        if isinstance(a, (Call, Invoke)) and self.is_forward(a) and isinstance(b, Index):
            is_output = b.key_name == "output"
            return is_output and self.flow.same(self.module(a), b.base)
        return self.flow.same(a, b)

    def keeps_steps(self, module: Expression) -> bool:
        """Whether a module is one of rnn's that take a sequence step by step."""
        names = {layer.name for layer in self.t.type(module).find().layers}
        return any(map(facts.by_step, names))

    def moves(self, module: Expression, first: tree.Node, second: tree.Node) -> bool:
        """Whether the weights of a module may move between two places."""
        of_name = self.t.scopes.of_name
        for node in self.flow.between(first, second):
            if isinstance(node, Invoke):
                if node.method == "updateParameters":
                    return True
                name = base_name(node.receiver)
                if name is not None and of_name[name] in self.training.vectors.aliases:
                    return True
                if self.training.vectors.weights_of(node.receiver) is not None:
                    return True
            if isinstance(node, Call) and (self.t.path(node.callee) or "").startswith("optim."):
                return True
        return False

    def backward_calls(self, statements: list[Statement]) -> list[Invoke]:
        is_backward = self.t.user_passes.is_backward
        calls = [
            n for s in statements for n in tree.direct_nodes(s) if isinstance(n, Invoke) and is_backward(n)
        ]
        return sorted(calls, key=lambda n: n.span.start)

    def objects(self, statements: list[Statement], dropped: set[Statement]) -> bool:
        """Whether the calls of a function are no backward pass of a loss, for what happens between them."""
        seen: set[Expression] = set()
        for node in self.backward_calls(statements):
            if self.flow.statement(node) not in dropped or self.is_one_of_several(node.receiver):
                continue
            if self.overwrites(node, statements) or self._is_left_out(node, statements):
                return True
            last = self.last(node, statements)
            if node in self.lost or self.comes_after_several(node, statements):
                return True
            if last is None or self.keeps_steps(node.receiver):
                continue
            statement = self.flow.statement(last)
            count = 1 if self.t.kind(node.receiver) == "module" else 2
            pairs = zip(last.arguments[:count], node.arguments[:count], strict=False)
            target = passed_integers(statement, last)
            if (
                last in seen
                or self.switched(last, node)
                or self.flow.repeats(statement, self.flow.statement(node))
                or any(not self.alike(a, b) or self.flow.changed(a, last, node) for a, b in pairs)
                or (target is not None and count == 1 and self.flow.overwritten(target, last, node))
            ):
                return True
            seen.add(last)
        return False

    def comes_after_several(self, node: Invoke, statements: list[Statement]) -> bool:
        """Whether a module has been run for each turn of a loop when a backward call behind that loop goes back.

        It has the output of the last turn only, and so have all layers in it.
        """
        if self.t.kind(node.receiver) != "module" or self.is_one_of_several(node.receiver):
            return False
        statement = self.flow.statement(node)
        before = [
            home
            for call in self.all_of(node.receiver)
            if (home := self.flow.statement(call)) in statements and home.span.end <= statement.span.start
        ]
        return (
            bool(before) and self.flow.repeats(statement, before[-1]) and not self.keeps_steps(node.receiver)
        )

    def _is_left_out(self, node: Invoke, statements: list[Statement]) -> bool:
        """Whether a module that moves all the same gets no gradients in a branch, where a loss is computed."""
        calls = self.backward_calls(statements)
        losses = [self.flow.statement(n) for n in calls if self.t.kind(n.receiver) == "criterion"]
        moved = [
            self.flow.statement(n)
            for s in statements
            for n in tree.direct_nodes(s)
            if isinstance(n, Invoke)
            and n.method == "updateParameters"
            and self.flow.same(n.receiver, node.receiver)
        ]
        for around in self.flow.around(self.flow.statement(node)):
            if not isinstance(around, tree.If) or any(around in self.flow.around(s) for s in losses):
                continue
            blocks = [block for _, block in around.branches]
            blocks += [around.otherwise] if around.otherwise is not None else []
            same = {n for n in calls if self.flow.same(n.receiver, node.receiver)}
            reached = [block for block in blocks if not same.isdisjoint(tree.every(block, Invoke))]
            everywhere = around.otherwise is not None and len(reached) == len(blocks)
            if losses and not everywhere and any(around not in self.flow.around(s) for s in moved):
                return True
        return False

    def overwrites(self, node: Invoke, statements: list[Statement]) -> bool:
        """Whether what a backward call gives is read after another call of the kind has given its own there."""
        statement = self.flow.statement(node)
        target = self.holds(statement, node)
        if target is None:
            return False
        others = [
            n
            for n in self.backward_calls(statements)
            if n is not node and n.method != "accGradParameters" and self.flow.same(n.receiver, node.receiver)
        ]
        if not isinstance(target, Name):  # in a table
            return not self.keeps_steps(node.receiver) and self.flow.read_in_other_turns(statement, target)
        variable = self.t.scopes.of_name[target]
        for read in variable.reads:
            if read.span.start < node.span.end or self.flow.statement(read) not in statements:
                continue
            if self.flow.assigned(target, node, read):
                continue
            if any(other in others for other in self.flow.between(node, read)):
                return True
        return False

    def holds(self, statement: Statement, node: Expression) -> Expression | None:
        """What is given the value of an expression, or a view of it, in a statement."""
        if isinstance(statement, tree.Assignment):
            for target, value in zip(statement.targets, statement.values, strict=False):
                while isinstance(value, Invoke) and value.method in VIEWS:
                    value = value.receiver
                if value is node:
                    return target
        return None
