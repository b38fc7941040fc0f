"""``if x < low then low = x end`` as ``low = min(low, x)``."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.tree import Binary, Expression, Index, Name, Number
from torch7py.translate.tree_queries import same_expression

__all__ = ["write"]


def write(t: Translation, node: tree.If) -> bool:
    """Write the branch as a minimum or maximum; whether it is one."""
    if len(node.branches) != 1 or node.otherwise is not None:
        return False
    condition, body = node.branches[0]
    if len(body.statements) != 1 or body.opening or body.closing or not isinstance(condition, Binary):
        return False
    store = body.statements[0]
    if not isinstance(store, tree.Assign) or len(store.targets) != 1 or len(store.values) != 1:
        return False
    if store.around.before or store.around.trailing or condition.operator not in ("<", ">"):
        return False
    target, value = store.targets[0], store.values[0]
    if (
        not (_is_plain(target) and _is_plain(value))
        or t.kind(target) != "number"
        or t.kind(value) != "number"
    ):
        return False
    less = condition.operator == "<"
    if same_expression(condition.left, value) and same_expression(condition.right, target):
        name = "min" if less else "max"
    elif same_expression(condition.left, target) and same_expression(condition.right, value):
        name = "max" if less else "min"
    else:
        return False
    left = t.target(target)
    t.emit(f"{left} = {name}({t.value(target)}, {t.value(value)})")
    return True


def _is_plain(node: Expression) -> bool:
    if isinstance(node, Index):
        return _is_plain(node.base) and _is_plain(node.key)
    return isinstance(node, (Name, Number, tree.String))
