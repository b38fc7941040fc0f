"""The graph of a ``nn.gModule`` in a file, and the graph that runs.

The file has objects for the nodes, each in two copies with one table ``data``: of the forward graph, whose
children take a node's output, and of the backward graph, whose children it takes. ``data.mapindex`` lists the data
of what a node takes, in order. The objects are kept to be saved again.
"""

from __future__ import annotations

from typing import Any

from torch7py.nn.gmodule import GModule
from torch7py.nn.graph import OrderedNode
from torch7py.nn.graph_values import NODE_VALUES
from torch7py.nn.object import TorchObject
from torch7py.nn.saved_form import SavedForm
from torch7py.t7.errors import T7Error
from torch7py.t7.objects import Object, Table, has_fields
from torch7py.t7.plain_data import same

__all__ = ["read_graph", "update_graph"]


def _data(module: GModule, listed: Any, what: str) -> list[Table]:
    """The data of a list of nodes."""
    if not isinstance(listed, Table):
        raise T7Error(f"{module.class_name}: its {what} are no table of nodes")
    nodes = []
    for node in listed.array():
        data = node.fields.get("data") if isinstance(node, Object) and has_fields(node) else None
        if not isinstance(data, Table):
            raise T7Error(f"{module.class_name}: its {what} hold what is no node of a graph")
        nodes.append(data)
    return nodes


def read_graph(module: GModule) -> None:
    """Give a gModule the graph among its saved fields, with what its nodes took and got back."""
    form: SavedForm = module.__dict__["_saved_form"]
    extras = form.extras
    if "forwardnodes" not in extras:
        return
    forward = _data(module, extras["forwardnodes"], "forwardnodes")
    backward = _data(module, extras.get("backwardnodes"), "backwardnodes")
    number_of = {id(data): number for number, data in enumerate(forward)}
    ordered = []
    for number, data in enumerate(forward):
        taken = data.get("mapindex")
        sources = [number_of.get(id(source)) for source in taken.array()] if isinstance(taken, Table) else []
        if any(source is None or source >= number for source in sources):
            raise T7Error(f"{module.class_name}: node {number + 1} takes what comes after it")
        owner = data.get("module")
        if not isinstance(owner, (TorchObject, type(None))):
            raise T7Error(f"{module.class_name}: node {number + 1} has a module that is none")
        select, splits = data.get("selectindex"), data.get("nSplitOutputs")
        if not all(value is None or isinstance(value, int) for value in (select, splits)):
            raise T7Error(f"{module.class_name}: node {number + 1} splits a table by what is no number")
        notes = data.get("annotations")
        ordered.append(
            OrderedNode(
                owner,
                [source for source in sources if source is not None],
                None if select is None else select - 1,
                splits,
                notes.plain() if isinstance(notes, Table) and not notes.is_array() else {},
            )
        )
    if sorted(number_of.get(id(data), -1) for data in backward) != list(range(len(forward))):
        raise T7Error(f"{module.class_name}: its backwardnodes are not its forwardnodes in another order")
    inputs = module.nInputs or _count_inputs(extras)
    module.set_graph(ordered, [number_of[id(data)] for data in backward], inputs)
    if "nInputs" in form.absent:
        form.absent["nInputs"] = inputs
    module.__dict__["_saved_nodes"] = forward
    for number, data in enumerate(forward):
        for name in NODE_VALUES:
            value = data.get(name)
            if isinstance(value, Table):
                value = value.plain()
            if value is not None and value != {}:
                module.set_node_value(number, name, value)


def _count_inputs(extras: dict[str, Any]) -> int:
    """The number of inputs of a graph that was saved before it was counted: the uses of its first node."""
    start = extras.get("innode")
    children = start.fields.get("children") if isinstance(start, Object) and has_fields(start) else None
    return len(children.array()) if isinstance(children, Table) else 1


def update_graph(module: GModule) -> None:
    """Before a gModule is saved: put into the nodes that were read what they have now."""
    nodes: list[Table] | None = module.__dict__.get("_saved_nodes")
    for number, data in enumerate(nodes or ()):
        owner = module.ordered_nodes[number].module
        if owner is not data.get("module"):
            data["module"] = owner
        for name in NODE_VALUES:
            held, value = data.get(name), module.node_value(number, name)
            if held is value or (isinstance(held, Table) and same(held, value if value is not None else [])):
                continue
            if value is None:
                data.pop(name, None)
            else:
                data[name] = value
