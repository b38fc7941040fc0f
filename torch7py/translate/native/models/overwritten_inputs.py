"""Modules whose first layer writes over what they are given: ``nn.Sequential():add(nn.ReLU(true))``.

The page's module leaves its input as it is. That is the same where the input has no name.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.kinds import Description, Type
from torch7py.translate.layers.in_place import in_place
from torch7py.translate.layers.registry import Layer, NotNative, bind
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.tensors.rules import is_new_tensor
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Name
from torch7py.translate.tree_queries import bare

__all__ = ["is_seen_overwritten"]


def is_seen_overwritten(t: Translation, module: Type, argument: Expression) -> bool:
    """Whether a program may see that a module has written over what it is given, which is not made there alone."""
    return _first(t, module) is not None and not is_new_tensor(t, bare(argument))


def _first(t: Translation, module: Type, around: tuple[Type, ...] = ()) -> str | None:
    """The layer that writes over what a module is given, if there is one; a module may seem to hold itself."""
    root = module.find()
    if root in around:
        return None
    for layer in root.layers:
        if facts.is_chain(layer.name):
            for child in layer.children:
                layer_name = _first(t, child, (*around, root))
                if layer_name is not None:
                    return layer_name
                if any(not facts.shares_memory(child_layer.name) for child_layer in child.find().layers):
                    break
        elif facts.is_graph(layer.name):
            layer_name = _first_of_graph(t, layer.call)
            if layer_name is not None:
                return layer_name
        elif _is_in_place(layer):
            return layer.name
    return None


def _first_of_graph(t: Translation, graph: Call) -> str | None:
    """The same of a graph, whose input nodes have names: ``local x = nn.Identity()()``, then ``nn.ReLU(true)(x)``."""
    inputs = bare(graph.arguments[0]) if graph.arguments else None
    if isinstance(inputs, tree.Table):
        waiting = [name for item in inputs.fields if isinstance(name := bare(item.value), Name)]
    elif isinstance(inputs, Name):
        waiting = _nodes_in(t, inputs)
        layer_name = _over_item(t, inputs)
        if layer_name is not None:
            return layer_name
    else:
        return None
    seen: set[Variable] = set()
    while waiting:
        variable = t.scopes.of_name[waiting.pop()]
        if variable in seen:
            continue
        seen.add(variable)
        producers = [value for _, value in t.training.assigned_to(variable) if isinstance(value, Call)]
        behind = [call for call in tree.every(t.program, Call) if _takes(t, call, variable)]
        for node in (*producers, *behind):
            layers = t.type(node.callee).find().layers
            layer_name = next((layer.name for layer in layers if _is_in_place(layer)), None)
            if layer_name is not None:
                return layer_name
            if node in producers and any(not facts.shares_memory(layer.name) for layer in layers):
                break  # the others get its result
            if node in behind and layers and all(facts.shares_memory(layer.name) for layer in layers):
                statement = t.surroundings.home[node]
                targets = statement.names if isinstance(statement, tree.Local) else ()
                waiting += [name for name in targets if isinstance(name, Name)]
    return None


def _nodes_in(t: Translation, table: Name) -> list[Name]:
    """The names of nodes that are in a table with a name, ``inputs``: those put into it and taken out of it."""
    variable = t.scopes.of_name[table]
    constructors = [value for _, value in t.training.assigned_to(variable) if isinstance(value, tree.Table)]
    values = [item.value for constructor in constructors for item in constructor.fields]
    values += [
        call.arguments[-1]
        for call in tree.every(t.program, Call)
        if t.path(call.callee) == "table.insert" and _is_of(t, call.arguments[0], variable)
    ]
    for statement in tree.every(t.program, tree.Assignment):
        for target, value in zip(statement.targets, statement.values, strict=False):
            if isinstance(target, tree.Index) and _is_of(t, target.base, variable):
                values.append(value)
            elif isinstance(bare(value), tree.Index) and _is_of(t, bare(value).base, variable):  # type: ignore[attr-defined]
                values.append(target)
    return [name for value in values if isinstance(name := bare(value), Name)]


def _is_of(t: Translation, node: Expression, variable: Variable) -> bool:
    return isinstance(node, Name) and t.scopes.of_name[node] is variable


def _over_item(t: Translation, table: Name) -> str | None:
    """The layer of ``nn.ReLU(true)(inputs[1])``"""
    variable = t.scopes.of_name[table]
    for call in tree.every(t.program, Call):
        if t.kind(call.callee) == "module" and any(
            isinstance(n, tree.Index) and _is_of(t, n.base, variable) for n in call.arguments
        ):
            for layer in t.type(call.callee).find().layers:
                if _is_in_place(layer):
                    return layer.name
    return None


def _takes(t: Translation, call: Call, variable: Variable) -> bool:
    """Whether a layer of a graph is given a node that a variable holds, or a table with it."""
    if not call.arguments or t.kind(call.callee) != "module":
        return False
    argument = bare(call.arguments[0])
    values = (
        [bare(item.value) for item in argument.fields] if isinstance(argument, tree.Table) else [argument]
    )
    return any(isinstance(value, Name) and t.scopes.of_name[value] is variable for value in values)


def _is_in_place(layer: Description) -> bool:
    boolean_texts = {True: "True", False: "False"}
    texts = [boolean_texts[a.value] if isinstance(a, tree.Boolean) else "0" for a in layer.call.arguments]
    try:
        return in_place(Layer(layer.name, bind(layer.name, texts)))
    except NotNative:  # no class of nn or rnn, as nn.DataParallelTable
        return False
