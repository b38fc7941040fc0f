"""Methods by which a layer of the program's own is put into training or evaluation: ``train`` in PyTorch.

What a program's ``training`` and ``evaluate`` do beyond their parent's, a container around the layer has done, too. In
PyTorch that calls ``train(mode)``. And in Torch7 ``nn.Module`` only marks the layer itself, while PyTorch goes on to
the layers inside: where one of these computes something else in training, the page's class leaves them alone.
"""

from __future__ import annotations

from collections.abc import Callable

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.kinds import LuaClass, Type, all_parts
from torch7py.translate.native.interfaces.classes import Classes
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem
from torch7py.translate.templates import Template
from torch7py.translate.tree import Call, Index, Invoke, Name

__all__ = ["MODES", "ModeMethods"]

MODES = {"training": "set_training", "evaluate": "set_evaluation"}  # and what a page calls the program's own
_MARKS = {
    mode: [Template(text) for text in (f"self.train = {value}", "return", "return self")]
    for mode, value in (("training", "true"), ("evaluate", "false"))
}


class ModeMethods:
    def __init__(
        self, t: Translation, classes: Classes, only_passes_down: Callable[[str, tree.Function], bool]
    ) -> None:
        self.classes, self.t = classes, t
        self.only_passes_down = only_passes_down

    def effective_methods(self, lua_class: LuaClass) -> set[str]:
        """The methods of a class that do more than to say what the mode is, or write over one that does."""
        before = self.effective_methods(lua_class.base) if lua_class.base is not None else set()
        here = {name: lua_class.methods[name] for name in MODES if name in lua_class.methods}
        return {
            n
            for n, f in here.items()
            if n in before or not (self._marks(n, f) or self.only_passes_down(n, f))
        }

    def _every(self, lua_class: LuaClass | None) -> set[str]:
        """Those of a class and its parents."""
        return set() if lua_class is None else self.effective_methods(lua_class) | self._every(lua_class.base)

    def write(self, lua_class: LuaClass) -> None:
        """``train`` of a class: with methods of its own, or where it leaves the layers inside alone."""
        t = self.t
        mode_methods, before = self._every(lua_class), self._every(lua_class.base)
        if mode_methods == before and (lua_class.base is not None or not self._keeps_others(lua_class)):
            return  # the parent's calls what is written over
        t.gap()
        t.emit("def train(self, mode=True):")
        with t.indented():
            if mode_methods:
                for name, word in (("training", "if mode:"), ("evaluate", "else:")):
                    t.emit(word)
                    t.emit(
                        f"    {f'self.{MODES[name]}()' if name in mode_methods else self._plain(lua_class, name)}"
                    )
            else:
                t.emit("self.training = mode  # that of the layers inside stays, as in Torch7")
            t.emit("return self")

    def _plain(self, lua_class: LuaClass, name: str) -> str:
        """What ``training`` or ``evaluate`` does that is not the program's own."""
        mode = name == "training"
        function = lua_class.find(name) if name not in self._every(lua_class) else None
        goes_on = function is not None and not self._marks(name, function)
        if goes_on or not facts.is_module(self._root(lua_class).parent):
            return f"super().train({mode})"
        return f"self.training = {mode}"

    def _marks(self, name: str, function: tree.Function) -> bool:
        """Whether a method says what the layer's mode is, and does no more: ``self.train = true``."""
        return all(
            any(template.match(statement) is not None for template in _MARKS[name])
            for statement in function.body.statements
        )

    def _root(self, lua_class: LuaClass) -> LuaClass:
        while lua_class.base is not None:
            lua_class = lua_class.base
        return lua_class

    def _keeps_others(self, lua_class: LuaClass) -> bool:
        """Whether Torch7's training() and evaluate() of a class would not reach layers inside that ask for the mode."""
        if not facts.is_module(self._root(lua_class).parent):
            return False
        methods = {name: function for name in MODES if (function := lua_class.find(name)) is not None}
        if any(not self._marks(name, function) for name, function in methods.items()):
            return False
        if not any(n.method in MODES for n in tree.every(self.t.program, Invoke)):
            return False
        fields = {name: field_type.find() for name, field_type in lua_class.instance.find().fields.items()}
        if "modules" in fields:
            return False
        inside = [part.of_elements() if part.kind == "table" else part for part in fields.values()]
        return any(part.kind == "module" and not self._is_alike(part.find()) for part in inside)

    def _is_alike(self, module: Type) -> bool:
        for part in all_parts(module):
            if not part.layers and not part.classes:
                return False
            if not all(facts.computes_alike(layer.name) for layer in part.layers):
                return False
            for lua_class in part.classes:
                asked = self.classes.fields_asked.get(lua_class, ())
                if any(n.key_name == "train" for n in asked):
                    return False
        return True

    def statement(self, node: tree.Statement) -> bool:
        """``parent.training(self)``, where the parent has no method of its own; whether it is that."""
        t = self.t
        call = node.call if isinstance(node, tree.Run) else None
        callee = call.callee if isinstance(call, Call) else None
        name = callee.key_name if isinstance(callee, Index) else None
        if not isinstance(callee, Index) or name not in MODES:
            return False
        owner = self.classes.owners.get(t.scope.function) if t.scope.function is not None else None
        assert isinstance(call, Call)
        if owner is None or owner.instance.kind != "module":
            return False
        named = isinstance(callee.base, Name) and t.scopes.of_name[callee.base] in t.types.parent_of_variable
        of_base = owner.base is not None and t.types.class_named(callee.base) is owner.base
        if not named and not of_base and t.path(callee.base) != owner.parent:
            return False
        if t.types.function_called(call) and name in self._every(owner.base):
            return False
        t.emit(self._plain(owner.base or owner, name))
        return True

    def called(self, node: Invoke, base: str) -> str:
        """A call of one of the methods."""
        if node.arguments:
            raise Problem("T7-243", node.line, f"{node.method} with arguments")
        return f"{base}.{'train' if node.method == 'training' else 'eval'}()"
