"""Lua that is looked for in a program, written as Lua: ``Template("return X:storage() == Y:storage()")``.

A name in capitals stands for any expression; where it comes again, what is there must be written alike.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.parse import parse
from torch7py.translate.tree import Block, Expression, Name, Node
from torch7py.translate.tree_queries import bare, same_expression

__all__ = ["Template"]

# What tells nodes of one class apart, besides the nodes in them.
_SAID: dict[type, str] = {
    **dict.fromkeys((tree.Boolean, tree.Number, tree.String), "value"),
    **dict.fromkeys((tree.Binary, tree.Unary), "operator"),
    **dict.fromkeys((tree.Invoke, tree.FunctionStatement), "method"),
    tree.Function: "vararg",
}
_LISTS = ("targets", "names", "parameters")  # whose lengths the nodes in them do not tell


class Template:
    """Statements; one that returns an expression is that expression."""

    def __init__(self, source: str) -> None:
        self._block = parse(source, "template.lua")

    def match(self, node: Block | Expression, **known: Expression) -> dict[str, Expression] | None:
        """What stands for the names, with those that are known; None where something else is written."""
        found = dict(known)
        wanted: Block | Expression = self._block
        if isinstance(node, Expression):
            last = self._block.statements[-1]
            assert isinstance(last, tree.Return)
            wanted = last.values[0]
        return found if _is_alike(wanted, node, found) else None


def _is_alike(wanted: Node | Block, node: Node | Block, found: dict[str, Expression]) -> bool:
    if isinstance(wanted, Expression) and isinstance(node, Expression):
        wanted, node = bare(wanted), bare(node)
        if isinstance(wanted, Name):
            if wanted.name.isupper():
                known = found.setdefault(wanted.name, node)
                return known is node or same_expression(known, node)
            return isinstance(node, Name) and wanted.name == node.name
    if type(wanted) is not type(node):
        return False
    said = _SAID.get(type(node))
    if said is not None and getattr(wanted, said) != getattr(node, said):
        return False
    if any(len(getattr(wanted, part, ())) != len(getattr(node, part, ())) for part in _LISTS):
        return False
    inside, there = tree.children(wanted), tree.children(node)
    return len(inside) == len(there) and all(
        _is_alike(one, other, found) for one, other in zip(inside, there, strict=True)
    )
