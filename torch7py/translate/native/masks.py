"""Loops over the elements of a tensor that change those which a condition holds for: a mask in PyTorch."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native import code
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.templates import Template
from torch7py.translate.tree import Call, Expression, Name
from torch7py.translate.tree_queries import same_expression

__all__ = ["has_comments", "masked"]

_MASKS = {
    operator: Template(
        f"for AT = 1, COUNT do if TENSOR[AT] {operator.replace('!', '~')} LIMIT then TENSOR[AT] = VALUE end end"
    )
    for operator in ("<", ">", "<=", ">=", "==", "!=")
}


def masked(t: Translation, node: tree.NumericFor) -> bool:
    """``for j = 1, n do if x[j] > a then x[j] = b end end`` as ``x[x > a] = b``, where x has n elements."""
    matches = ((operator, template.match(node)) for operator, template in _MASKS.items())
    operator, found = next((match for match in matches if match[1] is not None), ("", None))
    tensor = found["TENSOR"] if found is not None else None
    if found is None or not isinstance(tensor, Name) or t.kind(tensor) != "tensor":
        return False
    said = any(map(has_comments, (node.body, *tree.blocks(node.body.statements[0]))))
    if said or not has_length(t, tensor, node.stop):
        return False
    for part in (found["LIMIT"], found["VALUE"]):
        inside = list(tree.walk(part))
        if t.kind(part) != "number" or any(isinstance(n, (tree.Call, tree.Invoke)) for n in inside):
            return False
        if any(t.scopes.variable(n) is t.scopes.of_name[node.variable] for n in inside):
            return False
    limit, value = t.value(found["LIMIT"]).at(code.ADD), t.value(found["VALUE"])
    t.emit(f"{t.value(tensor)}[{t.value(tensor)} {operator} {limit}] = {value}")
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


def has_comments(body: tree.Block) -> bool:
    """Whether a program says something inside of a block of one statement."""
    inner = body.statements[0].around
    return bool(body.opening or body.closing or inner.before or inner.trailing or inner.inside)
