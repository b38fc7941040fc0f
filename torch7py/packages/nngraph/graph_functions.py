"""The functions by which ``nngraph.lua`` sets and reads the graph of an ``nn.gModule``. Programs do not see them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch7py.nn.gmodule import GModule
from torch7py.nn.graph import OrderedNode
from torch7py.nn.object import TorchObject
from torch7py.ops.errors import TorchError
from torch7py.packages.registry import function

__all__ = [
    "annotate",
    "assign",
    "describe",
    "list_modules",
    "node_value",
    "put_modules",
    "set_node_value",
    "watch_nodes",
]


@function("nngraph.assign")
def assign(
    module: GModule,
    modules: list[Any],
    selects: list[Any],
    splits: list[Any],
    counts: list[float],
    sources: list[float],
    backward: list[float],
    inputs: int,
    annotations: list[Any],
) -> None:
    """Set the graph of a gModule: an entry for each node in forward order, false where a node has none.

    ``counts`` says how many of ``sources`` belong to each node. Numbers of nodes count from 1.
    """
    if not all(owner is False or isinstance(owner, TorchObject) for owner in modules):
        raise TorchError("nn.gModule: a node holds something that is not an nn.Module")
    listed: Iterator[float] = iter(sources)
    nodes = [
        OrderedNode(
            None if owner is False else owner,
            [int(next(listed)) - 1 for _ in range(int(count))],
            None if select is False else int(select) - 1,
            None if split is False else int(split),
            notes if isinstance(notes, dict) else {},
        )
        for owner, select, split, count, notes in zip(
            modules, selects, splits, counts, annotations, strict=True
        )
    ]
    module.set_graph(nodes, [int(number) - 1 for number in backward], int(inputs))


@function("nngraph.describe")
def describe(module: GModule) -> tuple[list[Any], ...]:
    """The graph of a gModule in the form that ``assign`` takes, but for the number of inputs."""
    nodes = module.ordered_nodes
    return (
        [node.module or False for node in nodes],
        [False if node.select is None else node.select + 1 for node in nodes],
        [False if node.splits is None else node.splits for node in nodes],
        [len(node.sources) for node in nodes],
        [source + 1 for node in nodes for source in node.sources],
        [number + 1 for number in module.backward_order],
        [node.annotations for node in nodes],
    )


@function("nngraph.list_modules")
def list_modules(module: GModule) -> None:
    """Make the list of modules that of the nodes, in their order."""
    module.set_child_list([node.module for node in module.ordered_nodes if node.module is not None])


@function("nngraph.put_modules")
def put_modules(module: GModule, modules: list[Any]) -> None:
    """Take over other modules at the nodes."""
    for node, owner in zip(module.ordered_nodes, modules, strict=True):
        node.module = owner or None
    module.forget_plan()


@function("nngraph.annotate")
def annotate(module: GModule, annotations: list[Any]) -> None:
    """Store the annotations of the nodes: names, descriptions, attributes of drawings."""
    for node, notes in zip(module.ordered_nodes, annotations, strict=True):
        node.annotations = notes if isinstance(notes, dict) else {}


@function("nngraph.watch_nodes")
def watch_nodes(module: GModule, reporter: Any = None) -> None:
    """Call ``reporter(module, number)`` after each node that has run, or nothing if it is nil."""
    module.__dict__["_reporter"] = reporter


@function("nngraph.failed")
def failed(module: GModule) -> int | None:
    """The number of the node whose module raised the last error."""
    return None if module.failed is None else module.failed + 1


@function("nngraph.node_value")
def node_value(module: GModule, number: int, name: str) -> Any:
    return module.node_value(int(number) - 1, name)


@function("nngraph.set_node_value")
def set_node_value(module: GModule, number: int, name: str, value: Any = None) -> None:
    module.set_node_value(int(number) - 1, name, value)
