"""Methods that give a tensor other elements, whatever it had before."""

from __future__ import annotations

from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.tensors.rules import Arguments, changing, receiver_text
from torch7py.translate.tree import Expression


@changing("copy")
def copy(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    return atom(f"{receiver_text(t, receiver)}.copy_({t.expressions.beside(arguments[0], receiver)})")


@changing("random")
def random(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    """Whole numbers from 1 or another one to the last, which PyTorch leaves out."""
    base = receiver_text(t, receiver)
    low = "1" if len(arguments) == 1 else t.value(arguments[0]).text
    return atom(f"{base}.random_({low}, {t.expressions.whole_number(arguments[-1], 1)})")
