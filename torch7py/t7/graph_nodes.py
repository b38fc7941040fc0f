"""The nodes of a gModule as a file has them, made of the graph that runs: for graphs that were not read from one.

A file has each node twice, in the backward graph ``bg``, whose nodes have as children what they take, and in the
forward graph ``fg``, its reverse. Both copies have one table ``data``. A graph is a list of nodes and one of edges;
nodes are numbered in the order in which the edges name them, breadth first from the output.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch7py.nn.gmodule import GModule
from torch7py.nn.graph import OrderedNode
from torch7py.nn.graph_values import NODE_VALUES
from torch7py.t7.objects import Object, Table

__all__ = ["graph_fields"]

NOWHERE = "[?]:0_"  # the ordered_node in a script where a node was made, of nodes that no script made


def _indexed(values: Iterable[Any]) -> Table:
    """An array that also says where each value is, as graphs, children and inputs are kept."""
    table = Table()
    for number, value in enumerate(values, 1):
        table[number] = value
        table[value] = number
    return table


def _data(ordered_node: OrderedNode, is_end: bool) -> Table:
    """What both copies of a node have, but for what it takes and who takes it."""
    notes = Table(ordered_node.annotations)
    if "_debugLabel" not in notes:
        notes["_debugLabel"] = NOWHERE
    data = Table({"annotations": notes})
    if ordered_node.module is not None:
        data["module"] = ordered_node.module
    if ordered_node.select is not None:
        data["selectindex"] = ordered_node.select + 1
    if ordered_node.splits is not None:
        data["nSplitOutputs"] = ordered_node.splits
    if is_end or ordered_node.select is not None:
        data["input"] = Table()
    return data


def _node(data: Table) -> Object:
    fields = Table({"id": 0, "children": Table(), "visited": False, "marked": False, "data": data})
    return Object("nngraph.Node", [fields])


def _graph(edges: list[tuple[Object, Object]]) -> Object:
    """A graph of these edges, from and to; gives its nodes their numbers and children."""
    nodes: dict[int, Object] = {}
    children: dict[int, list[Object]] = {}
    for start, end in edges:
        for node in (start, end):
            nodes.setdefault(id(node), node)
        children.setdefault(id(start), []).append(end)
    for number, node in enumerate(nodes.values(), 1):
        node["id"] = number
        node["children"] = _indexed(children.get(id(node), ()))
    listed = [Object("graph.Edge", [Table({"from": start, "to": end})]) for start, end in edges]
    return Object("graph.Graph", [Table({"nodes": _indexed(nodes.values()), "edges": _indexed(listed)})])


def _edges_from_the_output(ordered_nodes: list[OrderedNode]) -> list[tuple[int, int]]:
    """The edges of the backward graph, breadth first."""
    edges: list[tuple[int, int]] = []
    waiting = [len(ordered_nodes) - 1]
    seen = set(waiting)
    for number in waiting:
        for source in ordered_nodes[number].sources:
            edges.append((number, source))
            if source not in seen:
                seen.add(source)
                waiting.append(source)
    return edges


def graph_fields(module: GModule) -> dict[str, Any]:
    """The fields of a gModule that hold its graph. The nodes have what the modules took and got back last."""
    ordered_nodes = module.ordered_nodes
    if not ordered_nodes:
        return {}
    start = module.start
    ends = (start, len(ordered_nodes) - 1)
    data = [_data(ordered_node, number in ends) for number, ordered_node in enumerate(ordered_nodes)]
    backward = [_node(part) for part in data]
    for number, ordered_node in enumerate(ordered_nodes):
        data[number]["mapindex"] = _indexed(data[source] for source in ordered_node.sources)
        data[number]["reverseMap"] = Table()
    for number, ordered_node in enumerate(ordered_nodes):
        for source in ordered_node.sources:
            data[source]["reverseMap"][backward[number]] = True
    edges = _edges_from_the_output(ordered_nodes)
    bg = _graph([(backward[user], backward[source]) for user, source in edges])
    forward = [_node(part) for part in data]
    fg = _graph([(forward[source], forward[user]) for user, source in edges])
    if module.output is module.node_inputs[-1]:
        data[-1]["input"] = module.output  # one table, also before there is anything in it
    for number, node in enumerate(forward):
        data[number]["forwardNodeId"] = node["id"]
        for name in NODE_VALUES:
            value = module.node_value(number, name)
            if value is not None:
                data[number][name] = value
    return {
        "bg": bg,
        "fg": fg,
        "innode": forward[start],
        "outnode": backward[-1],
        "verbose": False,
        "forwardnodes": Table.of(forward),
        "backwardnodes": Table.of([backward[number] for number in module.backward_order]),
    }
