"""Where a page keeps the weight and the bias of a layer: in PyTorch's module, or in the class that stands for it."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.facts.methods import CHANGING_ELEMENTS, DRAWING
from torch7py.translate.kinds import ANY_LAYER, Type
from torch7py.translate.layers import Layer, Native, NotNative, natives
from torch7py.translate.layers.as_modules import REORDERED, TURNED
from torch7py.translate.layers.helpers import DERIVED
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Expression, Index, Invoke, Number

__all__ = ["entry", "entry_type", "is_module"]

_asked: set[Call] = set()  # constructions that are being looked at


def is_module(native: Native) -> bool:
    """Whether the native form of a layer is a module of PyTorch's that is called with the input alone.

    So is a helper that derives from it.
    """
    if not native.make or native.call != "{self}({x})":
        return False
    constructor = native.make.partition("(")[0]
    derived = native.helpers == (constructor,) and constructor in DERIVED
    return not (native.setup or native.unpack or (native.helpers and not derived))


def entry(t: Translation, node: Index, name: str) -> str:
    """What follows a layer that the program names, for its ``weight`` or ``bias``: ``lookup.weight``."""
    layer = _only_layer(t, node)
    if layer is None or layer.slots or layer.name not in natives:
        return name
    try:
        native = natives[layer.name](layer.args)
    except NotNative:
        return name
    if layer.name in REORDERED and name == "weight" and not _is_changed_alike(t, node):
        raise Problem("T7-225", node.line, f"the {name} of {layer.name}, which a page keeps in another form")
    if is_module(native) or layer.name in TURNED:
        return name
    for kept, take in native.weights.items():
        if take == name:
            return f"{native.name}.{kept}" if kept else native.name
    if name in native.weights and _is_changed_alike(t, node, CHANGING_ELEMENTS - DRAWING):
        return f"{native.name}.{name}"
    raise Problem("T7-225", node.line, f"the {name} of {layer.name}, which a page keeps in another form")


def _is_changed_alike(t: Translation, node: Expression, methods: frozenset[str] = CHANGING_ELEMENTS) -> bool:
    """Whether a statement does the same to all elements, wherever they lie: ``layer.weight:fill(1):mul(0.1)``."""
    for run in tree.every(t.program, tree.Run):
        inner: Expression = run.call
        while isinstance(inner, Invoke) and inner.method in methods:
            if any(t.kind(argument) != "number" for argument in inner.arguments):
                break
            inner = inner.receiver
        if inner is node:
            return True
    return False


def _only_layer(t: Translation, node: Index) -> Layer | None:
    """The layer whose field it is, where it is one of Torch7's that the program makes in one place, or in like ones."""
    base_type = entry_type(t, node.base) or t.type(node.base).find()
    if base_type.classes or base_type.has(ANY_LAYER) or len({layer.name for layer in base_type.layers}) != 1:
        return None
    module_expr = base_type.layers[0]
    if module_expr.children or module_expr.call in _asked:  # it is made of sizes of another one of its kind
        return None
    _asked.add(module_expr.call)
    try:
        return t.models.constructions.layer(module_expr.call)
    except Problem:
        return None
    finally:
        _asked.discard(module_expr.call)


def entry_type(t: Translation, node: Expression) -> Type | None:
    """What is in a container at a place: ``net:get(1)``, ``net.modules[1]``. None where layers are moved about."""
    if isinstance(node, Invoke) and node.method == "get" and len(node.arguments) == 1:
        container, index = node.receiver, node.arguments[0]
    elif isinstance(node, Index) and isinstance(node.base, Index) and _is_modules(node.base):
        container, index = node.base.base, node.key
    else:
        return None
    layers = t.type(container).find().layers
    if not isinstance(index, Number) or len(layers) != 1 or _moves_layers(t):
        return None
    children = layers[0].children
    return children[int(index.value) - 1].find() if 0 < index.value <= len(children) else None


def _is_modules(node: Index) -> bool:
    return node.key_name == "modules"


def _moves_layers(t: Translation) -> bool:
    called = {call.method for call in tree.every(t.program, Invoke)}
    if called & {"insert", "remove", "replace"}:
        return True
    return any(
        isinstance(target, Index) and isinstance(target.base, Index) and _is_modules(target.base)
        for statement in tree.every(t.program, tree.Assign)
        for target in statement.targets
    )
