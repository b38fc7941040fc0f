"""Methods of the objects of the pages' library, which have the names that Torch7 gives them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch7py.translate.inference.library_objects import METHODS
from torch7py.translate.native import code, plain_calls
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.library_rules import methods
from torch7py.translate.native.problem import Undecided
from torch7py.translate.tree import Invoke

__all__: list[str] = []


def _call(t: Translation, node: Invoke, most: int) -> Py:
    """``file:readInt()``: the method of that name. Arguments too many, which Lua drops, are an error in Python."""
    if len(node.arguments) > most:
        raise Undecided("T7-307", node.line, f"{node.method} with {len(node.arguments)} arguments")
    args = ", ".join(plain_calls.arguments(t, node.arguments))
    return atom(f"{t.value(node.receiver).at(code.ATOM)}.{node.method}({args})")


def _rule(most: int) -> Callable[[Translation, Invoke], Py]:
    return partial(_call, most=most)


for _kind, _methods in METHODS.items():
    for _name, _most in _methods.items():
        methods[_kind, _name] = _rule(_most)
