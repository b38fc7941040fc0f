"""Which reshaped tensors need memory of their own: Torch7's ``reshape`` copies, PyTorch's does so only where it must.

It makes no difference where neither the result nor what it is made of is changed in place.
"""

from __future__ import annotations

from functools import cached_property

from torch7py.translate import library, tree
from torch7py.translate.facts.methods import VIEWS
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.tensors.rules import in_place, is_new_tensor
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name
from torch7py.translate.tree_queries import bare, returns_of

__all__ = ["Reshapes"]

# What is known of a tensor's memory: the variable that it is kept in, or the name of the field.
_Root = Variable | str


class Reshapes:
    """The program's reshaped tensors."""

    def __init__(self, translator: Translation) -> None:
        self.t = translator

    def are_copies(self, tensor: Expression) -> bool:
        return tensor in self._apart

    @cached_property
    def _apart(self) -> set[Expression]:
        return _apart(self.t)


def _apart(t: Translation) -> set[Expression]:
    """The tensors that are reshaped with a copy."""
    tensors: set[Expression] = set()
    changed: set[_Root] | None = None
    for node in tree.those(t.program, Call, Invoke):
        assert isinstance(node, (Call, Invoke))
        tensor = _reshaped(t, node)
        if tensor is None or is_new_tensor(t, tensor):
            continue
        changed = _changed(t) if changed is None else changed
        holders, kept = _holders(t, node)
        if (
            node in holders
            or not changed.isdisjoint(holders)
            or (kept and not changed.isdisjoint(_roots(t, tensor)))
        ):
            tensors.add(tensor)
    return tensors


def _reshaped(t: Translation, node: Call | Invoke) -> Expression | None:
    if isinstance(node, Invoke):
        is_tensor = node.method == "reshape" and t.kind(node.receiver) == "tensor"
        return node.receiver if is_tensor else None
    return node.arguments[0] if t.path(node.callee) == "torch.reshape" and node.arguments else None


def _holders(t: Translation, node: Call | Invoke) -> tuple[set[_Root | Expression], bool]:
    """What a reshaped tensor is kept in, and whether it is kept at all; itself, where it is changed at once."""
    around = t.surroundings.home.get(node)
    if around is None:
        return set(), False
    holders: set[_Root | Expression] = set()
    kept = False
    if isinstance(around, tree.Assignment):
        for target, value in zip(around.targets, around.values, strict=False):
            if _memory(t, value) is node:
                kept = True
                root = _root(t, target)
                holders |= {root} if root is not None else set()
    elif isinstance(around, tree.Return):
        kept = any(_memory(t, value) is node for value in around.values)
    for other in tree.direct_nodes(around):
        if isinstance(other, Invoke) and other.method in in_place and _memory(t, other.receiver) is node:
            holders.add(node)
        elif isinstance(other, tree.Table):
            kept = kept or any(_memory(t, item.value) is node for item in other.fields)
        elif isinstance(other, Call) and (
            t.types.function_called(other) or t.path(other.callee) == "table.insert"
        ):
            kept = kept or any(_memory(t, argument) is node for argument in other.arguments)
    return holders, kept


def _memory(t: Translation, node: Expression) -> Expression:
    """What made the memory that an expression's tensor lies in, through views and changes in place."""
    node = bare(node)
    while True:
        if isinstance(node, Invoke) and (node.method in VIEWS or node.method in in_place):
            node = bare(node.receiver)
        elif isinstance(node, Index) and t.kind(node.base) == "tensor":
            node = bare(node.base)
        else:
            return node


def _root(t: Translation, node: Expression) -> _Root | None:
    node = _memory(t, node)
    if isinstance(node, Name):
        return t.scopes.of_name[node]
    if isinstance(node, Index) and isinstance(node.key, tree.String):
        return node.key.value
    return None


def _roots(t: Translation, node: Expression) -> set[_Root]:
    """What an expression's memory is kept in, under any name that it was given before."""
    roots: set[_Root] = set()
    seen: set[Expression] = set()
    waiting = [node]
    while waiting:
        owner = _memory(t, waiting.pop())
        if owner in seen:
            continue
        seen.add(owner)
        root = _root(t, owner)
        roots |= set() if root is None else {root}
        waiting += _assigned_values(t, owner)
    return roots


def _assigned_values(t: Translation, node: Expression) -> list[Expression]:
    """What a variable, an item or field of tables, or the result of a function is given."""
    if isinstance(node, Name):
        variable = t.scopes.of_name[node]
        loop = t.tables.uses.loop_of.get(variable)
        over = loop.values[0] if isinstance(loop, tree.GenericFor) else None
        if isinstance(over, Call) and over.arguments and t.kind(over.arguments[0]) == "table":
            return t.tables.assigned_values(t.type(over.arguments[0]), None)
        return [source for source in t.integers.sources(variable) if not isinstance(source, bool)]
    if isinstance(node, Index) and t.kind(node.base) == "table":
        name = node.key_name
        return t.tables.assigned_values(t.type(node.base), name)
    if isinstance(node, (Call, Invoke)):
        return [r.values[0] for f in t.types.function_called(node) for r in returns_of(f) if r.values]
    return []


def _changed(t: Translation) -> set[_Root]:
    """What holds tensors that the program changes in place."""
    roots: set[_Root] = set()
    for node in tree.those(t.program, Call, Invoke, tree.Assign):
        if isinstance(node, tree.Assign):
            bases = [target.base for target in node.targets if isinstance(target, Index)]
            for base in bases:
                roots |= _roots(t, base) if t.kind(base) == "tensor" else set()
        elif isinstance(node, Invoke):
            if node.method in in_place and t.kind(node.receiver) == "tensor":
                roots |= _roots(t, node.receiver)
        elif isinstance(node, Call) and node.arguments:
            name = (t.path(node.callee) or "").removeprefix("torch.")
            if name in library.TENSOR_METHODS and len(node.arguments) > 1:  # torch.add(into, x, 1)
                roots |= _roots(t, node.arguments[0])
    return roots
