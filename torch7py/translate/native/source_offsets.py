"""The places of a program that was just parsed, counted from another byte on."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.tree import Block, Field, Node, Span, Statement

__all__ = ["shift"]


def shift(program: Block, by: int) -> None:
    """Move all places in a tree, those of its comments too, by some bytes: as if it were parsed anew."""
    moved: set[Node] = set()  # a comment, or a node of what was written out, may stand in the tree twice

    def move(*nodes: Node | None) -> None:
        for node in nodes:
            if node is not None and node not in moved:
                moved.add(node)
                line, column, start, end = node.span
                object.__setattr__(node, "span", Span(line, column, start + by, end + by))

    for node in tree.walk(program):
        if isinstance(node, Block):
            move(node.opening, *node.closing)
            continue
        move(node)
        if isinstance(node, Statement):
            before, trailing, inside, _ = node.around
            move(trailing, *before, *inside)
        elif isinstance(node, Field):
            move(node.trailing, *node.before)
        elif isinstance(node, tree.Invoke):
            line, column, start, end = node.method_span
            object.__setattr__(node, "method_span", Span(line, column, start + by, end + by))
