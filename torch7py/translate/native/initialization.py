"""All parameters of a module changed one after the other, as programs do to give them their first values.

The page's parameters are those of the original up to their order and form, so what treats all elements alike may be
done to each. Not so: the second bias of PyTorch's LSTM, which stays zero and does not count, and the row of zeros of
a lookup table with a mask, which the original sets back whenever it looks up, and the page after all are filled.
"""

from __future__ import annotations

import re

from torch7py.translate import tree
from torch7py.translate.native import code
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Invoke

__all__ = ["ALIKE", "clear_masked_rows", "counted", "fill", "fill_head", "filled_by", "refuse_masked_rows"]

# Methods that treat all elements alike, and PyTorch's.
ALIKE = {"uniform": "uniform_", "normal": "normal_", "zero": "zero_", "fill": "fill_", "mul": "mul_"}
_FROZEN = re.compile("LSTM|BiSequencer|SeqBRNN")
_MASKED = re.compile("LookupTableMaskZero")


def counted(t: Translation, parameters: str) -> str:
    """Of a page's parameters, those that the original has as well."""
    return f"[p for p in {parameters} if p.requires_grad]" if _named(t, _FROZEN) else parameters


def refuse_masked_rows(t: Translation, method: str, line: int) -> None:
    if _named(t, _MASKED):
        raise Problem("T7-227", line, f"{method} of all weights, a lookup table's row of zeros among them")


def clear_masked_rows(t: Translation, models: list[str]) -> None:
    """After all weights are filled, set the rows of zeros of lookup tables with a mask back."""
    if _named(t, _MASKED):
        for model in models:
            t.emit(f"{t.need('clear_padding')}({model})")


def filled_by(t: Translation, node: tree.GenericFor) -> list[str]:
    """The module of which a loop fills all parameters, with other numbers than zeros."""
    if len(node.names) != 2 or t.scopes.of_name[node.names[1]] not in t.training.vectors.filled:
        return []
    calls = [n.call for n in tree.walk(node.body) if isinstance(n, tree.Run) and isinstance(n.call, Invoke)]
    if not any(call.method in ALIKE and call.method not in ("zero", "mul") for call in calls):
        return []
    source = node.values[0]
    of = source.arguments[0] if isinstance(source, Call) else source
    return [t.value(of.receiver).text] if isinstance(of, Invoke) else []


def fill_head(t: Translation, node: tree.GenericFor) -> bool:
    """The line of ``for _, p in ipairs(model:parameters()) do p:uniform(-a, a) end``; whether it is such a loop."""
    source = node.values[0]
    if not (isinstance(source, Call) and t.path(source.callee) in ("ipairs", "pairs") and source.arguments):
        return False
    of = source.arguments[0]
    if not (isinstance(of, Invoke) and of.method == "parameters" and not of.arguments):
        return False
    if t.kind(of.receiver) != "module" or t.types.function_called(of):
        return False
    if len(node.names) != 2 or t.scopes.of_name[node.names[0]].reads:
        return False
    variable = t.scopes.of_name[node.names[1]]
    filled = {
        inner.call.receiver
        for inner in tree.walk(node.body)
        if isinstance(inner, tree.Run) and isinstance(inner.call, Invoke) and inner.call.method in ALIKE
    }
    if not set(variable.reads) <= filled or variable.writes or variable.captured:
        return False
    parameters = counted(t, f"{t.value(of.receiver).at(code.ATOM)}.parameters()")
    t.training.vectors.filled.add(variable)
    t.emit(f"for {t.names.of(node.names[1]) if variable.reads else '_'} in {parameters}:")
    return True


def fill(t: Translation, node: Invoke) -> None:
    """``p:uniform(-a, a)`` in such a loop."""
    args = ", ".join(t.value(argument).text for argument in node.arguments)
    t.emit(f"{t.value(node.receiver)}.data.{ALIKE[node.method]}({args})")


def _named(t: Translation, wanted: re.Pattern[str]) -> bool:
    """Whether the program names layers that a pattern finds."""
    return any(map(wanted.search, t.layer_names))
