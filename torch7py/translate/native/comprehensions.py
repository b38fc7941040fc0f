"""Loops that Python writes as one expression: a list that is filled."""

from __future__ import annotations

from collections.abc import Sequence

from torch7py.translate import tree
from torch7py.translate.native import ranges
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.masks import has_comments
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Expression, Index, Name, Statement

__all__ = ["write"]


def write(t: Translation, nodes: Sequence[Statement], index: int) -> int:
    """Write ``x = {}`` and the loop after it that only appends as a comprehension; the statements that it took."""
    variable = _empty_table(nodes[index])
    if variable is None or index + 1 >= len(nodes):
        return 0
    loop = nodes[index + 1]
    if not isinstance(loop, (tree.NumericFor, tree.GenericFor)):
        return 0
    if len(loop.body.statements) != 1 or has_comments(loop.body):
        return 0
    item = _appended(t, loop.body.statements[0], variable)
    if item is None or t.kind(variable) != "table" or t.representation(variable) != "list":
        return 0
    if any(isinstance(n, Name) and n.name == variable.name for n in tree.walk(item)):
        return 0
    handled = t.training.is_handled(loop, nodes[index]) or loop in t.graphs.members
    if handled or any(isinstance(n, tree.Function) for n in tree.walk(item)):
        return 0
    before = len(t.lines)
    for comment in nodes[index].around.before:
        t.comment(comment)
    if nodes[index].around.blank and t.lines and t.lines[-1] and not t.lines[-1].endswith(":"):
        t.emit("")
    for note in [nodes[index].around.trailing, *loop.around.before, loop.around.trailing]:
        if note is not None:
            t.comment(note)
    head = len(t.lines)
    try:
        if isinstance(loop, tree.NumericFor):
            ranges.head(t, loop)
        elif not ranges.generic_head(t, loop):
            del t.lines[before:]
            return 0
    except Problem:
        del t.lines[before:]
        return 0
    heading = t.lines.pop().strip().removesuffix(":")
    if len(t.lines) != head:
        del t.lines[before:]
        return 0
    try:
        value = t.value(item)
    except Problem:  # written, and reported, statement by statement
        del t.lines[before:]
        return 0
    if len(t.lines) != head:  # a value that needs statements of its own
        del t.lines[before:]
        return 0
    t.emit(f"{t.names.of(variable)} = {_listed(value.text, heading)}")
    return 2


def _listed(value: str, heading: str) -> str:
    """``[value for x in y]``; only the list where every value is x."""
    names, _, iterable = heading.removeprefix("for ").partition(" in ")
    if value != names:
        return f"[{value} {heading}]"
    return iterable if iterable.startswith(("sorted(", "re.findall(")) else f"list({iterable})"


def _empty_table(node: Statement) -> Name | None:
    if not isinstance(node, tree.Assignment) or len(node.values) != 1:
        return None
    value, target = node.values[0], node.targets[0]
    if (
        len(node.targets) == 1
        and isinstance(target, Name)
        and isinstance(value, tree.Table)
        and not value.fields
    ):
        return target
    return None


def _appended(t: Translation, node: Statement, variable: Name) -> Expression | None:
    """What a statement appends to the list."""
    of_name = t.scopes.of_name
    if isinstance(node, tree.Run) and isinstance(node.call, Call) and len(node.call.arguments) == 2:
        call = node.call
        table = call.arguments[0]
        if (
            t.path(call.callee) == "table.insert"
            and isinstance(table, Name)
            and of_name[table] is of_name[variable]
        ):
            return call.arguments[1]
    if isinstance(node, tree.Assign) and len(node.targets) == len(node.values) == 1:
        target = node.targets[0]
        if isinstance(target, Index) and isinstance(target.base, Name) and t.tables.appends(target):
            return node.values[0] if of_name[target.base] is of_name[variable] else None
    return None
