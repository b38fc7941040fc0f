"""``if itorch then``: a program that asks for a package which none of its files names does not have it.

The branch is left out of the page. What is asked of graphics cards stays (``cudnn``): a page asks PyTorch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch7py.packages.registry import packages
from torch7py.translate import tree
from torch7py.translate.native.tree_replacement import replace_in
from torch7py.translate.tree import Block, If, Name, Statement
from torch7py.translate.tree_queries import declared
from torch7py.translate.usage import loaded

__all__ = ["CARDS", "leave_out_branches"]

CARDS = ("cutorch", "cunn", "cudnn")


def leave_out_branches(files: Sequence[Block]) -> None:
    """Leave out the branches of all files of a program that are for packages which it does not have."""
    choices = [
        (block, node)
        for block in files
        for node in tree.every(block, If)
        if any(isinstance(condition, Name) for condition, _ in node.branches)
    ]
    if not choices:
        return
    present = _assigned(files).union(*map(loaded, files))
    for block, node in choices:
        kept = tuple(branch for branch in node.branches if not _is_absent(branch[0], present))
        if len(kept) < len(node.branches):
            otherwise = node.otherwise or Block((), None, ())
            rest: Statement = (
                If(node.span, node.around, kept, node.otherwise)
                if kept
                else tree.Do(node.span, node.around, otherwise)
            )
            replace_in(block, {}, {node: rest})


def _is_absent(condition: tree.Expression, present: set[str]) -> bool:
    """Whether a condition is a package's name that is nil."""
    if not isinstance(condition, Name) or condition.name in present or condition.name in CARDS:
        return False
    return condition.name in packages and packages[condition.name].makes_global


def _assigned(files: Iterable[Block]) -> set[str]:
    """The names to which a program gives a value anywhere."""
    names: set[str] = set()
    for block in files:
        names |= declared(block)
        targets = [target for node in tree.every(block, tree.Assign) for target in node.targets]
        targets += [node.target for node in tree.every(block, tree.FunctionStatement)]
        names |= {target.name for target in targets if isinstance(target, Name)}
    return names
