"""Variables and tables that hold layers' classes: ``norm = nn.ReLU`` in one branch, ``nn.ELU`` in another.

They are functions that make these layers, with as many arguments as the calls give. A name for one class alone stays
that, as does a variable that is used for anything but making layers. ``nn[name]()`` chooses among those layers that the
program has as texts. Among the classes in a variable may be some of the program's own, which hold their place; those
of nn's become functions beside them.
"""

from __future__ import annotations

import inspect

import torch7py.nn.all  # noqa: F401  (the layers there are)
from torch7py.nn.registry import layers
from torch7py.translate import tree, tree_queries
from torch7py.translate.facts import layers as facts
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.native.desugar.varargs import layer_named
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Binary, Block, Call, Expression, Invoke, Name, String

__all__ = ["LayerMakers", "layers_in_texts"]


def layers_in_texts(program: Block) -> list[str]:
    """The layers of nn whose names are texts of a program, or such a text with one that it joins to others."""
    keys = {node.key for node in tree.every(program, tree.Index) if node.dotted}
    words = dict.fromkeys(node.value for node in tree.every(program, String) if node not in keys)
    joined = [node for node in tree.every(program, Binary) if node.operator == ".."]
    ends = {node.right.value for node in joined if isinstance(node.right, String)} - {""}
    begins = {node.left.value for node in joined if isinstance(node.left, String)} - {""}
    names = {name.removeprefix("nn."): None for name in layers if name.startswith("nn.")}
    whole = [word for word in words if word in names and not facts.is_base(f"nn.{word}")]
    of_two = [
        name
        for name in names.keys() - words.keys()
        if any(name.endswith(end) and name.removesuffix(end) in words for end in ends)
        or any(name.startswith(begin) and name.removeprefix(begin) in words for begin in begins)
    ]
    return [*whole, *sorted(of_two)]


class LayerMakers(Rewriting):
    def rewrite(self) -> None:
        for variable, values in self._variables().items():
            counts = self._counts(variable)
            classes = [expression for value in values for expression in self._classes(value)]
            of_library = any(layer_named(layer_class) is not None for layer_class in classes)
            if len(counts) == 1 and of_library and len({self.text(c) for c in classes}) > 1:
                self._put_functions(classes, counts.pop())
        self._of_tables()
        self._by_name()

    def _put_functions(self, classes: list[Expression], count: int) -> None:
        """Have functions in the place of layers' classes, if all of these have such."""
        functions = [self._function(layer_named(c), c, count) for c in classes]
        if None not in functions:
            for layer_class, text in zip(classes, functions, strict=True):
                self.put(layer_class, text or "")

    def _of_tables(self) -> None:
        """``local activations = {relu = nn.ReLU, tanh = nn.Tanh}``, of which each use is a call of an entry."""
        calls = {call.callee: call for call in tree.every(self.program, Call)}
        entries = {node.base: node for node in tree.every(self.program, tree.Index)}
        for node in tree.every(self.program, tree.Local):
            table = node.values[0] if len(node.names) == len(node.values) == 1 else None
            if not isinstance(table, tree.Table) or not table.fields:
                continue
            variable = self.scopes.of_name[node.names[0]]
            counts = {_plain_count(calls.get(entries.get(name, name))) for name in variable.reads}
            classes = [entry.value for entry in table.fields]
            if not variable.writes and None not in map(layer_named, classes) and len(counts) == 1:
                (count,) = counts
                if count is not None:
                    self._put_functions(classes, count)

    def _by_name(self) -> None:
        """``nn[name](n)``"""
        starts = {node.span.start for block in self.blocks() for node in block.statements}
        names = layers_in_texts(self.program)
        for call in tree.every(self.program, Call):
            callee, count = call.callee, _plain_count(call)
            if not isinstance(callee, tree.Index) or callee.dotted or not names or call.span.start in starts:
                continue
            variable = self.variable(callee.base)
            is_nn = self.scopes.is_global(callee.base, "nn") and variable is not None and not variable.writes
            if not is_nn or count is None:
                continue
            chosen = [callee.key.value] if isinstance(callee.key, tree.String) else names
            functions = {
                name: self._function(f"nn.{name}", None, count) for name in chosen if f"nn.{name}" in layers
            }
            if None not in functions.values():
                entries = ", ".join(f"{name} = {function}" for name, function in functions.items())
                self.put(callee, f"({{{entries}}})[{self.text(callee.key)}]")

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
        return [value] if layer_named(value) is not None or self._may_be_own(value) else []

    def _may_be_own(self, value: Expression) -> bool:
        """Whether ``nn.Block`` may be a class of the program's own: nn has no such layer."""
        key = value.key_name if isinstance(value, tree.Index) and value.dotted else None
        if key is None or not key[:1].isupper() or f"nn.{key}" in layers:
            return False
        assert isinstance(value, tree.Index)
        return self.scopes.is_global(value.base, "nn")

    def _counts(self, variable: Variable) -> set[int]:
        """With how many arguments a variable is called, if that is all that is done with it and is plain to see."""
        calls = {call.callee: call for call in tree.every(self.program, Call)}
        counts = {_plain_count(calls.get(name)) for name in variable.reads}
        return set() if None in counts else {count for count in counts if count is not None}

    def _function(self, layer: str | None, value: Expression | None, count: int) -> str | None:
        """``function(n) return nn.BatchNormalization(n) end``; a class of the program's own may take any arguments."""
        names = [f"value{number + 1}" if count > 1 else "value" for number in range(count)]
        if layer is not None:
            parameters = list(inspect.signature(layers[layer].__init__).parameters.values())[1:]
            names = [p.name for p in parameters if p.kind == inspect.Parameter.POSITIONAL_OR_KEYWORD][:count]
        args = ", ".join(names)
        taken = [*names, *(f"_{number + 1}" for number in range(len(names), count))]  # more are disregarded
        if any(name in self.names for name in taken):
            return None
        maker = self.text(value) if value is not None else layer
        return f"function({', '.join(taken)}) return {maker}({args}) end"


def _plain_count(call: Call | None) -> int | None:
    """How many arguments a call has, where that is plain to see."""
    if call is None:
        return None
    spread = (Call, Invoke, tree.Vararg, tree.Table)
    return None if call.arguments and isinstance(call.arguments[-1], spread) else len(call.arguments)
