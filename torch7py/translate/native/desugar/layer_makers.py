"""Variables and tables that hold layers' classes: ``norm = nn.ReLU`` in one branch, ``nn.ELU`` in another.

They are functions that make these layers, with as many arguments as the calls give. A name for one class alone stays
that, as does a variable that is used for anything but making layers. ``nn[name]()`` chooses among those layers that the
program has as texts.
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
        self.edited([*edits, *self._of_tables(), *self._by_name()])
        return self.source

    def _of_tables(self) -> list[tuple[int, int, str]]:
        """``local activations = {relu = nn.ReLU, tanh = nn.Tanh}``, of which each use is a call of an entry."""
        edits: list[tuple[int, int, str]] = []
        calls = {call.callee: call for call in tree.every(self.program, Call)}
        entries = {node.base: node for node in tree.every(self.program, tree.Index)}
        for node in tree.every(self.program, tree.Local):
            table = node.values[0] if len(node.names) == len(node.values) == 1 else None
            if not isinstance(table, tree.Table) or not table.fields:
                continue
            variable = self.scopes.of_name[node.names[0]]
            used = [calls.get(entries.get(name, name)) for name in variable.reads]
            counts = {_plain_count(call) for call in used}
            names = [layer_named(entry.value) for entry in table.fields]
            if variable.writes or None in names or len(counts) != 1 or None in counts:
                continue
            functions = [
                self._function(name or "", entry.value, max(filter(None, counts), default=0))
                for name, entry in zip(names, table.fields, strict=True)
            ]
            if None not in functions:
                edits += [
                    (entry.value.span.start, entry.value.span.end, function or "")
                    for entry, function in zip(table.fields, functions, strict=True)
                ]
        return edits

    def _by_name(self) -> list[tuple[int, int, str]]:
        """``nn[name](n)``"""
        edits: list[tuple[int, int, str]] = []
        starts = {node.span.start for block in self.blocks() for node in block.statements}
        keys = {node.key for node in tree.every(self.program, tree.Index) if node.dotted}
        texts = dict.fromkeys(
            node.value for node in tree.every(self.program, tree.String) if node not in keys
        )
        names = [text for text in texts if f"nn.{text}" in layers and text.isidentifier()]
        for call in tree.every(self.program, Call):
            callee, count = call.callee, _plain_count(call)
            if not isinstance(callee, tree.Index) or not isinstance(callee.base, Name) or count is None:
                continue
            variable = self.scopes.of_name[callee.base]
            is_nn = callee.base.name == "nn" and variable.is_global and not variable.writes
            if not is_nn or callee.dotted or not names or call.span.start in starts:
                continue
            chosen = [callee.key.value] if isinstance(callee.key, tree.String) else names
            functions = {
                name: self._function(f"nn.{name}", None, count) for name in chosen if f"nn.{name}" in layers
            }
            if None not in functions.values():
                entries = ", ".join(f"{name} = {function}" for name, function in functions.items())
                edits.append(
                    (callee.span.start, callee.span.end, f"({{{entries}}})[{self.text(callee.key)}]")
                )
        return edits

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
            count = _plain_count(call)
            if count is None:
                return set()
            counts.add(count)
        return counts

    def _function(self, layer: str, value: Expression | None, count: int) -> str | None:
        """``function(n) return nn.BatchNormalization(n) end``"""
        parameters = list(inspect.signature(layers[layer].__init__).parameters.values())[1:]
        names = [p.name for p in parameters if p.kind == inspect.Parameter.POSITIONAL_OR_KEYWORD][:count]
        args = ", ".join(names)
        taken = [*names, *(f"_{number + 1}" for number in range(len(names), count))]  # more are disregarded
        if any(name in self.names for name in taken):
            return None
        maker = layer if value is None else self.text(value)
        return f"function({', '.join(taken)}) return {maker}({args}) end"


def _plain_count(call: Call | None) -> int | None:
    """How many arguments a call has, where that is plain to see."""
    if call is None:
        return None
    spread = (Call, Invoke, tree.Vararg, tree.Table)
    return None if call.arguments and isinstance(call.arguments[-1], spread) else len(call.arguments)
