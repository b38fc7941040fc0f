"""Graphs of modules as they are written down: nodes, what each takes, and the order in which they run.

From Python a graph is built of ``Node`` objects and given to ``GModule``; scripts build theirs of Lua objects
(packages/nngraph). Both are put in order here, since the order decides where a model's parameters lie.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from torch7py.ops.errors import TorchError

if TYPE_CHECKING:
    from torch7py.nn.base import Module

__all__ = ["Node", "OrderedNode", "layout_order", "ordered_nodes", "sorted_order"]

H = TypeVar("H", bound=Hashable)


def sorted_order(edges: Sequence[tuple[H, H]]) -> list[H]:
    """The nodes of a graph of edges (from, to), each after all nodes from which an edge leads to it.

    Of the many such orders this is graph.Graph's: depth first against the edges, from the nodes that no edge
    leaves, in the order in which the edges name them.
    """
    sources: dict[H, dict[H, None]] = {}
    leaving = set()
    for start, end in edges:
        sources.setdefault(end, {})[start] = None
        sources.setdefault(start, {})
        leaving.add(start)
    done: dict[H, None] = {}
    entered: set[H] = set()
    for root in sources:
        if root in leaving:
            continue
        entered.add(root)
        stack = [(root, iter(sources[root]))]
        while stack:
            node, rest = stack[-1]
            following = next((source for source in rest if source not in entered), None)
            if following is None:
                done[node] = None
                stack.pop()
            else:
                entered.add(following)
                stack.append((following, iter(sources[following])))
    position = {node: number for number, node in enumerate(done)}
    if len(done) != len(sources) or any(position[start] >= position[end] for start, end in edges):
        raise TorchError("Graph has cycles")
    return list(done)


class Node:
    """A module applied to the outputs of other nodes: ``Node(module, a, b)`` takes the table ``{a, b}``.

    A node without a module hands on what it takes, the entry ``select`` (from 0) of it where that is given.
    ``annotations`` are a script's names, descriptions and attributes for drawings.
    """

    __slots__ = ("annotations", "module", "select", "sources", "splits")

    def __init__(self, module: Module | None = None, *sources: Node, **annotations: Any) -> None:
        self.module = module
        self.sources = list(sources)
        self.select: int | None = None
        self.splits: int | None = None
        self.annotations = annotations

    def split(self, count: int) -> list[Node]:
        """A node for each entry of the table that this one gives."""
        whole = Node(None, self)
        whole.splits = count
        parts = [Node(None, whole) for _ in range(count)]
        for number, part in enumerate(parts):
            part.select = number
        return parts


@dataclass
class OrderedNode:
    """A node of a graph in running order. Its sources are the numbers of nodes before it."""

    module: Any  # a module, or None
    sources: list[int]
    select: int | None = None
    splits: int | None = None
    annotations: dict[str, Any] = field(default_factory=dict)


def layout_order(out: Node) -> tuple[list[Node], list[Node]]:
    """The nodes that lead to ``out``: in the order of the forward, and in that of the backward."""
    edges: list[tuple[Node, Node]] = []
    reached = {out: None}
    waiting = [out]
    for node in waiting:
        for source in node.sources:
            edges.append((node, source))
            if source not in reached:
                reached[source] = None
                waiting.append(source)
    return sorted_order([(source, node) for node, source in edges]), sorted_order(edges)


def ordered_nodes(inputs: Sequence[Node], outputs: Sequence[Node]) -> tuple[list[OrderedNode], list[int]]:
    """The graph between these nodes in running order, and the order of the backward. The first node takes the input."""
    if not inputs or not outputs:
        raise TorchError("nn.gModule needs at least one input and one output")
    start, out = Node(), Node(None, *outputs)
    entries = [start] if len(inputs) == 1 else start.split(len(inputs))
    for node, entry in zip(inputs, entries, strict=True):
        if node.sources:
            raise TorchError("nn.gModule: an input should have no inputs")
        node.sources.append(entry)
    forward, backward = layout_order(out)
    numbers = {node: number for number, node in enumerate(forward)}
    ordered = [
        OrderedNode(n.module, [numbers[s] for s in n.sources], n.select, n.splits, n.annotations)
        for n in forward
    ]
    if any(node not in numbers for node in inputs):
        raise TorchError("nn.gModule: an input does not connect to an output")
    return ordered, [numbers[node] for node in backward]
