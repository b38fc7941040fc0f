"""Nodes of graphs of modules that are known only when the page runs, as nngraph makes them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import methodcaller
from typing import Any

from torch import nn

from torch7py.translate.page_library.values import NotInPage, call, index, items_of, listed


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
        return tuple(Node(partial(entry, place), [self]) for place in range(1, int(count) + 1))


class LossOf(nn.Module):
    """A criterion in a graph, which gives its loss as a tensor of one element, and its target no gradient."""

    def __init__(self, loss: Callable[[Any, Any], Any]) -> None:
        super().__init__()
        self.loss = loss

    def forward(self, entries: Any) -> Any:
        prediction, target = entries
        return self.loss(prediction, target.detach()).reshape(1)


def entry(place: int, table: Any) -> Any:
    """An entry of a table, counted from 1."""
    return index(table, place)


def node(module: Any, *sources: Any) -> Any:
    """``module(node)`` or ``module({node, ...})``: a node of a graph. A function is called."""
    if not isinstance(module, nn.Module):
        return call(module, *sources)
    nodes = [
        x
        for source in map(listed, sources)
        for x in (items_of(source) if isinstance(source, (list, tuple)) else [source])
    ]
    if not all(isinstance(x, Node) for x in nodes):
        raise NotInPage("a module of a graph that is not given nodes")
    of_criterion = getattr(module, "as_module", None)
    return Node(module if of_criterion is None else of_criterion(), nodes)
