"""Lua that is looked for in a program, written as Lua: ``Template("return X:storage() == Y:storage()")``.

A name in capitals stands for any expression; where it comes again, what is there must be written alike.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.parse import parse
from torch7py.translate.tree import Block, Expression, Name, Node, Statement
from torch7py.translate.tree_queries import are_alike, bare, same_expression

__all__ = ["Template"]


class Template:
    """Statements, or one of them; one that returns an expression is that expression."""

    def __init__(self, source: str) -> None:
        self._block = parse(source, "template.lua")

    def match(
        self, node: Block | Statement | Expression, **known: Expression
    ) -> dict[str, Expression] | None:
        """What stands for the names, with those that are known; None where something else is written."""
        found = dict(known)
        wanted: Node | Block = self._block if isinstance(node, Block) else self._block.statements[0]
        if isinstance(node, Expression):
            assert isinstance(wanted, tree.Return)
            wanted = wanted.values[0]
        return found if _is_alike(wanted, node, found) else None


def _is_alike(wanted: Node | Block, node: Node | Block, found: dict[str, Expression]) -> bool:
    if isinstance(wanted, Expression) and isinstance(node, Expression):
        wanted, node = bare(wanted), bare(node)
        if isinstance(wanted, Name) and wanted.name.isupper():
            known = found.setdefault(wanted.name, node)
            return known is node or same_expression(known, node)
    return are_alike(wanted, node, lambda one, other: _is_alike(one, other, found))
