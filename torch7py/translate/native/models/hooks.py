"""Outputs of parts of a model: ``model:get(3).output`` after ``model:forward(x)``.

A Torch7 module keeps its last output; one of PyTorch does so with a forward hook, where the program looks at it. What
the program hands on to a module or a criterion is none of these: gradients would have to go through it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate import forms, tree
from torch7py.translate.facts.layers import FORWARD
from torch7py.translate.layers import NotNative
from torch7py.translate.layers.in_place import is_written_over
from torch7py.translate.native.code import ATOM
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Expression, Index, Invoke, Name, String

if TYPE_CHECKING:
    from torch7py.translate.native.models.builders import Builder
    from torch7py.translate.native.models.methods import Models

__all__ = ["Hooks"]


class Hooks:
    def __init__(self, models: Models) -> None:
        self.models, self.t = models, models.t
        self._read: dict[Index, Name] | None = None

    def reads(self) -> dict[Index, Name]:
        """The outputs of parts that the program looks at, and the variables that the parts are reached from."""
        if self._read is None:
            self._read = {}
            nodes = list(tree.walk(self.t.program))
            run = [n.receiver for n in nodes if isinstance(n, Invoke) and n.method in FORWARD]
            handed_on = {
                inner
                for n in nodes
                if isinstance(n, Invoke) and self.t.kind(n.receiver) in ("module", "criterion")
                for argument in n.arguments
                for inner in tree.walk(argument)
            }
            for node in nodes:
                if not (
                    isinstance(node, Index) and isinstance(node.key, String) and node.key.value == "output"
                ):
                    continue
                root = self._root(node.base) if self.t.kind(node.base) == "module" else None
                if node in self.models.coupling.inside:
                    continue
                if root is None or node in handed_on or any(self._same(node.base, other) for other in run):
                    continue
                builder = self.models.builders.builder_at(root)
                if builder is None or (builder.dynamic and node.base is not root):
                    continue
                if not self._is_written_over(node.base, builder):
                    self._read[node] = root
        return self._read

    def _is_written_over(self, node: Expression, builder: Builder) -> bool:
        """Whether the layer after a part writes over its output: ``nn.ReLU(true)``."""
        places: list[int] = []
        while not isinstance(node, Name):
            place = (
                node.arguments[0]
                if isinstance(node, Invoke)
                else node.key
                if isinstance(node, Index)
                else node
            )
            if not isinstance(place, tree.Number):
                return False
            places.insert(0, int(place.value) - 1)
            inner = (
                node.receiver if isinstance(node, Invoke) else node.base if isinstance(node, Index) else node
            )
            node = inner.base if isinstance(node, Index) and isinstance(inner, Index) else inner
        try:
            model = self.models.constructions.whole(builder)
        except (Problem, NotNative):
            return False  # which is said where it is made
        return is_written_over(model, places)

    def _root(self, node: Expression) -> Name | None:
        """The variable of ``net:get(1):get(2)`` and ``net.modules[1]``, with constants as places."""
        while not isinstance(node, Name):
            if isinstance(node, Invoke) and node.method == "get" and len(node.arguments) == 1:
                place, inner = node.arguments[0], node.receiver
            elif (
                isinstance(node, Index) and isinstance(node.base, Index) and isinstance(node.base.key, String)
            ):
                if node.base.key.value != "modules":
                    return None
                place, inner = node.key, node.base.base
            else:
                return None
            if not isinstance(place, tree.Number):
                return None
            node = inner
        return None if self.t.type(node).find().classes else node

    def _same(self, a: Expression, b: Expression) -> bool:
        if isinstance(a, Name) and isinstance(b, Name):
            return self.t.scopes.of_name[a] is self.t.scopes.of_name[b]
        if isinstance(a, Invoke) and isinstance(b, Invoke):
            same = a.method == b.method and len(a.arguments) == len(b.arguments)
            return (
                same and self._same(a.receiver, b.receiver) and all(map(self._same, a.arguments, b.arguments))
            )
        return forms.same_expression(a, b)

    def write(self, builder: Builder) -> None:
        """Have the parts of a new model keep their outputs."""
        t = self.t
        found: dict[str, None] = {}
        for node, root in self.reads().items():
            if self.models.builders.builder_at(root) is builder:
                found[t.value(node.base).at(ATOM)] = None
        for text in found:
            t.emit(f"{text}.register_forward_hook({t.need('keep_output')})")
