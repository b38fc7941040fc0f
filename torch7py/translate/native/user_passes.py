"""Modules with a ``forward`` and a ``backward`` of the program's own, in the place of ``updateOutput`` and its halves.

Such a class takes what it likes (a tree, a batch, a flag) and goes through the modules inside by itself, there and
back, mostly over lists of copies. In a page it is a torch.nn.Module with these methods as they are: nothing but the
program calls them, so that their gradients are those that the program computes, never those of autograd.

Which call of which copy a gradient belongs to is not told from the program's text. So in these classes every module
keeps the graph of its last call (``run_alone``), and is gone back through with that alone (``go_back_through``), as in
Torch7. An input that is not that of the last call is an error when the page runs, and so is an output that was changed
since: autograd sees it. Copies that share weights are modules of their own (``shared_copy``), with the same parameters.
"""

from __future__ import annotations

from functools import cached_property

from torch7py.translate import tree
from torch7py.translate.facts.layers import BACKWARD, FORWARD
from torch7py.translate.kinds import LuaClass
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.sharing import refuse_half
from torch7py.translate.tree import Call, Expression, Index, Invoke

__all__ = ["UserPasses", "has_user_passes", "is_user_pass"]

_PASSES = {"forward", *BACKWARD}


def has_user_passes(lua_class: LuaClass) -> bool:
    """Whether objects of a class are modules whose ``forward`` is the program's, not one that calls updateOutput."""
    is_module = lua_class.instance.kind == "module"
    return is_module and lua_class.find("forward") is not None and lua_class.find("updateOutput") is None


def is_user_pass(t: Translation, node: tree.Node | tree.Block) -> bool:
    """Whether a call is one of a pass that the program writes itself."""
    if isinstance(node, Invoke):
        if node.method not in _PASSES:
            return False
        receiver: Expression = node.receiver
    elif isinstance(node, Call):
        receiver = node.callee
    else:
        return False
    return t.kind(receiver) == "module" and any(map(has_user_passes, t.type(receiver).find().classes))


class UserPasses:
    """What the methods of such classes do with the modules inside."""

    def __init__(self, translator: Translation) -> None:
        self.t = translator

    @cached_property
    def _inside(self) -> set[tree.Node | tree.Block]:
        """The nodes in methods of classes that go back through modules by hand."""
        t = self.t
        nodes: set[tree.Node | tree.Block] = set()
        for lua_class in t.classes.all:
            if not has_user_passes(lua_class):
                continue
            methods = [f for member in t.classes.family(lua_class) for f in member.methods.values()]
            calls = [node for function in methods for node in tree.every(function.body, Invoke)]
            if any(n.method in BACKWARD and self._is_module(n.receiver) for n in calls):
                nodes |= {
                    node for function in lua_class.methods.values() for node in tree.walk(function.body)
                }
        return nodes

    def _is_module(self, node: Expression) -> bool:
        module_type = self.t.type(node).find()
        return self.t.kind(node) == "module" and not any(map(has_user_passes, module_type.classes))

    def is_inside(self, function: tree.Function | None) -> bool:
        """Whether a function is a method of such a class, or in one."""
        return function is not None and function.body in self._inside

    def goes_back(self, node: Invoke) -> bool:
        """Whether a call goes back through a module inside, by its own last call."""
        return node.method in BACKWARD and node in self._inside and self._is_module(node.receiver)

    def is_backward(self, node: tree.Node | tree.Block) -> bool:
        if not (isinstance(node, Invoke) and node.method in BACKWARD) or self.t.plain_passes:
            return False
        kind = self.t.kind(node.receiver)
        if kind not in ("module", "criterion") or is_user_pass(self.t, node):
            return False
        return not self.goes_back(node)

    def value(self, node: Call | Invoke) -> Py | None:
        t = self.t
        if not isinstance(node, Invoke) or not self._is_module(node.receiver):
            return None
        if node not in self._inside:
            return None
        if t.types.function_called(node):
            return None
        base = t.value(node.receiver).at(code.ATOM)
        if node.method in FORWARD:
            return atom(f"{self._helper('run_alone')}({base}, {self._inputs(node, base)})")
        if node.method in BACKWARD:
            if node.method == "accGradParameters" or len(node.arguments) != 2:
                raise Problem("T7-226", node.line, f"{node.method} by hand, with these arguments")
            arguments = f"{base}, {t.value(node.arguments[1])}, {self._inputs(node, base)}"
            arguments += ", weights=False" if node.method == "updateGradInput" else ""
            return atom(f"{self._helper('go_back_through')}({arguments})")
        if node.method == "clone" and node.arguments and node in self._inside:
            refuse_half(t, node, node.arguments)
            t.imports.add("copy")
            return atom(f"{self._helper('shared_copy')}({base})")
        return None

    def _helper(self, name: str) -> str:
        if name != "shared_copy":
            self.t.need("each_tensor")
        for needed in {"go_back_through": ["tensors_in"], "run_alone": ["LastCall"]}.get(name, ()):
            self.t.need(needed)
        return self.t.need(name)

    def _inputs(self, node: Invoke, base: str) -> str:
        """What a module is given, as arguments."""
        text = self.t.models.inputs.forward(node.receiver, node.arguments[:1], node.line).text
        if not text.startswith(f"{base}(") or not text.endswith(")"):
            raise Problem("T7-226", node.line, "a module by hand that is called otherwise")
        return text[len(base) + 1 : -1]

    def field(self, node: Index) -> Py | None:
        if node.key_name != "output":
            return None
        if node not in self._inside:
            return None
        if not self._is_module(node.base) or self.t.type(node.base).find().classes:
            return None
        return atom(f"{self.t.value(node.base).at(code.ATOM)}.output")
