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
    """Write ``x = {}`` and the loop after it that only appends as a comprehension; the statements that it took.

    A loop that appends what it goes through to a list that is there already extends that list.
    """
    variable = _empty_table(nodes[index])
    if variable is None:
        return _extended(t, nodes[index])
    if index + 1 >= len(nodes):
        return 0
    loop = nodes[index + 1]
    item = _item_of_loop(t, loop, variable)
    if item is None or t.training.is_handled(loop, nodes[index]):
        return 0
    before = len(t.lines)
    for comment in nodes[index].around.before:
        t.comment(comment)
    if nodes[index].around.blank and t.lines and t.lines[-1] and not t.lines[-1].endswith(":"):
        t.emit("")
    for note in [nodes[index].around.trailing, *loop.around.before, loop.around.trailing]:
        if note is not None:
            t.comment(note)
    listed = _listed(t, loop, item)
    if listed is None:
        del t.lines[before:]
        return 0
    t.emit(f"{t.names.of(variable)} = {listed}")
    return 2


def _extended(t: Translation, loop: Statement) -> int:
    """Write a loop that appends its own variable to a list; whether it is one."""
    body = loop.body.statements if isinstance(loop, tree.GenericFor) else ()
    variable = _appended_to(t, body[0]) if len(body) == 1 else None
    item = _item_of_loop(t, loop, variable) if variable is not None else None
    if variable is None or not isinstance(item, Name) or t.training.is_handled(loop):
        return 0
    assert isinstance(loop, tree.GenericFor)
    of_name, values = t.scopes.of_name, [n for value in loop.values for n in tree.walk(value)]
    if of_name[item] not in {of_name[name] for name in loop.names}:
        return 0
    if any(isinstance(n, Name) and of_name[n] is of_name[variable] for n in values):  # grows as it goes
        return 0
    before = len(t.lines)
    for note in [*loop.around.before, loop.around.trailing]:
        if note is not None:
            t.comment(note)
    listed = _listed(t, loop, item)
    if listed is None or listed.startswith("["):
        del t.lines[before:]
        return 0
    iterable = listed.removeprefix("list(").removesuffix(")") if listed.startswith("list(") else listed
    t.emit(f"{t.value(variable)}.extend({iterable})")
    return 1


def _item_of_loop(t: Translation, loop: Statement, variable: Name) -> Expression | None:
    """What a loop appends to a list, where it does nothing else that a comprehension cannot."""
    if not isinstance(loop, (tree.NumericFor, tree.GenericFor)):
        return None
    if len(loop.body.statements) != 1 or has_comments(loop.body):
        return None
    item = _appended(t, loop.body.statements[0], variable)
    if item is None or t.kind(variable) != "table" or t.representation(variable) != "list":
        return None
    if any(isinstance(n, Name) and n.name == variable.name for n in tree.walk(item)):
        return None
    if loop in t.graphs.members or any(isinstance(n, tree.Function) for n in tree.walk(item)):
        return None
    return item


def _listed(t: Translation, loop: Statement, item: Expression) -> str | None:
    """The list of what a loop appends, on one line; None where that takes lines of its own."""
    head = len(t.lines)
    try:
        if isinstance(loop, tree.NumericFor):
            ranges.head(t, loop)
        elif not isinstance(loop, tree.GenericFor) or not ranges.generic_head(t, loop):
            return None
        heading = t.lines.pop().strip().removesuffix(":")
        value = t.value(item).text if len(t.lines) == head else ""
    except Problem:  # written, and reported, statement by statement
        return None
    return _as_list(value, heading) if len(t.lines) == head else None  # the value may need lines, too


def _as_list(value: str, heading: str) -> str:
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


def _appended_to(t: Translation, node: Statement) -> Name | None:
    """The variable of the list that a statement appends to."""
    table: Expression | None = None
    if isinstance(node, tree.Run) and isinstance(node.call, Call) and len(node.call.arguments) == 2:
        table = node.call.arguments[0]
    elif isinstance(node, tree.Assign) and isinstance(node.targets[0], Index):
        table = node.targets[0].base
    return table if isinstance(table, Name) and _appended(t, node, table) is not None else None


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
