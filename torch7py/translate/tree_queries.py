"""Statements and expressions by their form: what is assigned where, what is written alike, what has which name.

``torch7py.translate.tree`` has the nodes themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch7py.translate import tree
from torch7py.translate.tree import (
    Binary,
    Block,
    Call,
    Expression,
    Index,
    Name,
    Node,
    Paren,
    Statement,
    Unary,
)

__all__ = [
    "LOOPS",
    "appends",
    "are_alike",
    "bare",
    "base_name",
    "declared",
    "dotted",
    "index_of",
    "is_first_call",
    "is_last",
    "named_functions",
    "only_value",
    "returns_of",
    "same_expression",
    "statements",
    "targets",
    "values",
]

# What tells nodes of one class apart, besides the nodes in them.
_SAID: dict[type, str] = {
    Name: "name",
    **dict.fromkeys((tree.Boolean, tree.Number, tree.String), "value"),
    **dict.fromkeys((Binary, Unary), "operator"),
    **dict.fromkeys((tree.Invoke, tree.FunctionStatement), "method"),
    tree.Function: "vararg",
}
_LISTS = ("targets", "names", "parameters")  # whose lengths the nodes in them do not tell
LOOPS = (tree.NumericFor, tree.GenericFor, tree.While, tree.Repeat)


def statements(node: Block | Statement) -> list[Statement]:
    """All statements in a block, or a statement and all in it, those of functions too, in the order of the source."""
    result: list[Statement] = []
    waiting = list(node.statements[::-1]) if isinstance(node, Block) else [node]
    while waiting:
        statement = waiting.pop()
        result.append(statement)
        for inner in reversed(tree.blocks(statement)):
            waiting += inner.statements[::-1]
    return result


def targets(statement: Statement) -> tuple[Expression, ...]:
    """What a statement assigns to: names, or elements of tables."""
    return statement.targets if isinstance(statement, tree.Assignment) else ()


def declared(program: Block) -> set[str]:
    """The names of all local variables of a file."""
    names: set[str] = set()
    for node in tree.walk(program):
        if isinstance(node, (tree.Local, tree.GenericFor)):
            names.update(name.name for name in node.names)
        elif isinstance(node, tree.NumericFor):
            names.add(node.variable.name)
        elif isinstance(node, tree.LocalFunction):
            names.add(node.name.name)
        elif isinstance(node, tree.Function):
            names.update(name.name for name in node.parameters)
    return names


def values(statement: Statement) -> tuple[Expression, ...]:
    """What a statement assigns."""
    return statement.values if isinstance(statement, tree.Assignment) else ()


def only_value(statement: Statement) -> Expression | None:
    """The one value that a statement assigns, or the call that it is."""
    if isinstance(statement, tree.Run):
        return statement.call
    assigned = values(statement)
    return assigned[0] if len(assigned) == 1 else None


def named_functions(block: Block) -> list[tuple[Statement, Name, tree.Function]]:
    """``function f() end`` and ``local function f() end``: the statements, the names and the functions."""
    functions: list[tuple[Statement, Name, tree.Function]] = []
    for statement in tree.those(block, tree.FunctionStatement, tree.LocalFunction):
        if isinstance(statement, tree.LocalFunction):
            functions.append((statement, statement.name, statement.function))
        elif isinstance(statement, tree.FunctionStatement) and isinstance(statement.target, Name):
            functions.append((statement, statement.target, statement.function))
    return functions


def returns_of(function: tree.Function) -> Sequence[tree.Return]:
    """The return statements of a function, without those of functions in it."""
    if function.return_cache is not None:
        return function.return_cache
    returns: list[tree.Return] = []
    stack: list[tree.Node | tree.Block] = [function.body]
    while stack:
        node = stack.pop()
        if isinstance(node, tree.Return):
            returns.append(node)
        # statements are in blocks and in functions, not in other expressions
        stack += [child for child in tree.children(node) if isinstance(child, (tree.Block, tree.Statement))]
    object.__setattr__(function, "return_cache", returns)
    return returns


def bare(node: Expression) -> Expression:
    """An expression without the parentheses around it."""
    while isinstance(node, Paren):
        node = node.inner
    return node


def base_name(node: Expression) -> Name | None:
    """The variable that an expression of indices begins with."""
    while isinstance(node, (Index, tree.Paren)):
        node = node.base if isinstance(node, Index) else node.inner
    return node if isinstance(node, Name) else None


def may_be_more(arguments: Sequence[Expression]) -> bool:
    """Whether a call is given more values than it has arguments: the last is ``...`` or ``unpack(list)``."""
    last = arguments[-1] if arguments else None
    unpacked = isinstance(last, Call) and dotted(last.callee) in ("unpack", "table.unpack")
    return unpacked or isinstance(last, tree.Vararg)


def dotted(node: Expression) -> str | None:
    """``a.b.c`` as text."""
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Index) and isinstance(node.key, tree.String):
        base = dotted(node.base)
        return None if base is None else f"{base}.{node.key.value}"
    return None


def index_of(meta: tree.Table) -> Expression | None:
    """What ``{__index = X}`` has there."""
    for item in meta.fields:
        if item.key_name == "__index":
            return item.value
    return None


def index_alone(meta: Expression) -> Expression | None:
    """The ``__index`` of a metatable that is written out and has nothing else."""
    return index_of(meta) if isinstance(meta, tree.Table) and len(meta.fields) == 1 else None


def appends(target: Index) -> bool:
    """``t[#t + 1]``"""
    key = target.key
    return (
        isinstance(key, Binary)
        and key.operator == "+"
        and isinstance(key.left, Unary)
        and key.left.operator == "#"
        and isinstance(key.right, tree.Number)
        and key.right.value == 1
        and same_expression(key.left.operand, target.base)
    )


def is_last(target: Index) -> bool:
    """``t[#t]``"""
    key = target.key
    return isinstance(key, Unary) and key.operator == "#" and same_expression(key.operand, target.base)


def are_alike(a: Node | Block, b: Node | Block, same: Callable[[Any, Any], bool]) -> bool:
    """Whether two nodes are of one class and say the same, where ``same`` compares the nodes in them."""
    said, inside, there = _SAID.get(type(a)), tree.children(a), tree.children(b)
    return (
        type(a) is type(b)
        and (said is None or getattr(a, said) == getattr(b, said))
        and all(len(getattr(a, part, ())) == len(getattr(b, part, ())) for part in _LISTS)
        and len(inside) == len(there)
        and all(map(same, inside, there))
    )


def same_expression(a: Expression, b: Expression) -> bool:
    """Whether two expressions are written alike (names, constants and indexing only)."""
    a, b = bare(a), bare(b)
    if isinstance(a, (Call, tree.Invoke, tree.Function, tree.Vararg)):
        return False
    return are_alike(a, b, same_expression)


def is_first_call(statement: Statement, call: Call) -> bool:
    """Whether a statement makes a call, in any case and before anything else that it calls."""
    if not isinstance(statement, (tree.Assignment, tree.Run, tree.Return)):
        return False
    for node in tree.direct_nodes(statement):
        if isinstance(node, (Call, tree.Invoke)) and node.span.end <= call.span.start:
            return False
        if isinstance(node, Binary) and node.operator in ("and", "or"):
            return False
    return True
