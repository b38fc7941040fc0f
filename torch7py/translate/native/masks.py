"""Loops over the elements of a tensor that change those which a condition holds for: a mask in PyTorch."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native import code
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.tree import Call, Expression, Index, Name
from torch7py.translate.tree_queries import same_expression

__all__ = ["has_comments", "masked"]


def masked(t: Translation, node: tree.NumericFor) -> bool:
    """``for j = 1, n do if x[j] > a then x[j] = b end end`` as ``x[x > a] = b``, where x has n elements."""
    if len(node.body.statements) != 1 or has_comments(node) or node.step is not None:
        return False
    inner = node.body.statements[0]
    if not isinstance(inner, tree.If) or len(inner.branches) != 1 or inner.otherwise is not None:
        return False
    condition, body = inner.branches[0]
    if len(body.statements) != 1 or body.opening or body.closing or not isinstance(condition, tree.Binary):
        return False
    store = body.statements[0]
    if (
        not isinstance(store, tree.Assign)
        or len(store.targets) != 1
        or store.around.before
        or store.around.trailing
    ):
        return False
    target, value = store.targets[0], store.values[0]
    if not isinstance(target, Index) or not isinstance(target.base, Name) or t.kind(target.base) != "tensor":
        return False
    if condition.operator not in ("<", ">", "<=", ">=", "==", "~=") or not same_expression(
        condition.left, target
    ):
        return False
    loop = t.scopes.of_name[node.variable]
    if not (isinstance(target.key, Name) and t.scopes.of_name[target.key] is loop):
        return False
    for part in (condition.right, value):
        for name in tree.walk(part):
            if isinstance(name, (tree.Call, tree.Invoke)) or (
                isinstance(name, Name) and t.scopes.of_name[name] is loop
            ):
                return False
        if t.kind(part) != "number":
            return False
    first = isinstance(node.start, tree.Number) and node.start.value == 1
    if not first or not has_length(t, target.base, node.stop):
        return False
    tensor = t.value(target.base)
    operator = {"==": "==", "~=": "!="}.get(condition.operator, condition.operator)
    t.emit(f"{tensor}[{tensor} {operator} {t.value(condition.right).at(code.ADD)}] = {t.value(value)}")
    return True


def has_length(t: Translation, name: Name, length: Expression) -> bool:
    """Whether a tensor of one dimension surely has so many elements: it was made so, and is not made anew."""
    if not _stays(t, length):
        return False
    variable = t.scopes.of_name[name]
    values = [v for v in t.integers.sources(variable) if isinstance(v, Expression)]
    sources = [v for v in values if t.kind(v) == "tensor"]
    if len(sources) != 1 or not isinstance(sources[0], Call):
        return False
    call = sources[0]
    path = t.path(call.callee) or ""
    if not path.startswith("torch.") or len(call.arguments) != 1:
        return False
    argument = call.arguments[0]
    if t.kind(argument) == "number":
        return same_expression(argument, length)
    return isinstance(argument, Name) and t.tables.filled_to(argument, length)


def _stays(t: Translation, node: Expression) -> bool:
    """Whether an expression is a number, or a variable that is assigned once."""
    if isinstance(node, tree.Number):
        return True
    if isinstance(node, Name):
        variable = t.scopes.of_name[node]
        return len(variable.writes) == (1 if variable.is_global else 0)
    return False


def has_comments(loop: tree.NumericFor | tree.GenericFor) -> bool:
    """Whether a program says something inside of a loop of one statement."""
    inner = loop.body.statements[0].around
    return bool(loop.body.opening or loop.body.closing or inner.before or inner.trailing or inner.inside)
