"""Recurrent layers that begin in the state in which others ended, as a decoder does behind its encoder.

The program copies outputs and cells forward (``userPrevOutput``, ``userPrevCell``), and gradients back
(``gradPrevOutput``, ``userNextGradCell``). In a page a layer hands its state over as it is, so that ``loss.backward()``
takes the gradients back; what only copies gradients is left out. Where the program copies none back, states are
detached.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch7py.translate import tree, tree_queries
from torch7py.translate.facts import layers as facts
from torch7py.translate.layers.groups import WITH_CELL, WITHOUT_CELL
from torch7py.translate.native import code
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.models.sequences import Sequences
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Block, Call, Expression, Index, Invoke, Statement

__all__ = ["Coupling"]

_FIRST = {"userPrevOutput": "output", "userPrevCell": "cell"}
_LAST = {"output": "output", "outputs": "output", "cell": "cell", "cells": "cell"}
_BACK = {"gradPrevOutput": "userGradPrevOutput", "userNextGradCell": "userGradPrevCell"}


@dataclass(eq=False)
class _Start:
    """One tensor of a first state: the layer that begins in it, which it is, the layer that ended, after which step."""

    statement: tree.Assign
    layer: Expression
    part: str
    source: Expression
    step: Expression


class Coupling:
    def __init__(self, t: Translation, sequences: Sequences) -> None:
        self.t, self.sequences = t, sequences
        self._starts: dict[Statement, _Start] = {}
        # What copies gradients, and the gradient that it copies.
        self._back: dict[Statement, Index | None] = {}
        self.inside: set[tree.Node | Block] = set()  # all nodes of these statements
        for statement in tree.those(self.t.program, tree.Run, tree.Assign):
            if isinstance(statement, (tree.Run, tree.Assign)):
                self._look(statement)
        for statement in (*self._starts, *self._back):
            self.inside.update(tree.walk(statement))
        self.layers = self._calls()

    def _look(self, statement: tree.Run | tree.Assign) -> None:
        call = statement.call if isinstance(statement, tree.Run) else None
        if isinstance(call, Invoke) and call.method == "setGradHiddenState":
            self._back[statement] = None
        if not isinstance(statement, tree.Assign) or len(statement.targets) + len(statement.values) != 2:
            return
        target, value = statement.targets[0], self._copied(statement.values[0])
        if not isinstance(target, Index) or not isinstance(value, Index):
            return
        name, kept = target.key_name or "", value.base
        if name in _BACK:
            self._back[statement] = value
        part = _FIRST.get(name)
        if part is not None and isinstance(kept, Index) and _LAST.get(kept.key_name or "") == part:
            self._starts[statement] = _Start(statement, target.base, part, kept.base, value.key)

    def _copied(self, node: Expression) -> Expression:
        """What ``nn.rnn.recursiveCopy(x.field, y)`` and ``y:clone()`` give."""
        while True:
            if isinstance(node, Call) and self.t.path(node.callee) == "nn.rnn.recursiveCopy":
                if len(node.arguments) != 2:
                    return node
                node = node.arguments[1]
            elif isinstance(node, Invoke) and node.method == "clone" and not node.arguments:
                node = node.receiver
            else:
                return node

    def _calls(self) -> set[Call]:
        """The layers that begin in other ones' states, or end in such."""
        bases = [base for start in self._starts.values() for base in (start.layer, start.source)]
        return {layer.call for base in bases for layer in self.t.type(base).find().layers}

    @property
    def takes_back(self) -> bool:
        return bool(self._starts and self._back)

    # In the page

    def handles(self, node: Statement) -> bool:
        if node in self._back and self._starts:
            return True
        start = self._starts.get(node)
        if start is None:
            return False
        self._check(start)
        others = [
            other
            for other in self._starts.values()
            if other.part != start.part
            and self.t.surroundings.block_of[other.statement] is self.t.surroundings.block_of[node]
            and tree_queries.same_expression(other.layer, start.layer)
        ]
        names = self._names(start.layer)
        if names <= WITH_CELL:
            if len(others) != 1 or not (
                tree_queries.same_expression(others[0].source, start.source)
                and tree_queries.same_expression(others[0].step, start.step)
            ):
                raise Problem("T7-225", node.line, "a first state without its cell, or of several layers")
            if self._goes_back(start) != self._goes_back(others[0]):
                raise Problem("T7-226", node.line, "a state of which only a part has its gradient taken back")
            if others[0].statement.span.start > node.span.start:
                return True  # written with the other one
        self._write(start)
        return True

    def _names(self, layer: Expression) -> set[str]:
        return {module_expr.name for module_expr in self.t.type(layer).find().layers}

    def _write(self, start: _Start) -> None:
        t = self.t
        source = t.value(start.source).at(code.ATOM)
        if self._is_last(start):
            state = f"{source}.end"
        else:
            state = f"{t.need('state_after')}({source}, {t.expressions.whole_number(start.step)})"
        if not self._goes_back(start):
            variable = t.fresh("state")
            t.emit(f"{variable} = {state}")
            single = self._names(start.layer) <= WITHOUT_CELL
            state = f"{variable}.detach()" if single else f"tuple(s.detach() for s in {variable})"
        t.emit(f"{t.value(start.layer).at(code.ATOM)}.start = {state}")

    def _is_last(self, start: _Start) -> bool:
        """Whether a step is written as the last one of what the layer gave: ``outputs[#outputs]``."""
        step = start.step
        value = self._copied(start.statement.values[0])
        if isinstance(step, tree.Unary) and step.operator == "#" and isinstance(value, Index):
            return tree_queries.same_expression(step.operand, value.base)
        return isinstance(step, tree.Unary) and step.operator == "-" and _is_one(step.operand)

    def _check(self, start: _Start) -> None:
        line = start.statement.line
        names, sources = self._names(start.layer), self._names(start.source)
        if not names or not (names | sources <= WITH_CELL or names | sources <= WITHOUT_CELL):
            raise Problem("T7-225", line, "the state of something that is not known to be an LSTM or a GRU")
        for base in (start.layer, start.source):
            if not all(
                self.sequences.is_whole(module_expr.call) for module_expr in self.t.type(base).find().layers
            ):
                raise Problem("T7-225", line, "the state of a layer that is applied to single steps")
        if self._goes_back(start) and not self._runs_back(start.source):
            raise Problem("T7-226", line, "a gradient of a state that is taken back and not used there")
        if self.t.training.explicit.scopes:
            raise Problem("T7-226", line, "states handed over, with gradients by hand elsewhere")

    def _goes_back(self, start: _Start) -> bool:
        """Whether the gradient of a first state is taken to where the state came from; refused if by another way."""
        layer, source = self.t.type(start.layer).find(), self.t.type(start.source).find()
        for statement, value in self._back.items():
            if value is None:  # setGradHiddenState, which sequences as a whole do not have
                if not all(map(facts.may_remember, self._names(start.layer))):
                    return True
                continue
            target = statement.targets[0] if isinstance(statement, tree.Assign) else None
            assert isinstance(target, Index)
            if self.t.type(target.base).find() is not source:
                continue
            key, name = (k.value if isinstance(k, tree.String) else "" for k in (target.key, value.key))
            if ("cell" if "Cell" in key else "output") != start.part:
                continue
            if _BACK[key] != name or self.t.type(value.base).find() is not layer:
                raise Problem("T7-226", statement.line, "a gradient of a state that goes another way back")
            return True
        return False

    def _runs_back(self, layer: Expression) -> bool:
        """Whether the program sends gradients back through a module with a layer in it."""
        constructions = {module_expr.call for module_expr in self.t.type(layer).find().layers}
        return any(
            node.method == "backward"
            and self.t.kind(node.receiver) == "module"
            and constructions & self.sequences.inside(node.receiver)
            for node in tree.every(self.t.program, Invoke)
        )

    def begins_at_state(self, module: Expression) -> bool:
        inside = self.sequences.inside(module)
        sources = [start.source for start in self._starts.values() if self._goes_back(start)]
        return any(
            module_expr.call in inside
            for source in sources
            for module_expr in self.t.type(source).find().layers
        )

    # What only copies gradients

    def copies_back(self, statement: Statement) -> bool:
        if not self.takes_back:
            return False
        if statement in self._back:
            return True
        if isinstance(statement, tree.Run):
            functions = self.t.types.function_called(statement.call)
            return bool(functions) and all(self._all_back(function.body) for function in functions)
        if isinstance(statement, (tree.NumericFor, tree.GenericFor, tree.If, tree.Do)):
            return all(self._all_back(block) for block in tree.blocks(statement))
        return False

    def _all_back(self, block: Block) -> bool:
        return bool(block.statements) and all(self.copies_back(s) for s in block.statements)

    def functions_back(self) -> list[Statement]:
        statements: list[Statement] = []
        if not self.takes_back:
            return statements
        for node in tree.those(self.t.program, tree.LocalFunction, tree.FunctionStatement):
            if isinstance(node, (tree.LocalFunction, tree.FunctionStatement)):
                statements += [node] if self._all_back(node.function.body) else []
        return statements


def _is_one(node: Expression) -> bool:
    return isinstance(node, tree.Number) and node.value == 1
