"""Graphs of modules that are known only when the page runs, as nngraph makes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from operator import itemgetter, methodcaller
from typing import Any

from torch import nn

from torch7py.translate.page_library.layers import counted_from_0
from torch7py.translate.page_library.values import call, index, items_of


class Node:
    """A node of a graph: a module or function, and the nodes it is applied to. Without any it is an input."""

    def __init__(self, function: Callable[..., Any], sources: list[Node]) -> None:
        self.function, self.sources = function, sources
        module = function if isinstance(function, nn.Module) else None
        self.data: dict[str, Any] = {"module": module, "annotations": {}}

    def annotate(self, about: Any) -> Node:
        self.data["annotations"] |= about
        name = index(about, "name")
        if name is not None and isinstance(self.function, nn.Module):
            self.function.name = name
        return self

    def long(self) -> Node:
        return Node(methodcaller("long"), [self])

    def split(self, count: Any) -> tuple[Node, ...]:
        """A node for each entry of the table that this one gives."""
        return tuple(Node(itemgetter(index), [self]) for index in range(int(count)))


def node(module: Any, *sources: Any) -> Any:
    """``module(node)`` or ``module({node, ...})``: a node of a graph. A function is called."""
    if not isinstance(module, nn.Module):
        return call(module, *sources)
    nodes = [
        x for source in sources for x in (items_of(source) if isinstance(source, (list, tuple)) else [source])
    ]
    if not all(isinstance(x, Node) for x in nodes):
        raise TypeError("a module of a graph that is not given nodes")
    return Node(module, nodes)


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
            raise ValueError("a module that stands at several nodes of a graph")
        if {x for x in places if not x.sources} != set(first):
            raise ValueError("a graph whose inputs are not its nodes without sources")
        users = Counter(source for x in places for source in x.sources)
        if any(
            getattr(x.function, "inplace", False) and users[x.sources[0]] > 1 for x in places if x.sources
        ):
            raise ValueError("a module that writes over what other nodes are given, too")
        self.modules_ = nn.ModuleList(modules)
        self.nodes = list(places)
        self.steps = [(x.function, [places[source] for source in x.sources]) for x in places]
        self.first, self.last = [places[x] for x in first], [places[x] for x in last]

    def forward(self, *inputs: Any) -> Any:
        entries = inputs[0] if len(inputs) == 1 and len(self.first) > 1 else inputs
        of_inputs = dict(zip(self.first, entries, strict=True))
        values: list[Any] = []
        for step, (function, sources) in enumerate(self.steps):
            args = [of_inputs[step]] if step in of_inputs else [values[source] for source in sources]
            values.append(function(*counted_from_0(function, (args[0] if len(args) == 1 else args,))))
        outputs = tuple(values[step] for step in self.last)
        return outputs if len(outputs) > 1 else outputs[0]
