"""Variables that hold one of several layers' classes: ``norm = nn.ReLU`` in one branch, ``nn.ELU`` in another.

They are functions that make these layers, with as many arguments as the calls give. A name for one class alone stays
that, as does a variable that is used for anything but making layers.
"""

from __future__ import annotations

import inspect

import torch7py.nn.all  # noqa: F401  (the layers there are)
from torch7py.nn.registry import layers
from torch7py.translate import tree, tree_queries
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.native.desugar.varargs import layer_named
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Binary, Call, Expression, Invoke, Name

__all__ = ["LayerMakers"]


class LayerMakers(Rewriting):
    def written(self) -> bytes:
        edits: list[tuple[int, int, str]] = []
        for variable, values in self._variables().items():
            counts = self._counts(variable)
            classes = [expression for value in values for expression in self._classes(value)]
            if len(counts) != 1 or len({self.text(c) for c in classes}) < 2:
                continue
            (count,) = counts
            functions = [
                self._function(layer_named(layer_class) or "", layer_class, count) for layer_class in classes
            ]
            if None not in functions:
                edits += [
                    (layer_class.span.start, layer_class.span.end, text or "")
                    for layer_class, text in zip(classes, functions, strict=True)
                ]
        self.edited(edits)
        return self.source

    def _variables(self) -> dict[Variable, list[Expression]]:
        """What each variable is given that holds nothing but classes of layers, or nothing."""
        assigned_values: dict[Variable, list[Expression]] = {}
        assignment_counts: dict[Variable, int] = {}
        for node in tree_queries.statements(self.program):
            targets, values = tree_queries.targets(node), tree_queries.values(node)
            for at, target in enumerate(targets):
                if not isinstance(target, Name) or (values and len(values) != len(targets)):
                    continue
                variable = self.scopes.of_name[target]
                assignment_counts[variable] = assignment_counts.get(variable, 0) + 1
                if values and not isinstance(values[at], tree.Nil):
                    assigned_values.setdefault(variable, []).append(values[at])
        return {
            v: values
            for v, values in assigned_values.items()
            if v.kind in ("local", "global")
            and assignment_counts[v] == len(v.writes) + (v.kind == "local")
            and all(self._classes(value) for value in values)
        }

    def _classes(self, value: Expression) -> list[Expression]:
        """The classes that an expression is one of: ``nn.ReLU``, ``opt.elu and nn.ELU or nn.ReLU``."""
        if isinstance(value, tree.Paren):
            return self._classes(value.inner)
        if isinstance(value, Binary) and value.operator == "or":
            first, last = value.left, self._classes(value.right)
            if isinstance(first, Binary) and first.operator == "and" and last:
                chosen = self._classes(first.right)
                return [*chosen, *last] if chosen else []
            return []
        return [value] if layer_named(value) is not None else []

    def _counts(self, variable: Variable) -> set[int]:
        """With how many arguments a variable is called, if that is all that is done with it and is plain to see."""
        calls = {
            call.callee: call for call in tree.every(self.program, Call) if isinstance(call.callee, Name)
        }
        uses = [calls.get(name) for name in variable.reads]
        counts: set[int] = set()
        for call in uses:
            if call is None or (
                call.arguments and isinstance(call.arguments[-1], (Call, Invoke, tree.Vararg, tree.Table))
            ):
                return set()
            counts.add(len(call.arguments))
        return counts

    def _function(self, layer: str, value: Expression, count: int) -> str | None:
        """``function(n) return nn.BatchNormalization(n) end``"""
        parameters = list(inspect.signature(layers[layer].__init__).parameters.values())[1:]
        names = [p.name for p in parameters if p.kind == inspect.Parameter.POSITIONAL_OR_KEYWORD][:count]
        args = ", ".join(names)
        taken = [*names, *(f"_{number + 1}" for number in range(len(names), count))]  # more are disregarded
        if any(name in self.names for name in taken):
            return None
        return f"function({', '.join(taken)}) return {self.text(value)}({args}) end"
