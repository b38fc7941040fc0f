"""``if itorch then``, ``size or 10``: what is asked of a global that nothing sets, which is nil.

That is a package that none of a program's files names, or a name of which the program only reads. The branch is left
out of the page. What is asked of GPUs stays (``cudnn``): a page asks PyTorch.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from torch7py.packages.registry import packages
from torch7py.translate import tree
from torch7py.translate.native.tree_replacement import replace_in
from torch7py.translate.scopes import resolve
from torch7py.translate.tree import Binary, Block, Call, Expression, If, Name, Statement
from torch7py.translate.usage import is_unset, loaded

__all__ = ["GPU_PACKAGES", "leave_out_branches"]

GPU_PACKAGES = ("cutorch", "cunn", "cudnn")


def leave_out_branches(files: Sequence[Block], own_files: Collection[Call]) -> None:
    """Leave out what all files of a program do if a global is set that none of them sets.

    ``own_files`` are the calls that run some of these files.
    """
    branches = [
        (block, node)
        for block in files
        for node in tree.every(block, If)
        if any(isinstance(condition, Name) for condition, _ in node.branches)
    ]
    choices = [
        (block, node)
        for block in files
        for node in tree.every(block, Binary)
        if node.operator == "or" and isinstance(node.left, Name)
    ]
    if not branches and not choices:
        return
    scopes = [resolve(block) for block in files]
    present = {v.name for s in scopes for v in s.globals.values() if v.writes}.union(*map(loaded, files))
    variables = {name: variable for s in scopes for name, variable in s.of_name.items()}
    unset: dict[str, bool] = {}  # what was asked before

    def is_nil(node: Expression) -> bool:
        if not isinstance(node, Name) or node.name in present or node.name in GPU_PACKAGES:
            return False
        if not variables[node].is_global:
            return False
        if node.name in packages and packages[node.name].makes_global:
            return True
        if node.name not in unset:
            unset[node.name] = all(is_unset(block, node.name, own_files) for block in files)
        return unset[node.name]

    for block, node in branches:
        kept = tuple(branch for branch in node.branches if not is_nil(branch[0]))
        if len(kept) < len(node.branches):
            otherwise = node.otherwise or Block((), None, ())
            rest: Statement = (
                If(node.span, node.around, kept, node.otherwise)
                if kept
                else tree.Do(node.span, node.around, otherwise)
            )
            replace_in(block, {}, {node: rest})
    for block, choice in choices:
        if is_nil(choice.left):
            replace_in(block, {choice: choice.right})
