"""Functions that hand all that they are given to a layer: ``local function block(...) net:add(nn.Linear(...)) end``.

Their parameters are the layer's, by name; the calls that leave some of them out are given the layer's defaults.
"""

from __future__ import annotations

import inspect

import torch7py.nn.all  # noqa: F401  (the layers there are)
from torch7py.nn.registry import layers
from torch7py.translate import tree
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.tree import Call, Expression, Function, Index, Invoke, Name, Number, String
from torch7py.translate.tree_queries import named_functions

__all__ = ["Varargs", "layer_named"]

# What an argument is that is left out, where that is another one.
_LIKE = {"padH": "padW", "dW": "kW", "dH": "kH"}


class Varargs(Rewriting):
    def written(self) -> bytes:
        edits: list[tuple[int, int, str]] = []
        for _, name, function in named_functions(self.program):
            calls = self._calls(name)
            if function.vararg and not function.parameters and calls:
                edits += self._named(name, function, calls) or []
        self.edited(edits)
        return self.source

    def _calls(self, name: Name) -> list[Call]:
        """The calls of a function, if it is only ever called with a number of values that is plain to see."""
        reads = self.scopes.of_name[name].reads
        calls = [call for call in tree.every(self.program, Call) if call.callee in reads]
        plain = not any(
            call.arguments and isinstance(call.arguments[-1], (Call, Invoke, tree.Vararg)) for call in calls
        )
        return calls if plain and len(calls) == len(reads) else []

    def _named(self, name: Name, function: Function, calls: list[Call]) -> list[tuple[int, int, str]] | None:
        counts = [len(call.arguments) for call in calls]
        uses = [n for n in tree.walk(function.body) if isinstance(n, tree.Vararg)]
        layer_calls = [
            n
            for n in tree.every(function.body, Call)
            if len(n.arguments) == 1 and isinstance(n.arguments[0], tree.Vararg)
        ]
        kinds = {layer_named(call.callee) for call in layer_calls}
        lists = [n for n in tree.every(function.body, tree.Local) if self._is_list(n, min(counts))]
        if len(kinds) != 1 or None in kinds or len(layer_calls) + len(lists) != len(uses):
            return None
        signature = inspect.signature(layers[kinds.pop() or ""].__init__)
        parameters = list(signature.parameters.values())[1 : max(counts) + 1]
        if len(parameters) < max(counts) or any(parameter.name in self.names for parameter in parameters):
            return None
        names = ", ".join(parameter.name for parameter in parameters)
        edits = [(use.span.start, use.span.end, names) for call in layer_calls for use in call.arguments]
        first = ", ".join(parameter.name for parameter in parameters[: min(counts)])
        for local in lists:
            (table,) = local.values
            edits.append((table.span.start, table.span.end, f"{{{first}}}"))
        head = self.source.index(b"...", name.span.end)
        edits.append((head, head + 3, names))
        for call in calls:
            more = self._left_out(call, parameters)
            if more is None:
                return None
            if more and call.arguments:
                edits.append((call.arguments[-1].span.end, call.arguments[-1].span.end, more))
        return edits

    def _left_out(self, call: Call, parameters: list[inspect.Parameter]) -> str | None:
        """What a call is given after its own arguments; None where that is not known."""
        values = {p.name: argument for p, argument in zip(parameters, call.arguments, strict=False)}
        texts = {
            name: self.text(value) for name, value in values.items() if isinstance(value, (Name, Number))
        }
        more = ""
        for parameter in parameters[len(call.arguments) :]:
            default = parameter.default
            text = texts.get(_LIKE.get(parameter.name, "")) if default is None else str(default)
            if text is None or type(default) not in (int, float, type(None)):
                return None
            texts[parameter.name] = text
            more += f", {text}"
        return more

    def _is_list(self, node: tree.Local, least: int) -> bool:
        """``local arg = {...}``, of which only the first ones are read, which all calls give."""
        table = node.values[0] if len(node.values) == 1 and len(node.names) == 1 else None
        if not isinstance(table, tree.Table) or len(table.fields) != 1:
            return False
        if table.fields[0].key is not None or not isinstance(table.fields[0].value, tree.Vararg):
            return False
        reads = set(self.scopes.of_name[node.names[0]].reads)
        indexed = {
            n.base
            for n in tree.every(self.program, Index)
            if isinstance(n.key, Number) and n.key.value in range(1, least + 1)
        }
        stored = {
            target.base
            for n in tree.every(self.program, tree.Assign)
            for target in n.targets
            if isinstance(target, Index)
        }
        return reads <= indexed and not reads & stored


def layer_named(node: Expression) -> str | None:
    """The layer that ``nn.Linear`` or ``cudnn.SpatialConvolution`` names."""
    if not isinstance(node, Index) or not isinstance(node.key, String) or not isinstance(node.base, Name):
        return None
    name = f"nn.{node.key.value}"
    return name if node.base.name in ("nn", "cudnn") and name in layers else None
