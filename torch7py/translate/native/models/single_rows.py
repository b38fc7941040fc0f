"""Whether a program may train on a batch of one example, which Torch7's batch normalizations take otherwise.

They then normalize by the running statistics. PyTorch's take those of the one example, or refuse it. How many examples
there are is rarely told by a program's text: looked for is a first dimension of 1, of at least as many dimensions as a
batch of a normalization has, or the number 1 where it comes from a variable or an option. What else comes up is seen
when the program runs (``verify_script.Unforeseen``).
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Binary, Call, Expression, Index, Invoke, Name, Number
from torch7py.translate.tree_queries import bare, same_expression

__all__ = ["may_be_single"]

_MAKERS = ("zeros", "ones", "rand", "randn")
_RESHAPING = ("view", "reshape", "resize")


def may_be_single(t: Translation, dims: int) -> bool:
    """Whether the program makes tensors of so many dimensions or more, the first of which is 1."""
    return any(_is_single(t, node, dims) for node in tree.those(t.program, Call, Invoke, Index))


def _is_single(t: Translation, node: tree.Node, dims: int) -> bool:
    if isinstance(node, Index):
        keys = node.key.fields if isinstance(node.key, tree.Table) else ()
        return bool(keys) and (t.type(node.base).rank or 0) >= dims and _is_single_index(keys[0].value)
    if isinstance(node, Invoke):
        if t.kind(node.receiver) != "tensor":
            return False
        if node.method in _RESHAPING:
            return len(node.arguments) >= dims and _is_one(t, node.arguments[0], set())
        enough = (t.type(node.receiver).rank or 0) >= dims
        first = bool(node.arguments) and _is_number(node.arguments[0], 1)
        if node.method == "narrow" and len(node.arguments) == 3:
            return first and enough and _is_one(t, node.arguments[2], set())
        if node.method == "sub" and len(node.arguments) >= 2:
            return enough and same_expression(node.arguments[0], node.arguments[1])
        return False
    if not isinstance(node, Call) or not node.arguments:
        return False
    name = (t.path(node.callee) or "").removeprefix("torch.")
    if name not in _MAKERS and not name.endswith("Tensor"):
        return False
    argument = node.arguments[0]
    if isinstance(argument, tree.Table):
        return dims == 2 and len(argument.fields) == 1 and isinstance(argument.fields[0].value, tree.Table)
    return len(node.arguments) >= dims and _is_one(t, argument, set())


def _is_single_index(key: Expression) -> bool:
    """``{i}`` or ``{i, i}``, of which one row is taken."""
    if not isinstance(key, tree.Table) or not key.fields:
        return False
    return same_expression(key.fields[0].value, key.fields[-1].value)


def _is_number(node: Expression, value: float) -> bool:
    return isinstance(node, Number) and node.value == value


def _is_one(t: Translation, node: Expression, seen: set[Variable]) -> bool:
    """Whether a number may be 1: where it is written out, or as an option's default."""
    node = bare(node)
    if isinstance(node, Name):
        variable = t.scopes.of_name[node]
        if variable in seen or t.intervals.loop(variable) is not None:
            return False
        seen.add(variable)
        sources = t.integers.sources(variable)
        return any(not isinstance(source, bool) and _is_one(t, source, seen) for source in sources)
    if isinstance(node, Binary) and node.operator in ("and", "or"):
        return _is_one(t, node.right, seen) or (node.operator == "or" and _is_one(t, node.left, seen))
    if isinstance(node, Index) and isinstance(node.key, tree.String):
        if t.kind(node.base) != "table":
            return False
        default = t.options.get(node.key.value) if t.type(node.base).has("options") else None
        if default is not None:
            return _is_one(t, default, seen)
        return any(
            _is_number(bare(value), 1)
            for value in t.tables.assigned_values(t.type(node.base), node.key.value)
        )
    return _is_number(node, 1)
