"""Entries of tables that the program asks for without knowing whether they are there."""

from __future__ import annotations

from collections.abc import Iterator

from torch7py.translate import tree
from torch7py.translate.native.analysis.program_facts import Known
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Binary, Call, Expression, Index, Name, String, Unary
from torch7py.translate.tree_queries import returns_of

__all__ = ["is_argument", "looked_for"]


def looked_for(t: Known) -> set[Expression]:
    """What is assigned to variables that the program compares with nil: ``node = previous[node]`` in ``while node``.

    And what is looked up by a name that is computed where it is handed on as it is: ``state[name] = options[name]``,
    ``return options[name]``; and an entry of a table that is no list where a function returns it: ``return states[t]``.
    """
    of_name = t.scopes.of_name
    tested: set[Variable] = set()
    for node in tree.those(t.program, tree.If, tree.While, tree.Repeat, Unary, Binary):
        for condition in _conditions(node):
            tested |= {of_name[name] for name in _names(condition)}
    expressions: set[Expression] = set()
    for first in _ends_of_loops(t):  # nil ends a loop over a function
        if isinstance(first, Index):
            expressions.add(first)
        elif isinstance(first, Name):
            tested.add(of_name[first])
    returned = [value for node in tree.every(t.program, tree.Return) for value in node.values]
    handed_on = list(returned)
    for statement in tree.every(t.program, tree.Assignment):
        for target, value in zip(statement.targets, statement.values, strict=False):
            if isinstance(target, Name) and isinstance(value, Index) and of_name[target] in tested:
                expressions.add(value)
            elif isinstance(target, Index) and t.kind(target.base) == "table":
                handed_on.append(value)
    for call in tree.those(t.program, Call, tree.Invoke):
        if isinstance(call, (Call, tree.Invoke)) and t.types.function_called(call):
            handed_on += call.arguments
    expressions |= {value for value in returned if _is_by_number(t, value)}
    expressions |= {value for value in handed_on if _is_by_name(t, value)}
    return expressions | set(_arguments_that_may_lack(t))


def _is_by_name(t: Known, node: Expression) -> bool:
    """``options[name]``, which may have no such entry: nothing but a table's own keys says which it has."""
    return isinstance(node, Index) and not isinstance(node.key, String) and t.kind(node.key) == "string"


def _is_by_number(t: Known, node: Expression) -> bool:
    """``states[t - 1]`` of a table whose places need not be 1, 2, ..., or of which some are taken away."""
    if not isinstance(node, Index) or t.kind(node.key) != "number" or t.kind(node.base) != "table":
        return False
    return t.type(node.base).has("sparse") or t.type(node.base).has("removed")


def _arguments_that_may_lack(t: Known) -> Iterator[Expression]:
    """``arg[1]`` where nil is a value like others: it is assigned, tested or printed."""
    for node in tree.those(
        t.program, tree.Local, tree.Assign, tree.Return, tree.If, tree.While, tree.Repeat, Unary, Binary, Call
    ):
        values: tuple[tree.Node | tree.Block, ...] = tuple(_conditions(node))
        if isinstance(node, (tree.Assignment, tree.Return)):
            values = node.values
        elif isinstance(node, Binary) and node.operator in ("and", "or", "==", "~="):
            values = (node.left, node.right)
        elif isinstance(node, Call) and t.path(node.callee) in ("print", "tostring", "type"):
            values = node.arguments
        yield from (value for value in values if isinstance(value, Expression) and is_argument(t, value))


def is_argument(t: Known, node: Expression) -> bool:
    """``arg[n]``, an argument of the program."""
    return isinstance(node, Index) and isinstance(node.base, Name) and t.scopes.is_global(node.base, "arg")


def _ends_of_loops(t: Known) -> Iterator[Expression]:
    """The first values of the functions that loops go over."""
    for loop in tree.every(t.program, tree.GenericFor):
        if len(loop.values) != 1:
            continue
        for function in t.type(loop.values[0]).find().functions:
            for statement in returns_of(function):
                yield from statement.values[:1]


def _conditions(node: tree.Node | tree.Block) -> Iterator[Expression]:
    if isinstance(node, tree.If):
        yield from (condition for condition, _ in node.branches)
    elif isinstance(node, (tree.While, tree.Repeat)):
        yield node.condition
    elif isinstance(node, Unary) and node.operator == "not":
        yield node.operand
    elif isinstance(node, Binary) and node.operator in ("and", "or"):
        yield node.left
    elif isinstance(node, Binary) and node.operator in ("==", "~="):
        if isinstance(node.left, tree.Nil):
            yield node.right
        elif isinstance(node.right, tree.Nil):
            yield node.left


def _names(condition: Expression) -> Iterator[Name]:
    """The variables that are a condition themselves, or a part of one."""
    if isinstance(condition, Name):
        yield condition
    elif isinstance(condition, tree.Paren):
        yield from _names(condition.inner)
    elif isinstance(condition, Binary) and condition.operator in ("and", "or"):
        yield from _names(condition.left)
        yield from _names(condition.right)
