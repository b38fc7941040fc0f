"""Which functions that make parts of graphs are called outside the classes of graphs, so that they stay functions."""

from __future__ import annotations

from collections.abc import Callable, Collection

from torch7py.translate import tree
from torch7py.translate.tree import Block, Call, Invoke
from torch7py.translate.types import Types

__all__ = ["called_outside"]


def called_outside(
    program: Block,
    types: Types,
    is_part: Callable[[tree.Function], bool],
    in_class: Collection[tree.Node],
) -> set[tree.Function]:
    """The parts that are called by what is in no class of a graph, or by another such part.

    ``in_class``: the statements and functions that are written as classes.
    """
    functions: set[tree.Function] = set()
    waiting: list[tree.Node | Block] = [program]
    while waiting:
        node = waiting.pop()
        if node in in_class or (isinstance(node, tree.Function) and is_part(node) and node not in functions):
            continue
        if isinstance(node, (Call, Invoke)):
            for function in types.function_called(node):
                if is_part(function) and function not in functions:
                    functions.add(function)
                    waiting.append(function)
        waiting.extend(tree.children(node))
    return functions
