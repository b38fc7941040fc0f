"""Expressions and statements of a program that was just parsed, replaced by others in the tree itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from torch7py.translate import tree
from torch7py.translate.tree import Block, Expression, Statement

__all__ = ["replace_in"]


def replace_in(
    program: Block,
    new: Mapping[Expression, Expression],
    statements: Mapping[Statement, Statement] | None = None,
) -> None:
    """Put expressions and statements where others are; those within one another too."""
    others = statements or {}

    def changed(value: object) -> object:
        if isinstance(value, Expression):
            return new.get(value, value)
        if isinstance(value, Statement):
            return others.get(value, value)
        if isinstance(value, tuple) and type(value) is tuple:
            items = tuple(changed(item) for item in value)
            return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
        return value

    nodes = list(tree.walk(program))
    for node in (*nodes, *new.values()):
        for name in [f.name for f in fields(node) if f.init and f.name not in ("span", "around")]:
            value = getattr(node, name)
            other = changed(value)
            if other is not value:
                object.__setattr__(node, name, other)
    for node in nodes:
        for kept in ("below", "all_below", "by_class", "node_cache", "block_cache", "return_cache"):
            if hasattr(node, kept):
                object.__setattr__(node, kept, None)
