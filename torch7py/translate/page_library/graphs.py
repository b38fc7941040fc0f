"""Graphs of modules that are known only when the page runs, as nngraph makes them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from torch import nn

from torch7py.translate.page_library.layers import counted_from_0
from torch7py.translate.page_library.nodes import Node
from torch7py.translate.page_library.values import NotInPage, items_of


class Graph(nn.Module):
    """``nn.gModule(inputs, outputs)``: gives what the output nodes give, of several a tuple.

    Its input is a table where it has several input nodes; they may also be given one by one.
    """

    def __init__(self, inputs: Any, outputs: Any) -> None:
        super().__init__()
        first, last = ([x] if isinstance(x, Node) else items_of(x) for x in (inputs, outputs))
        places: dict[Node, int] = {}  # each after its sources
        waiting = [(x, False) for x in reversed(last)]
        while waiting:
            node, ready = waiting.pop()
            if ready:
                places.setdefault(node, len(places))
            elif node not in places:
                waiting += [(node, True), *((x, False) for x in reversed(node.sources))]
        modules = [x.function for x in places if isinstance(x.function, nn.Module)]
        if len(set(modules)) < len(modules):
            raise NotInPage("a module that stands at several nodes of a graph")
        if {x for x in places if not x.sources} != set(first):
            raise NotInPage("a graph whose inputs are not its nodes without sources")
        users = Counter(source for x in places for source in x.sources)
        if any(
            getattr(x.function, "inplace", False) and users[x.sources[0]] > 1 for x in places if x.sources
        ):
            raise NotInPage("a module that writes over what other nodes are given, too")
        self.modules_ = nn.ModuleList(modules)
        self.nodes = list(places)
        self.steps = [(x.function, [places[source] for source in x.sources]) for x in places]
        self.first, self.last = [places[x] for x in first], [places[x] for x in last]

    @property
    def forwardnodes(self) -> list[Node]:
        return self.nodes

    def forward(self, *inputs: Any) -> Any:
        entries = inputs[0] if len(inputs) == 1 and len(self.first) > 1 else inputs
        of_inputs = dict(zip(self.first, entries, strict=True))
        values: list[Any] = []
        for step, (function, sources) in enumerate(self.steps):
            args = [of_inputs[step]] if step in of_inputs else [values[source] for source in sources]
            values.append(function(*counted_from_0(function, (args[0] if len(args) == 1 else args,))))
        outputs = tuple(values[step] for step in self.last)
        return outputs if len(outputs) > 1 else outputs[0]
