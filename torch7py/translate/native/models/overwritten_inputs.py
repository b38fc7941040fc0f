"""Modules whose first layer writes over what they are given: ``nn.Sequential():add(nn.ReLU(true))``.

The page's module leaves its input as it is. That is the same where nobody looks at the input again, but for its size
and as the input of the backward pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.facts.layers import BACKWARD, FORWARD
from torch7py.translate.forms import bare, same_expression
from torch7py.translate.kinds import Description, Type
from torch7py.translate.layers.in_place import in_place
from torch7py.translate.layers.registry import Layer, NotNative, bind
from torch7py.translate.native.tensors.rules import is_made_here
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Invoke, Name

if TYPE_CHECKING:
    from torch7py.translate.native.translator import Translator

__all__ = ["is_seen_overwritten"]

# Layers that give again what they gave, when they are given that.
_GIVE_THE_SAME = {"nn.ReLU", "nn.ReLU6", "nn.HardTanh", "nn.Clamp"}
# Layers that take back what they did to their input, in the backward pass.
_PUT_BACK = {"nn.MulConstant", "nn.AddConstant"}
_OF_SIZES = {"size", "dim", "nDimension", "nElement", "numel", "isSize", "isSameSizeAs", "type"}


def is_seen_overwritten(t: Translator, module: Type, given: Expression) -> bool:
    """Whether a program may see that a module has written over what it is given."""
    first = _first(t, module)
    return first is not None and _may_be_seen(t, given, first, set())


def _first(t: Translator, module: Type, around: tuple[Type, ...] = ()) -> str | None:
    """The layer that writes over what a module is given, if there is one; a module may seem to hold itself."""
    root = module.find()
    if root in around:
        return None
    for layer in root.layers:
        if facts.is_chain(layer.name):
            for child in layer.children:
                found = _first(t, child, (*around, root))
                if found is not None:
                    return found
                if any(not facts.shares_memory(each.name) for each in child.find().layers):
                    break
        elif facts.is_graph(layer.name):
            found = _first_of_graph(t, layer.call)
            if found is not None:
                return found
        elif _is_in_place(layer):
            return layer.name
    return None


def _first_of_graph(t: Translator, graph: Call) -> str | None:
    """The same of a graph, whose input nodes have names: ``local x = nn.Identity()()``, then ``nn.ReLU(true)(x)``."""
    given = bare(graph.arguments[0]) if graph.arguments else None
    if isinstance(given, tree.Table):
        waiting = [name for item in given.fields if isinstance(name := bare(item.value), Name)]
    elif isinstance(given, Name):
        waiting = _nodes_in(t, given)
        found = _over_item(t, given)
        if found is not None:
            return found
    else:
        return None
    seen: set[Variable] = set()
    while waiting:
        variable = t.scopes.of_name[waiting.pop()]
        if variable in seen:
            continue
        seen.add(variable)
        made = [value for _, value in t.training.assigned_to(variable) if isinstance(value, Call)]
        behind = [call for call in tree.every(t.program, Call) if _takes(t, call, variable)]
        for node in (*made, *behind):
            layers = t.type(node.callee).find().layers
            found = next((layer.name for layer in layers if _is_in_place(layer)), None)
            if found is not None:
                return found
            if node in made and any(not facts.shares_memory(layer.name) for layer in layers):
                break  # the others get its result
            if node in behind and layers and all(facts.shares_memory(layer.name) for layer in layers):
                statement = t.surroundings.home[node]
                targets = statement.names if isinstance(statement, tree.Local) else ()
                waiting += [name for name in targets if isinstance(name, Name)]
    return None


def _nodes_in(t: Translator, table: Name) -> list[Name]:
    """The names of nodes that are in a table with a name, ``inputs``: those put into it and taken out of it."""
    variable = t.scopes.of_name[table]
    made = [value for _, value in t.training.assigned_to(variable) if isinstance(value, tree.Table)]
    found = [item.value for each in made for item in each.fields]
    found += [
        call.arguments[-1]
        for call in tree.every(t.program, Call)
        if t.path(call.callee) == "table.insert" and _is_of(t, call.arguments[0], variable)
    ]
    for statement in tree.those(t.program, tree.Local, tree.Assign):
        assert isinstance(statement, (tree.Local, tree.Assign))
        targets = statement.names if isinstance(statement, tree.Local) else statement.targets
        for target, value in zip(targets, statement.values, strict=False):
            if isinstance(target, tree.Index) and _is_of(t, target.base, variable):
                found.append(value)
            elif isinstance(bare(value), tree.Index) and _is_of(t, bare(value).base, variable):  # type: ignore[attr-defined]
                found.append(target)
    return [name for value in found if isinstance(name := bare(value), Name)]


def _is_of(t: Translator, node: Expression, variable: Variable) -> bool:
    return isinstance(node, Name) and t.scopes.of_name[node] is variable


def _over_item(t: Translator, table: Name) -> str | None:
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


def _takes(t: Translator, call: Call, variable: Variable) -> bool:
    """Whether a layer of a graph is given a node that a variable holds, or a table with it."""
    if not call.arguments or t.kind(call.callee) != "module":
        return False
    given = bare(call.arguments[0])
    values = [bare(item.value) for item in given.fields] if isinstance(given, tree.Table) else [given]
    return any(isinstance(value, Name) and t.scopes.of_name[value] is variable for value in values)


def _is_in_place(layer: Description) -> bool:
    given = {True: "True", False: "False"}
    texts = [given[a.value] if isinstance(a, tree.Boolean) else "0" for a in layer.call.arguments]
    try:
        return in_place(Layer(layer.name, bind(layer.name, texts)))
    except NotNative:  # no class of nn or rnn, as nn.DataParallelTable
        return False


def _may_be_seen(t: Translator, node: Expression, first: str, seen: set[Variable]) -> bool:
    node = bare(node)
    if isinstance(node, tree.Table):
        return any(_may_be_seen(t, item.value, first, seen) for item in node.fields)
    if is_made_here(t, node):
        return False
    if isinstance(node, (Call, Invoke)) and t.training.explicit.calls.is_forward(node):
        module = t.type(node.receiver if isinstance(node, Invoke) else node.callee)
        return facts.gradient_reads_output(_last(module))
    if not isinstance(node, Name) or t.kind(node) not in ("tensor", "table"):
        return True
    variable = t.scopes.of_name[node]
    if variable in seen:
        return False
    seen.add(variable)
    harmless = _harmless(t, first)
    if first in _PUT_BACK and _is_put_back(t, node, harmless):
        sources = t.wholes.sources(variable)
        return not sources or any(isinstance(s, bool) or _may_be_seen(t, s, first, seen) for s in sources)
    if any(read is not node and read not in harmless for read in variable.reads):
        return True
    again = variable.declaration is None or t.scopes.loops_of[variable.declaration] != t.scopes.loops_of[node]
    if again and first not in _GIVE_THE_SAME:
        return True
    sources = t.wholes.sources(variable)
    return not sources or any(isinstance(s, bool) or _may_be_seen(t, s, first, seen) for s in sources)


def _is_put_back(t: Translator, node: Name, harmless: set[Expression]) -> bool:
    """Whether the input of a module is given to its backward pass later in the same block, and nobody looks before."""
    variable, block = t.scopes.of_name[node], t.surroundings.block(node)
    module = next(
        (
            c.receiver
            for c in tree.own_nodes(t.surroundings.home[node])
            if isinstance(c, Invoke) and node in c.arguments
        ),
        None,
    )
    following = [s for s in block.statements if s.place.start > node.place.start]
    for at, statement in enumerate(following):
        for call in tree.own_nodes(statement):
            if (
                isinstance(call, Invoke)
                and call.method in ("backward", "updateGradInput")
                and module is not None
                and same_expression(call.receiver, module)
                and isinstance(call.arguments[0], Name)
                and t.scopes.of_name[call.arguments[0]] is variable
                and isinstance(statement, (tree.Run, tree.Local, tree.Assign))
            ):
                return not any(_looks_or_leaves(t, s, variable, harmless) for s in following[: at + 1])
    return False


def _looks_or_leaves(
    t: Translator, statement: tree.Statement, variable: Variable, harmless: set[Expression]
) -> bool:
    """Whether a statement may look at a variable, in a function that it calls too, or end its block."""
    for node in tree.walk(statement):
        if isinstance(node, (tree.Return, tree.Break, tree.Goto)):
            return True
        if isinstance(node, Name) and t.scopes.of_name[node] is variable and node not in harmless:
            return True
        for function in t.types.function_called(node) if isinstance(node, (Call, Invoke)) else ():
            if any(isinstance(n, Name) and t.scopes.of_name[n] is variable for n in tree.walk(function.body)):
                return True
    return False


def _harmless(t: Translator, first: str) -> set[Expression]:
    """Where a tensor is given to a backward pass, is asked for its size, or to such a module once more."""
    found: set[Expression] = set()
    for node in tree.every(t.program, Invoke):
        if node.method in _OF_SIZES:
            found.add(node.receiver)
        elif t.kind(node.receiver) == "module" and node.arguments:
            again = node.method in FORWARD and first in _GIVE_THE_SAME
            if node.method in BACKWARD or (again and _first(t, t.type(node.receiver)) == first):
                found.add(node.arguments[0])
    return found


def _last(module: Type) -> str:
    """The last layer of a module, if it is known."""
    seen: set[Type] = set()
    while True:
        root = module.find()
        if len(root.layers) != 1 or root in seen:
            return ""
        seen.add(root)
        (layer,) = root.layers
        if not facts.is_chain(layer.name) or not layer.children:
            return layer.name
        module = layer.children[-1]
