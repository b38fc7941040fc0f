"""Which weights a module with passes of the program's own says that it has: in a page those of all modules in it."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.facts.methods import DRAWING
from torch7py.translate.kinds import all_parts
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.layer_fields import LayerFields
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Expression, Index, Invoke

__all__ = ["refuse_other_weights"]


def refuse_other_weights(t: Translation, layer: LayerFields) -> None:
    """Refuse a class whose ``parameters`` leaves some out, or has none, where the program asks for them."""
    lua_class = layer.lua_class
    method = lua_class.find("parameters")
    families = {id(cls) for cls in t.classes.family(lua_class)}
    asked = [
        n
        for n in tree.every(t.program, Invoke)
        if n.method in ("getParameters", "parameters", "updateParameters")
        and any(id(c) in families for part in all_parts(t.type(n.receiver)) for c in part.classes)
    ]
    fields = _modules_set(layer)
    if method is None:
        if asked and fields and not lua_class.derived:
            reason = f"the weights of self.{fields[0]}, which parameters() does not give"
            raise Problem("T7-243", lua_class.statement.line, reason)
        return
    calls = [n for n in tree.every(method.body, Invoke) if n.method == "parameters"]
    listed_names = [name for n in calls if (name := _field(n.receiver))]
    for name in fields:
        if name not in listed_names:
            raise Problem("T7-243", method.line, f"parameters() that leaves out those of self.{name}")
    in_order = [name for name in fields if name in listed_names] == list(dict.fromkeys(listed_names))
    if in_order or not asked:
        return
    for node in tree.every(t.program, Invoke):
        if node.method in DRAWING and t.type(node.receiver).has("flat weights"):
            raise Problem("T7-243", node.line, "weights drawn at once, in another order than they were made")


def _field(node: Expression) -> str:
    """The name of a field of ``self``; empty for anything else."""
    return (node.of_self or "") if isinstance(node, Index) else ""


def _modules_set(layer: LayerFields) -> list[str]:
    """The fields that a class or one of its parents gives a module, those of its constructors first."""
    field_names: dict[str, None] = {}
    chain = [layer.lua_class]
    while chain[-1].base is not None:
        chain.append(chain[-1].base)
    methods = [f for lua_class in reversed(chain) for f in lua_class.methods.values()]
    starts = [f for lua_class in reversed(chain) if (f := lua_class.methods.get("__init")) is not None]
    for function in (*starts, *methods):
        for node in tree.every(function.body, tree.Assign):
            for target in node.targets:
                if (name := _field(target)) and layer.t.kind(target) == "module":
                    field_names[name] = None
    return [*field_names]
