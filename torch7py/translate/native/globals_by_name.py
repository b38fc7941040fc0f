"""``_G.logger``: the global variable of that name, where no variable of the file hides it."""

from __future__ import annotations

import keyword

from torch7py.translate import tree
from torch7py.translate.native.tree_replacement import replace_in
from torch7py.translate.tree import Block, Expression, Index, Name, String

__all__ = ["read_globals"]

# Names that are no variables in Lua.
_WORDS = set(
    "and break do else elseif end false for function goto if in local nil not or repeat return then true until"
    " while".split()
)


def read_globals(program: Block) -> None:
    """Put names in the place of such fields of a program that was just parsed."""
    fields = [n for n in tree.every(program, Index) if isinstance(n.base, Name) and n.base.name == "_G"]
    if not fields:
        return
    local_names = _declared(program)
    if "_G" in local_names:
        return
    names: dict[Expression, Expression] = {}
    for node in fields:
        name = node.key.value if isinstance(node.key, String) else ""
        plain = name.isascii() and name.isidentifier() and name not in _WORDS and not keyword.iskeyword(name)
        if plain and name not in local_names:
            names[node] = Name(node.span, name)
    if names:
        replace_in(program, names)


def _declared(program: Block) -> set[str]:
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
