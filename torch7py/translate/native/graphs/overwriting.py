"""Layers of a graph that write over the value of a node which others are given, too: ``nn.ReLU(true)(x)``.

They see in Torch7 what the layer left there, and so they do in a page, where they certainly come after it.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.layers import Layer
from torch7py.translate.layers.in_place import in_place, may_keep_input
from torch7py.translate.native.graphs.nodes import Nodes
from torch7py.translate.native.graphs.parts import GraphClass
from torch7py.translate.native.problem import Problem
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Name, Statement
from torch7py.translate.tree_queries import bare

__all__ = ["Overwriting"]

_REASON = "a layer that writes over a node which others are given, too"


class Overwriting(Nodes):
    at: GraphClass  # the class that is being written

    @abstractmethod
    def assigns_graph(self, node: Statement) -> bool:
        """Whether a statement makes a graph out of those before it."""

    def overwrites(self, node: Call, layer: Layer) -> bool:
        """Whether a layer writes over a value that others look at after it. Refuses where they may come before."""
        if not in_place(layer) or not node.arguments:
            return False
        argument = bare(node.arguments[0])
        if isinstance(argument, tree.Table):
            argument = argument.fields[0].value if argument.fields else argument
        name, same = self._memory(argument)
        if name is None:
            return False
        others = self._others(name)
        if self._is_shared_outside(self.t.scopes.of_name[name]):
            raise Problem("T7-230", node.line, _REASON)
        if not others:
            return False
        if not same or node.arguments[0] is not name or not may_keep_input(layer):
            raise Problem("T7-230", node.line, _REASON)
        if any(not self._is_after(other, node) for other in others):
            raise Problem("T7-230", node.line, _REASON)
        return True

    def _memory(self, node: Expression, same: bool = True) -> tuple[Name | None, bool]:
        """The variable in whose node's memory a value lies, and whether it is that node itself."""
        node = bare(node)
        while isinstance(node, Call) and node in self.at.sites:
            layer = self.at.sites[node].layer
            if layer is None or not facts.shares_memory(layer.name) or not node.arguments:
                return None, False
            node, same = bare(node.arguments[0]), False
        if isinstance(node, tree.Index):
            return self._memory(node.base, False)
        if not isinstance(node, Name):
            return None, False
        if not self._others(node):  # perhaps in that of the node that it was made of
            values = [v for _, v in self.t.training.assigned_to(self.t.scopes.of_name[node])]
            for value in values if len(values) == 1 else ():
                memory = (None, False) if value is None else self._memory(value, False)
                if memory[0] is not None:
                    return memory
        return node, same

    def _others(self, name: Name) -> list[Name]:
        """Where else a variable is read that holds the same node there."""
        variable = self.t.scopes.of_name[name]
        home, parents = self.t.surroundings.home, self.t.surroundings.parents
        here = home[name]
        first, last = -1, here.span.end if variable in self._assigned_by(here) else float("inf")
        for write in variable.writes:
            statement = home[write]
            if statement.span.end <= name.span.start and set(parents[statement]) <= set(parents[here]):
                first = max(first, statement.span.end)
        reads = [r for r in variable.reads if r is not name and first <= r.span.start < last]
        return [r for r in reads if r not in self._inputs]

    @cached_property
    def _inputs(self) -> set[tree.Node | tree.Block]:
        """What is in the lists of inputs that graphs are given."""
        graphs = [call for call in tree.every(self.t.program, Call) if self.makes_graph(call)]
        return {n for call in graphs for n in tree.walk(call.arguments[0])}

    def _assigned_by(self, node: Statement) -> set[Variable]:
        targets = node.targets if isinstance(node, tree.Assign) else ()
        return {self.t.scopes.of_name[x] for x in targets if isinstance(x, Name)}

    def _is_shared_outside(self, variable: Variable) -> bool:
        """Whether it is the argument of a function that makes a part, whose callers use it for something else."""
        if variable.kind != "parameter" or variable in self.at.input_variables:
            return False
        function = variable.scope.function if variable.scope is not None else None
        if function is None:
            return False
        for call in self.t.types.calls_of.get(function, []):
            for parameter, argument in self.t.types.bound_arguments(function, call):
                of_it = self.t.scopes.of_name[parameter] is variable
                if of_it and isinstance(argument, tree.Index):
                    return True
                if of_it and isinstance(argument, Name) and self._others(argument):
                    return True
        return False

    def _is_after(self, name: Name, layer: Call) -> bool:
        """Whether what is given a node is computed after a layer, because it needs what comes of that."""
        if self.t.scopes.of_name[name].writes:
            return False  # one of several nodes
        around = [c for c in self.at.sites if any(n is name for a in c.arguments for n in tree.walk(a))]
        if not around:  # what the graph gives
            statement = self.t.surroundings.home[name]
            return isinstance(statement, tree.Return) or self.assigns_graph(statement)
        inner = min(around, key=lambda c: sum(1 for a in c.arguments for _ in tree.walk(a)))
        seen: set[Variable] = set()
        waiting: list[Expression] = list(inner.arguments)
        while waiting:
            for node in tree.walk(waiting.pop()):
                if node is layer:
                    return True
                if isinstance(node, Name) and (variable := self.t.scopes.of_name[node]) not in seen:
                    seen.add(variable)
                    values = [v for _, v in self.t.training.assigned_to(variable)]
                    if len(values) == 1 and values[0] is not None:
                        waiting.append(values[0])
        return False
