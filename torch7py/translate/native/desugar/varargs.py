"""Functions that hand all that they are given to a layer: ``local function block(...) net:add(nn.Linear(...)) end``.

Their parameters are the layer's, by name; the calls that leave some of them out are given the layer's defaults.
"""

from __future__ import annotations

import inspect

import torch7py.nn.all  # noqa: F401  (the layers there are)
from torch7py.nn.registry import layers
from torch7py.translate import tree
from torch7py.translate.native.desugar.rewriting import Rewriting
from torch7py.translate.templates import Template
from torch7py.translate.tree import Call, Expression, Function, Index, Invoke, Name, Number, String
from torch7py.translate.tree_queries import named_functions

__all__ = ["Varargs", "layer_named"]

# What an argument is that is left out, where that is another one.
_LIKE = {"padH": "padW", "dW": "kW", "dH": "kH"}


_LIST = Template("local LIST = {...}")


class Varargs(Rewriting):
    def rewrite(self) -> None:
        for _, name, function in named_functions(self.program):
            calls = self._calls(name)
            if function.vararg and not function.parameters and calls:
                self._name_parameters(name, function, calls)

    def _calls(self, name: Name) -> list[Call]:
        """The calls of a function, if it is only ever called with a number of values that is plain to see."""
        reads = self.scopes.of_name[name].reads
        calls = [call for call in tree.every(self.program, Call) if call.callee in reads]
        plain = not any(
            call.arguments and isinstance(call.arguments[-1], (Call, Invoke, tree.Vararg)) for call in calls
        )
        return calls if plain and len(calls) == len(reads) else []

    def _name_parameters(self, name: Name, function: Function, calls: list[Call]) -> None:
        counts = [len(call.arguments) for call in calls]
        uses = tree.every(function.body, tree.Vararg)
        layer_calls = [
            n
            for n in tree.every(function.body, Call)
            if len(n.arguments) == 1 and isinstance(n.arguments[0], tree.Vararg)
        ]
        kinds = {layer_named(call.callee) for call in layer_calls}
        lists = [n for n in tree.every(function.body, tree.Local) if self._is_list(n, min(counts))]
        if len(kinds) != 1 or None in kinds or len(layer_calls) + len(lists) != len(uses):
            return
        signature = inspect.signature(layers[kinds.pop() or ""].__init__)
        parameters = list(signature.parameters.values())[1 : max(counts) + 1]
        more = [self._left_out(call, parameters) for call in calls]
        taken = any(parameter.name in self.names for parameter in parameters)
        if len(parameters) < max(counts) or taken or None in more:
            return
        names = [parameter.name for parameter in parameters]
        for call in layer_calls:
            self.put(call.arguments[0], ", ".join(names))
        for local in lists:
            self.put(local.values[0], f"{{{', '.join(names[: min(counts)])}}}")
        head = self.source.index(b"...", name.span.end)
        self.put_between(head, head + 3, ", ".join(names))
        for call, text in zip(calls, more, strict=True):
            if text and call.arguments:
                self.put_between(call.arguments[-1].span.end, call.arguments[-1].span.end, text)

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
        if _LIST.match(node) is None:
            return False
        reads = set(self.scopes.of_name[node.names[0]].reads)
        indexed = {
            n.base
            for n in tree.every(self.program, Index)
            if isinstance(n.key, Number) and n.key.value in range(1, least + 1)
        }
        assigned = [target for n in tree.every(self.program, tree.Assign) for target in n.targets]
        stored = {target.base for target in assigned if isinstance(target, Index)}
        return reads <= indexed and not reads & stored


def layer_named(node: Expression) -> str | None:
    """The layer that ``nn.Linear`` or ``cudnn.SpatialConvolution`` names."""
    if not isinstance(node, Index) or not isinstance(node.key, String) or not isinstance(node.base, Name):
        return None
    name = f"nn.{node.key.value}"
    return name if node.base.name in ("nn", "cudnn") and name in layers else None
