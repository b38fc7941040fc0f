"""Statements and tables by their form: what is assigned where, and what has which name.

``torch7py.translate.tree`` has the nodes themselves.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.tree import Block, Expression, Statement, String

__all__ = ["index_of", "only_value", "statements", "targets", "values"]

_STATEMENTS = set(Statement.__subclasses__())


def statements(node: tree.Node | Block) -> list[Statement]:
    """All statements in a node, those of functions in it too, in the order of the source."""
    return [n for n in tree.walk(node) if n.__class__ in _STATEMENTS]


def targets(statement: Statement) -> tuple[Expression, ...]:
    """What a statement assigns to: names, or elements of tables."""
    if isinstance(statement, tree.Local):
        return statement.names
    return statement.targets if isinstance(statement, tree.Assign) else ()


def values(statement: Statement) -> tuple[Expression, ...]:
    """What a statement assigns."""
    return statement.values if isinstance(statement, (tree.Local, tree.Assign)) else ()


def only_value(statement: Statement) -> Expression | None:
    """The one value that a statement assigns, or the call that it is."""
    if isinstance(statement, tree.Run):
        return statement.call
    found = values(statement)
    return found[0] if len(found) == 1 else None


def index_of(meta: tree.Table) -> Expression | None:
    """What ``{__index = X}`` has there."""
    for item in meta.fields:
        if isinstance(item.key, String) and item.key.value == "__index":
            return item.value
    return None
