"""The halves of a layer that a program writes itself: which lead to which, and what they call the layer's fields."""

from __future__ import annotations

from collections.abc import Callable

from torch7py.translate import tree, tree_queries
from torch7py.translate.facts.layers import BACKWARD
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.layer_fields import LayerFields
from torch7py.translate.native.tensors.overwriting import root_of
from torch7py.translate.tree import Expression, Index, Invoke, Name

__all__ = [
    "chain",
    "find_short_names",
    "lead_to_backward",
    "name_as_fields",
    "remembers_output",
]


def chain(statement: tree.Statement) -> Invoke | None:
    """The methods that a statement, or a return, calls one by one: ``self.output:resizeAs(x):copy(x)``."""
    if isinstance(statement, tree.Return) and len(statement.values) == 1:
        value = statement.values[0]
        return value if isinstance(value, Invoke) else None
    return statement.call if isinstance(statement, tree.Run) and isinstance(statement.call, Invoke) else None


def lead_to_backward(t: Translation, layer: LayerFields, others: list[tree.Function]) -> bool:
    """Whether the other halves only call the program's own ``backward``, and nobody calls them but layers around."""
    halves = [f for lua_class in t.classes.all for name, f in lua_class.methods.items() if name in BACKWARD]
    plain = [half for half in halves if half in layer.halves or _pass_on(half.body)]
    inside = {node for half in plain for node in tree.every(half.body, Invoke)}
    called = {node.method for node in tree.every(t.program, Invoke) if node not in inside}
    if called & {"updateGradInput", "accGradParameters"}:
        return False
    return bool(others) and all(_call_backward(layer, half.body) for half in others)


def _call_backward(layer: LayerFields, block: tree.Block) -> bool:
    """Whether a block does no more than to call ``self:backward``, perhaps if a field says so."""
    for statement in block.statements:
        if isinstance(statement, tree.If):
            plain = len(statement.branches) == 1 and statement.otherwise is None
            if not plain or not _call_backward(layer, statement.branches[0][1]):
                return False
            continue
        values = _values(statement)
        if not values:
            return False
        for value in values:
            back = isinstance(value, Invoke) and value.method == "backward" and layer.is_self(value.receiver)
            if not back and layer.self_field(value) != "gradInput":
                return False
    return True


def _pass_on(block: tree.Block) -> bool:
    """Whether the half of a layer only calls halves of what is in it, and gives what they give."""
    for statement in block.statements:
        values = _values(statement) or tree_queries.values(statement)
        if not values:
            return False
        for value in values:
            field = isinstance(value, Index) and value.dotted
            if not field and not (isinstance(value, Invoke) and value.method in BACKWARD):
                return False
    return True


def _values(statement: tree.Statement) -> tuple[Expression, ...]:
    """What a statement calls or gives."""
    if isinstance(statement, tree.Return):
        return statement.values
    return (statement.call,) if isinstance(statement, tree.Run) else ()


def find_short_names(layer: LayerFields) -> None:
    """``local h, c = self.output, self.cell``: what changes one of them changes the field."""
    for function in [*([layer.forward] if layer.forward is not None else []), *layer.halves]:
        stored = [
            (target.span.start, name)
            for node in tree.every(function.body, tree.Assign)
            for target in node.targets
            if (name := layer.self_field(target)) is not None
        ]
        for node in function.body.statements:
            if not isinstance(node, tree.Local) or len(node.names) != len(node.values):
                continue
            later = {name for at, name in stored if at > node.span.start}
            for local_name, value in zip(node.names, node.values, strict=True):
                variable, name = layer.t.scopes.of_name[local_name], layer.self_field(value)
                plain = not variable.writes and not variable.captured
                if name is None or layer.t.kind(value) != "tensor" or not plain:
                    continue
                if later.isdisjoint((name, name.rstrip("0123456789"))):
                    layer.short_names[variable] = name
                    layer.named_short.add(value)


def name_as_fields(layer: LayerFields) -> None:
    """Short names of fields that live for a moment are the names of these; others are variables of their own."""
    for variable, name in list(layer.short_names.items()):
        if name in layer.temporary and name not in layer.gradients:
            layer.t.names.chosen[variable] = layer.local(name)
        else:
            del layer.short_names[variable]


def remembers_output(layer: LayerFields, overwrites: Callable[[Invoke], bool]) -> bool:
    """Whether the forward half begins with what it gave last: it reads ``self.output`` before it sets it."""
    if not layer.by_hand or layer.forward is None or layer.is_table("output"):
        return False
    body, setting = layer.forward.body, set[Expression]()
    for statement in tree_queries.statements(body):
        called = chain(statement)
        if isinstance(statement, tree.Assign):
            setting.update(statement.targets)
        elif called is not None and overwrites(called):
            setting.add(root_of(called))
    of_name = layer.t.scopes.of_name
    named = [name for name in tree.every(body, Name) if of_name[name].declaration is not name]
    every: list[Expression] = [*tree.every(body, Index), *named]
    uses = [node for node in every if layer.self_field(node) == "output" and node not in layer.named_short]
    uses.sort(key=lambda node: node.span.start)
    return bool(uses) and uses[0] not in setting and not setting.isdisjoint(uses)
