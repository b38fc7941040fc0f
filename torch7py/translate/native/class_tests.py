"""Questions whether a value is an object of a class of the program's own: ``torch.type(x) == 'C'`` and ``isTypeOf``."""

from __future__ import annotations

from torch7py.translate.facts import layers as facts
from torch7py.translate.kinds import ANY_LAYER
from torch7py.translate.native import code, library_rules, plain_calls
from torch7py.translate.native.code import Py, atom, quoted
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.tree import Binary, Call, Expression, String

__all__ = ["compared"]


def compared(t: Translation, node: Binary) -> Py | None:
    """``torch.type(x) == 'C'``"""
    if node.operator not in ("==", "~="):
        return None
    for call, name in ((node.left, node.right), (node.right, node.left)):
        asked = isinstance(call, Call) and t.path(call.callee) in ("torch.type", "torch.typename")
        if (
            not asked
            or not isinstance(call, Call)
            or len(call.arguments) != 1
            or not isinstance(name, String)
        ):
            continue
        named = _class(t, name, node.line)
        if named is not None:
            word = "is" if node.operator == "==" else "is not"
            return Py(f"type({t.value(call.arguments[0])}) {word} {named}", code.COMPARE)
    return None


@library_rules.function("torch.isTypeOf")
def is_type_of(t: Translation, node: Call) -> Py:
    value, name = node.arguments
    named = _class(t, name, node.line)
    if named is not None:
        return atom(f"isinstance({t.value(value)}, {named})")
    path = name.value if isinstance(name, String) else t.path(name)
    type_ = t.type(value).find()
    layers = {layer.name for layer in type_.layers}
    if path is not None and type_.kind in ("module", "criterion") and not t.plain_values:
        is_known = len(layers) == 1 and not type_.classes and not type_.nil and not type_.has(ANY_LAYER)
        if is_known and not t.types.calls_program(value):
            return atom(str(facts.derives(layers.pop(), path)))
        if not t.plain_modules:
            # What the program's own classes derive from, the library knows of objects alone.
            own = any(lua_class.instance.kind == "module" for lua_class in t.classes.names)
            is_known = type_.kind == "module" and not own and not facts.is_base(path)
            if not is_known or not t.apart or not t.plainly:
                refuse = t.of_each_module if is_known else Problem
                raise refuse("T7-308", node.line, "the class of a module that may be any")
            t.models.layer_names.need(of_classes=True)
    elif path is None or not t.plain_modules:
        raise Undecided("T7-308", node.line, "torch.isTypeOf of a class that is not the program's own")
    derived = () if facts.is_base(path) else facts.derived_from(path)
    args = [t.value(value).text, quoted(path), *map(quoted, derived)]
    return plain_calls.library_call(t, "is_type_of", args)


def _class(t: Translation, name: Expression, line: int) -> str | None:
    """What the class of a name is called in the page."""
    lua_class = t.types.classes.get(name.value) if isinstance(name, String) else None
    if lua_class is None or lua_class.by_metatable:
        return None
    return t.modules.class_name(lua_class, line).text
