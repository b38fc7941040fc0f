"""Views whose sizes the program sets as it goes: ``view:resetSize(n * t, -1)``."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.native import code
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.models.entries import entry_type
from torch7py.translate.tree import Call, Invoke

__all__ = ["resize", "resized"]


def resized(t: Translation) -> set[Call]:
    """The constructions of layers whose sizes are set later."""
    receivers = [node.receiver for node in tree.every(t.program, Invoke) if node.method == "resetSize"]
    types = [entry_type(t, node) or t.type(node).find() for node in receivers]
    return {
        layer.call for type_ in types for layer in type_.layers if facts.has_method(layer.name, "resetSize")
    }


def resize(t: Translation, node: Invoke) -> bool:
    """Write ``view:resetSize(n, -1)``, of what is surely a view; whether it is that."""
    type_ = entry_type(t, node.receiver) or t.type(node.receiver).find()
    are_views = type_.layers and all(facts.has_method(layer.name, "resetSize") for layer in type_.layers)
    if type_.classes or not are_views or not node.arguments:
        return False
    base, args = t.value(node.receiver).at(code.ATOM), node.arguments
    if len(args) == 1 and t.kind(args[0]) == "storage":
        t.emit(f"{base}.sizes = tuple({t.value(args[0])})")
    else:
        sizes = [str(t.expressions.whole_number(size)) for size in args]
        t.emit(f"{base}.sizes = ({', '.join(sizes)}{',' if len(sizes) == 1 else ''})")
    return True
