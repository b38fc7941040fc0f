"""``_G.logger``: the global variable of that name, whatever variables of the file have it too."""

from __future__ import annotations

import keyword

from torch7py.translate import tree
from torch7py.translate.native.tree_replacement import replace_in
from torch7py.translate.tree import Block, Expression, Index, Name
from torch7py.translate.tree_queries import declared

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
    if "_G" in declared(program):
        return
    names: dict[Expression, Expression] = {}
    for node in fields:
        name = node.key_name or ""
        plain = name.isascii() and name.isidentifier() and name not in _WORDS and not keyword.iskeyword(name)
        if plain:
            names[node] = Name(node.span, name, of_globals=True)
    if names:
        replace_in(program, names)
