"""Layers of the program's own that take or give tables, by how their methods use what they are given.

A layer in a container is called by no line of the program, so that its text is all there is to go by.
"""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.inference.state import Inference
from torch7py.translate.kinds import LuaClass, Type
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Number

__all__ = ["learn_tables"]

_HALVES = ("updateGradInput", "accGradParameters", "backward")
_OVER_ITEMS = ("unpack", "table.unpack", "ipairs", "pairs")


def learn_tables(inference: Inference, lua_class: LuaClass) -> None:
    """Give the inputs, outputs and gradients of a layer their kinds, where they are tables."""
    forward = lua_class.methods.get("updateOutput")
    if (
        lua_class.instance.kind not in ("module", "criterion")
        or forward is None
        or len(forward.parameters) < 2
    ):
        return
    methods = [lua_class.methods[name] for name in ("updateOutput", *_HALVES) if name in lua_class.methods]
    gradients = any(_makes(function, "gradInput") for function in lua_class.methods.values())
    takes = any(_is_table(inference, f, f.parameters[1], gradients) for f in methods if len(f.parameters) > 1)
    gives = lua_class.instance.kind == "module" and (
        _makes(forward, "output") or (takes and _hands_on(forward, forward.parameters[1]))
    )
    if takes:
        for function in methods:
            for parameter in function.parameters[1:2]:
                _be_tensors(inference.name_type(parameter))
    alone = _single_tensor_assignments(lua_class)
    if gradients and alone:  # a table for a table, and a tensor for a tensor
        inference.apart |= alone
        inference.either |= {lua_class.methods[name] for name in _HALVES if name in lua_class.methods}
    elif gradients:
        _be_tensors(lua_class.instance.of_field("gradInput"))
    if gives:
        _be_tensors(lua_class.instance.of_field("output"))
        for name in _HALVES:
            for parameter in lua_class.methods[name].parameters[2:3] if name in lua_class.methods else ():
                _be_tensors(inference.name_type(parameter))


def _single_tensor_assignments(lua_class: LuaClass) -> set[tree.Assign]:
    """The statements that make a layer's gradient one tensor, where others make it a table of those that are wanted."""
    tables, others = 0, set()
    for name in _HALVES:
        function = lua_class.methods.get(name)
        for node in tree.every(function.body, tree.Assign) if function is not None else ():
            if len(node.targets) == len(node.values) == 1 and _is_self_field(node.targets[0], "gradInput"):
                if isinstance(node.values[0], tree.Table):
                    tables += bool(node.values[0].fields)
                else:
                    others.add(node)
    return others if tables else set()


def _be_tensors(type_: Type) -> None:
    type_.be_list()
    type_.of_elements().be("tensor")


def _is_self_field(node: Expression, name: str) -> bool:
    """``self.name``"""
    return isinstance(node, Index) and node.of_self == name


def _makes(function: tree.Function, name: str) -> bool:
    """Whether a method gives a field a table, or stores into one of its entries."""
    for node in tree.walk(function.body):
        if not isinstance(node, tree.Assign):
            continue
        for target, value in zip(node.targets, node.values, strict=False):
            if _is_self_field(target, name) and isinstance(value, tree.Table):
                return True
            has_fallback = isinstance(value, tree.Binary) and value.operator == "or"
            if isinstance(target, Index) and _is_self_field(target.base, name) and has_fallback:
                return True  # self.gradInput[1] = self.gradInput[1] or input[1].new()
    return False


def _is_table(inference: Inference, function: tree.Function, parameter: Name, gradients: bool) -> bool:
    """Whether what a method is given is a table: it is unpacked, or its entries go their own ways."""
    of_name = inference.scopes.of_name
    variable = of_name[parameter]
    places: set[float] = set()
    for node in tree.walk(function.body):
        if isinstance(node, Call) and inference.types.path(node.callee) in _OVER_ITEMS and node.arguments:
            first = node.arguments[0]
            if isinstance(first, Name) and of_name[first] is variable:
                return True
        if (
            isinstance(node, Invoke)
            and isinstance(node.receiver, Name)
            and of_name[node.receiver] is variable
        ):
            return False
        if isinstance(node, Index) and isinstance(node.base, Name) and of_name[node.base] is variable:
            if isinstance(node.key, Number):
                places.add(node.key.value)
            elif isinstance(node.key, tree.Table):
                return False
            elif gradients and isinstance(node.key, Name):
                return True
    return bool(places) and (gradients or places >= {1, 2})


def _hands_on(function: tree.Function, parameter: Name) -> bool:
    """``self.output = input``"""
    return any(
        isinstance(node, tree.Assign)
        and _is_self_field(node.targets[0], "output")
        and isinstance(node.values[0], Name)
        and node.values[0].name == parameter.name
        for node in tree.walk(function.body)
    )
