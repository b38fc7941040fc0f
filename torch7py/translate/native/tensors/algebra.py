"""Products of matrices, and linear algebra."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.tensors.rules import (
    Arguments,
    Rule,
    changing,
    in_place,
    maker,
    receiver_text,
)
from torch7py.translate.tree import Call, Expression

if TYPE_CHECKING:
    from torch7py.translate.native.translator import Translator

__all__: list[str] = []

_PRODUCTS = {"mm": "mm", "mv": "mv", "bmm": "bmm", "ger": "outer"}


def _into(python: str) -> Rule:
    """``r:mm(a, b)``: the product, into r."""

    def write(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
        a, b = (t.value(argument) for argument in arguments[:2])
        return atom(f"torch.{python}({a}, {b}, out={t.value(receiver)})")

    return write


for _lua, _python in _PRODUCTS.items():
    in_place[_lua] = _into(_python)


def _scales(t: Translator, arguments: Arguments, line: int) -> tuple[str, list[str]]:
    """The tensors of ``[beta,] [src,] [alpha,] a, b`` and PyTorch's options for the numbers."""
    kinds = ["n" if t.kind(argument) == "number" else "t" for argument in arguments]
    texts = [str(t.value(argument)) for argument in arguments]
    tensors = [text for text, kind in zip(texts, kinds, strict=True) if kind == "t"]
    form = "".join(kinds)
    options = {
        "tt": [],
        "ntt": ["alpha"],
        "nntt": ["beta", "alpha"],
        "ttt": [],
        "nttt": ["beta"],
        "tntt": ["alpha"],
        "ntntt": ["beta", "alpha"],
    }.get(form)
    if options is None:
        raise Problem("T7-271", line, "a sum of products with these arguments")
    numbers = [text for text, kind in zip(texts, kinds, strict=True) if kind == "n"]
    return ", ".join([*tensors, *(f"{o}={n}" for o, n in zip(options, numbers, strict=True))]), tensors


def _sum_of_products(name: str) -> None:
    """``x:addmm([beta,] [src,] [alpha,] a, b)`` and ``torch.addmm([beta,] src, [alpha,] a, b)``."""

    def write(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
        given, tensors = _scales(t, arguments, receiver.line)
        if len(tensors) == 2:
            return atom(f"{receiver_text(t, receiver)}.{name}_({given})")
        return atom(f"torch.{name}({given}, out={t.value(receiver)})")

    def new(t: Translator, node: Call) -> Py:
        given, tensors = _scales(t, node.arguments, node.line)
        if len(tensors) != 3:
            raise Problem("T7-271", node.line, f"{name} with these arguments")
        return atom(f"torch.{name}({given})")

    in_place[name] = write
    maker(name)(new)


for _lua in ("addmm", "addmv", "addr", "addbmm", "baddbmm"):
    _sum_of_products(_lua)


@changing("renorm")
def renorm(t: Translator, receiver: Expression, arguments: Arguments) -> Py:
    p, dim, most = arguments
    position = t.expressions.position(dim)
    return atom(f"{receiver_text(t, receiver)}.renorm_({t.value(p)}, {position}, {t.value(most)})")


@maker("inverse")
def inverse(t: Translator, node: Call) -> Py:
    if len(node.arguments) != 1:
        raise Problem("T7-271", node.line, "inverse into a result")
    return atom(f"torch.linalg.inv({t.value(node.arguments[0])})")
