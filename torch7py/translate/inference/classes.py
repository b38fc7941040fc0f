"""The classes that a program makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.kinds import LuaClass, Type
from torch7py.translate.library import is_criterion
from torch7py.translate.tree import Call, Expression, Name

if TYPE_CHECKING:
    from torch7py.translate.inference.statements import Inference

__all__ = ["Classes"]


class Classes:
    def __init__(self, inference: Inference) -> None:
        self.types = inference.types
        self.scopes = inference.scopes

    def named(self, node: Expression) -> LuaClass | None:
        if isinstance(node, Name):
            return self.types.class_of_variable.get(self.scopes.of_name[node])
        path = self.types.path(node)
        return self.types.classes.get(path) if path else None

    def statement(self, node: tree.Local) -> None:
        """``local C, parent = torch.class('nn.C', 'nn.Module')``"""
        if len(node.values) != 1 or not isinstance(node.values[0], Call):
            return
        call = node.values[0]
        if self.types.path(call.callee) not in ("torch.class", "class"):
            return
        names = [argument.value for argument in call.arguments if isinstance(argument, tree.String)]
        if not names:
            return
        made = LuaClass(names[0], names[1] if len(names) > 1 else None, Type("object"), statement=node)
        made.instance.find().lua_class = made
        parent = made.parent or ""
        if parent.startswith("nn.") and parent not in self.types.classes:
            made.instance.mark("criterion" if is_criterion(parent) else "module")
        elif parent in self.types.classes and self.types.classes[parent].instance.has("module"):
            made.instance.mark("module")
        self.types.classes[made.name] = made
        self.types.class_of_variable[self.scopes.of_name[node.names[0]]] = made
        if len(node.names) > 1:
            self.types.parent_of_variable[self.scopes.of_name[node.names[1]]] = made
