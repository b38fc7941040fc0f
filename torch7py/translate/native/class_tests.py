"""Questions whether a value is an object of a class of the program's own: ``torch.type(x) == 'C'`` and ``isTypeOf``."""

from __future__ import annotations

from torch7py.translate.native import code, library_rules
from torch7py.translate.native.code import Py, atom
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
    if named is None:
        raise (Undecided if t.plain_modules else Problem)(
            "T7-201", node.line, "torch.isTypeOf of a class that is not the program's own"
        )
    return atom(f"isinstance({t.value(value)}, {named})")


def _class(t: Translation, name: Expression, line: int) -> str | None:
    """What the class of a name is called in the page."""
    lua_class = t.types.classes.get(name.value) if isinstance(name, String) else None
    if lua_class is None or lua_class.by_metatable:
        return None
    return t.modules.class_name(lua_class, line).text
