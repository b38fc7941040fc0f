"""The mode of layers that a program writes itself, before ``training()`` or ``evaluate()`` have set it.

In Torch7 ``self.train`` is nil until then, unless the constructor sets it; in PyTorch ``self.training`` is True. So a
layer that asks whether it is true begins in the page with False. What does more with it sees that this is not nil.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.kinds import LuaClass
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Binary, Call, Index

__all__ = ["first_mode"]


def first_mode(t: Translation, lua_class: LuaClass) -> list[str]:
    """Lines for the constructor of a class of layers: its mode at the beginning."""
    if lua_class.instance.kind != "module" or lua_class.base is not None:
        return []
    family = t.classes.family(lua_class)
    if any(
        (member.parent is not None and facts.begins_training(member.parent)) or "train" in member.values
        for member in family
    ):
        return []
    if "train" in t.classes.fields.definite(lua_class):
        return []
    targets = {target for statement in tree.every(t.program, tree.Assign) for target in statement.targets}
    reads = {
        node
        for member in family
        for node in t.classes.fields_asked.get(member, ())
        if node.key_name == "train" and node not in targets
    }
    if not reads:
        return []
    others = sorted((node for node in reads if not _is_tested(t, node)), key=lambda node: node.span.start)
    if others and not t.plain_modules:  # where modules are objects, None is told from False
        reason = f"self.train of {lua_class.name} before training() or evaluate() set it"
        raise Problem("T7-243", others[0].line, reason)
    return [f"self.training = {None if others else False}  # until train() is called, as in Torch7"]


def _is_tested(t: Translation, node: Index) -> bool:
    """Whether a place only asks whether the mode is true."""
    at: tree.Node = node
    while True:
        statement = t.surroundings.home[node]
        inside = [
            n for n in tree.direct_nodes(statement) if isinstance(n, tree.Node) and at in tree.children(n)
        ]
        around = inside[-1] if inside else statement
        is_last = isinstance(around, Binary) and around.operator in ("and", "or") and around.right is at
        if not is_last and not isinstance(around, tree.Paren):
            break
        at = around
    if isinstance(around, Binary):
        other = around.right if around.left is at else around.left
        compared = around.operator in ("==", "~=") and isinstance(other, tree.Boolean) and other.value
        return compared or around.operator in ("and", "or")
    if isinstance(around, tree.Unary):
        return around.operator == "not"
    if isinstance(around, Call):
        return t.path(around.callee) == "assert"
    return isinstance(around, (tree.If, tree.While, tree.Repeat))
