"""Calls that plain Python has no form for, on ``torch7py.lua_compat``, in a page that is native otherwise.

Only where nothing can differ between the two styles: functions of Lua's own libraries that depend on their arguments
alone, and give one value: arguments and value are numbers, strings or booleans. A statement with such a call counts as
faithful.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate.native.code import Py, atom
from torch7py.translate.tree import Call, Expression, Invoke, Vararg

if TYPE_CHECKING:
    from torch7py.translate.native.translator import Translator

__all__ = ["call"]

FUNCTIONS = frozenset(
    """string.char string.format string.len string.lower string.rep string.reverse string.sub string.upper math.ceil
    math.floor math.fmod math.ldexp math.max math.min math.pow tonumber tostring bit.arshift bit.band bit.bnot bit.bor
    bit.bswap bit.bxor bit.lshift bit.rol bit.ror bit.rshift bit.tobit bit.tohex""".split()
)
SCALARS = frozenset({"number", "string", "boolean"})


def call(t: Translator, node: Call | Invoke) -> Py | None:
    """The value of a call, or None where it must stay untranslated."""
    name, arguments = _function(t, node)
    if t.wide_text and name.startswith("string."):
        return None  # they count bytes, and the page's texts are made of letters
    if name not in FUNCTIONS or not all(_is_scalar(t, argument) for argument in arguments):
        return None
    written = ", ".join(t.value(argument).text for argument in arguments)
    t.mixed = True
    return atom(f"lua.G.{name}({written})")


def _function(t: Translator, node: Call | Invoke) -> tuple[str, tuple[Expression, ...]]:
    if isinstance(node, Invoke):
        if t.kind(node.receiver) != "string" or not node.method.isidentifier():
            return "", ()
        return f"string.{node.method}", (node.receiver, *node.arguments)
    return t.path(node.callee) or "", node.arguments


def _is_scalar(t: Translator, node: Expression) -> bool:
    """Whether this is one value, of a kind that both styles have in the same way."""
    if isinstance(node, Vararg) or t.kind(node) not in SCALARS:
        return False
    return not isinstance(node, (Call, Invoke)) or not t.calls.gives_two(node)
