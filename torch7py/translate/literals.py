"""``loadstring('return ' .. text)()``: options that are written as Lua's values, most of them tables.

What such a value is like is taken from the option's default. An option may be assigned its own value, read like this:
it is the value then, for the whole program.
"""

from __future__ import annotations

import re

from torch7py.translate import tree
from torch7py.translate.kinds import Type
from torch7py.translate.parse import LuaSyntaxError, parse
from torch7py.translate.templates import Template
from torch7py.translate.tree import Block, Expression, Index, String
from torch7py.translate.tree_queries import same_expression

__all__ = ["described", "options_read", "text_of"]

_RETURN = re.compile(r"\s*return\s*\Z")
_READING = [Template(f"return {load}(BEGIN .. TEXT)()") for load in ("load", "loadstring")]


def text_of(node: Expression) -> Expression | None:
    """The text of ``loadstring('return ' .. text)()``; None where it is something else."""
    for template in _READING:
        parts = template.match(node)
        begin = parts["BEGIN"] if parts is not None else None
        if parts is not None and isinstance(begin, String) and _RETURN.match(begin.value):
            return parts["TEXT"]
    return None


def options_read(program: Block) -> set[str]:
    """The names of fields that are assigned their own value, read as Lua's: ``opt.sizes``."""
    names = set()
    for node in tree.every(program, tree.Assign):
        if len(node.targets) != 1 or len(node.values) != 1:
            continue
        target, text = node.targets[0], text_of(node.values[0])
        if text is not None and isinstance(target, Index) and same_expression(target, text):
            names |= {target.key.value} if isinstance(target.key, String) else set()
    return names


def described(text: str, result: Type) -> bool:
    """Learn from the default what a value is like."""
    try:
        block = parse(f"return {text}")
    except LuaSyntaxError:
        return False
    only = block.statements[0] if len(block.statements) == 1 else None
    values = only.values if isinstance(only, tree.Return) else ()
    return len(values) == 1 and _learn(values[0], result)


def _learn(node: Expression, result: Type) -> bool:
    if isinstance(node, tree.Number) or (isinstance(node, tree.Unary) and node.operator == "-"):
        return result.be("number")
    if isinstance(node, String):
        return result.be("string")
    if isinstance(node, tree.Boolean):
        return result.be("boolean")
    if not isinstance(node, tree.Table):
        return False
    news = result.be("table")
    for item in node.fields:
        if item.key is None:
            news |= result.mark("array") | _learn(item.value, result.of_elements())
        elif item.named and isinstance(item.key, String):
            news |= result.mark("record") | _learn(item.value, result.of_field(item.key.value))
        else:
            news |= result.mark("dict") | _learn(item.key, result.of_keys())
            news |= _learn(item.value, result.of_elements())
    return news
