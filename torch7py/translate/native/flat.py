"""Flat vectors whose elements the program changes: the parameters become views of them, as in Torch7.

Where a program only uses the vectors whole (to clear, to scale, to hand them to optim), they are not needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.native.gradients import base_name
from torch7py.translate.tree import Expression, Index, Invoke, Name, Statement

if TYPE_CHECKING:
    from torch7py.translate.native.translator import Translator

__all__ = ["HELPER", "changed_in_part", "write"]

HELPER = "flatten_parameters"
_PARTS = {"narrow", "select", "sub", "view", "index"}


def changed_in_part(t: Translator, names: tuple[Expression, ...]) -> bool:
    """Whether the program stores into elements of one of these vectors, or changes a part of it."""
    variables = {t.scopes.of_name[name] for name in names if isinstance(name, Name)}

    def is_one(node: Expression) -> bool:
        name = base_name(node)
        return name is not None and t.scopes.of_name[name] in variables

    for node in tree.walk(t.program):
        if isinstance(node, tree.Assign) and any(isinstance(x, Index) and is_one(x) for x in node.targets):
            return True
        if isinstance(node, Invoke):
            inner = node.receiver
            if isinstance(inner, Index) and is_one(inner):
                return True
            if isinstance(inner, Invoke) and inner.method in _PARTS and is_one(inner.receiver):
                return True
    return False


def write(t: Translator, node: Statement, module: Expression) -> None:
    """``weights, gradients = flatten_parameters(model)``"""
    assert isinstance(node, (tree.Local, tree.Assign))
    targets = node.names if isinstance(node, tree.Local) else node.targets
    t.models.helpers[HELPER] = None
    names = [t.target(target) for target in targets]
    names += ["_"] * (2 - len(names))
    t.emit(f"{', '.join(names)} = {HELPER}({t.training.vectors.counted(module)})")
