"""Which weights a module with passes of the program's own says that it has: in a page those of all modules in it."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.facts.methods import DRAWING
from torch7py.translate.kinds import all_parts
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.layer_fields import LayerFields
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Expression, Index, Invoke, Name, String

__all__ = ["refuse_other_weights"]


def refuse_other_weights(t: Translation, layer: LayerFields) -> None:
    """Refuse a class whose ``parameters`` leaves some out, or has none, where the program asks for them."""
    made = layer.made
    method = made.find("parameters")
    families = {id(each) for each in t.classes.family(made)}
    asked = [
        n
        for n in tree.every(t.program, Invoke)
        if n.method in ("getParameters", "parameters", "updateParameters")
        and any(id(c) in families for part in all_parts(t.type(n.receiver)) for c in part.classes)
    ]
    fields = _modules_set(layer)
    if method is None:
        if asked and fields and not made.derived:
            reason = f"the weights of self.{fields[0]}, which parameters() does not give"
            raise Problem("T7-243", made.statement.line, reason)
        return
    calls = [n for n in tree.every(method.body, Invoke) if n.method == "parameters"]
    given = [name for n in calls if (name := _field(n.receiver))]
    for name in fields:
        if name not in given:
            raise Problem("T7-243", method.line, f"parameters() that leaves out those of self.{name}")
    in_order = [name for name in fields if name in given] == list(dict.fromkeys(given))
    if in_order or not asked:
        return
    for node in tree.every(t.program, Invoke):
        if node.method in DRAWING and t.type(node.receiver).has("flat weights"):
            raise Problem("T7-243", node.line, "weights drawn at once, in another order than they were made")


def _field(node: Expression) -> str:
    """The name of a field of ``self``; empty for anything else."""
    if not (isinstance(node, Index) and isinstance(node.key, String) and isinstance(node.base, Name)):
        return ""
    return node.key.value if node.base.name == "self" else ""


def _modules_set(layer: LayerFields) -> list[str]:
    """The fields that a class or one of its parents gives a module, those of its constructors first."""
    found: dict[str, None] = {}
    chain = [layer.made]
    while chain[-1].base is not None:
        chain.append(chain[-1].base)
    methods = [f for made in reversed(chain) for f in made.methods.values()]
    starts = [f for made in reversed(chain) if (f := made.methods.get("__init")) is not None]
    for function in (*starts, *methods):
        for node in tree.every(function.body, tree.Assign):
            for target in node.targets:
                if (name := _field(target)) and layer.t.kind(target) == "module":
                    found[name] = None
    return [*found]
