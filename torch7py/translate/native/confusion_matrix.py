"""optim.ConfusionMatrix, as a small class in the page."""

from __future__ import annotations

from torch7py.translate.library import CONFUSION_FIELDS
from torch7py.translate.native import code, plain_calls
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.library_rules import function, method_statements
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Index, Invoke

__all__ = ["field"]

_METHODS = {
    "add": ("add", 2),
    "batchAdd": ("batch_add", 2),
    "zero": ("zero", 0),
    "updateValids": ("update_valids", 0),
}


@function("optim.ConfusionMatrix")
def confusion_matrix(t: Translation, node: Call) -> Py:
    if t.plain_values and len(node.arguments) == 1:
        t.helpers["ConfusionMatrix"] = None
        return atom(
            f"ConfusionMatrix({plain_calls.library_call(t, 'listed', [t.value(node.arguments[0]).text])})"
        )
    if len(node.arguments) != 1 or t.kind(node.arguments[0]) not in ("number", "table"):
        raise Problem(
            "T7-203", node.line, "a confusion matrix of something else than classes or their number"
        )
    t.helpers["ConfusionMatrix"] = None
    return atom(f"ConfusionMatrix({t.value(node.arguments[0])})")


def _method(t: Translation, node: Invoke) -> None:
    python, count = _METHODS[node.method]
    if len(node.arguments) != count:
        raise Problem("T7-203", node.line, f"{node.method} with {len(node.arguments)} arguments")
    args = ", ".join(t.value(argument).text for argument in node.arguments)
    t.emit(f"{t.value(node.receiver).at(code.ATOM)}.{python}({args})")


for _name in _METHODS:
    method_statements["confusion", _name] = _method


def field(t: Translation, node: Index) -> Py:
    if node.key_name not in CONFUSION_FIELDS:
        raise Problem("T7-203", node.line, "a field of a confusion matrix")
    return atom(f"{t.value(node.base).at(code.ATOM)}.{node.key_name}")
