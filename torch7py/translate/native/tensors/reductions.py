"""Sums and other reductions, and comparisons."""

from __future__ import annotations

from collections.abc import Callable

from torch7py.translate import tree
from torch7py.translate.facts.methods import COMPARISONS
from torch7py.translate.kind_rules import SECOND
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Undecided
from torch7py.translate.native.tensors.rules import (
    Arguments,
    Rule,
    dimension,
    receiver_text,
    rule,
    rules,
)
from torch7py.translate.tree import Expression, Invoke, Name


def _is_reduced(node: Expression) -> bool:
    """Whether a value is a sum or the like along a dimension, which keeps the dimension with size 1."""
    while isinstance(node, (Invoke, tree.Paren)):
        if isinstance(node, tree.Paren):
            node = node.inner
            continue
        if node.method in ("sum", "mean", "prod", "std", "var", "max", "min", "norm") and node.arguments:
            return True
        node = node.receiver
    return False


def fitted(t: Translation, target: Expression, value: Expression, written: Py, part: Callable[[], str]) -> Py:
    """A tensor on its way into a part of another one of as many elements, in the shape of that part."""
    wanted, value_rank = t.type(target).rank, t.type(value).rank
    if t.kind(value) != "tensor" or (wanted is not None and wanted == value_rank):
        return written
    if t.plain_modules and None in (wanted, value_rank):
        raise Undecided("T7-271", value.line, "a tensor into a part of another one, of unknown sizes")
    if wanted is None:
        return written
    is_piece = isinstance(target, Invoke) and target.method in ("narrow", "sub")  # of what is laid end to end
    if wanted == 1 and (
        value_rank is not None or is_piece or _is_reduced(value) or t.type(value).has(SECOND)
    ):
        return atom(f"{written.at(code.ATOM)}.flatten()")
    return written if value_rank is None else atom(f"{written.at(code.ATOM)}.reshape({part()}.shape)")


def _reduction(name: str) -> Rule:
    def write(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
        base = receiver_text(t, receiver)
        flags = [argument for argument in arguments if t.kind(argument) == "boolean"]
        if any(not isinstance(flag, tree.Boolean) for flag in flags):
            raise Undecided("T7-271", receiver.line, f"{name} with a flag that is computed")
        dims = [f"{dimension(t, argument)}" for argument in arguments if argument not in flags]
        biased = ["correction=0"] if any(getattr(flag, "value", False) for flag in flags) else []
        return atom(f"{base}.{name}({', '.join([*dims, *biased, *(['keepdim=True'] if dims else [])])})")

    return write


for _lua in ("sum", "mean", "prod", "std", "var"):
    rules[_lua] = _reduction(_lua)


def _extreme(name: str) -> Rule:
    def write(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
        base = receiver_text(t, receiver)
        if not arguments:
            return atom(f"{base}.{name}()")
        return atom(f"{base}.a{name}({dimension(t, arguments[0])}, keepdim=True)")

    return write


rules["max"], rules["min"] = _extreme("max"), _extreme("min")


@rule("sort")
def sort(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    """The sorted values alone, or ``values:sort(places, x, dim)`` into two tensors of which the places are not read."""
    kinds = [t.kind(argument) for argument in arguments]
    if kinds[:2] == ["tensor", "tensor"]:
        places = arguments[0]
        if not isinstance(places, Name) or len(t.scopes.of_name[places].reads) > 1:
            raise Undecided("T7-271", places.line, "sort into tensors whose places are read")
        rest = sort(t, arguments[1], arguments[2:]).text.removesuffix(".values").rpartition(".sort(")[2]
        more = ", ".join([t.value(arguments[1]).text, *([rest[:-1]] if rest != ")" else [])])
        return atom(f"torch.sort({more}, out=({receiver_text(t, receiver)}, {t.value(places)}))")
    args = ["-1"]
    for argument in arguments:
        if isinstance(argument, tree.Boolean):
            args += ["descending=True"] if argument.value else []
        else:
            args[0] = dimension(t, argument)
    inside = "" if args == ["-1"] else ", ".join(args)
    return atom(f"{receiver_text(t, receiver)}.sort({inside}).values")


@rule("norm")
def norm(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
    base = receiver_text(t, receiver)
    if len(arguments) > 1:
        return atom(f"{base}.norm({t.value(arguments[0])}, {dimension(t, arguments[1])}, keepdim=True)")
    return atom(f"{base}.norm({', '.join(t.value(argument).text for argument in arguments)})")


def _distance(t: Translation, x: Expression, y: Expression, *norm: Expression) -> Py:
    p = "".join(f", {t.value(number)}" for number in norm)
    return atom(f"torch.dist({t.value(x)}, {t.expressions.beside(y, x)}{p})")


rules["dist"] = lambda t, r, a: _distance(t, r, *a)
rules["isSameSizeAs"] = lambda t, r, a: Py(
    f"{receiver_text(t, r)}.shape == {receiver_text(t, a[0])}.shape", code.COMPARE
)


def _over_dimension(name: str) -> Rule:
    return lambda t, r, a: atom(f"{receiver_text(t, r)}.{name}({dimension(t, a[0]) if a else 0})")


rules["cumsum"], rules["cumprod"] = _over_dimension("cumsum"), _over_dimension("cumprod")


def _comparison(name: str, operator: str) -> Rule:
    def write(t: Translation, receiver: Expression, arguments: Arguments) -> Py:
        left, right = t.value(receiver).at(code.ADD), t.expressions.beside(arguments[0], receiver, code.ADD)
        return Py(f"{left} {operator} {right}", code.COMPARE)

    return write


for _lua, _operator in COMPARISONS.items():
    rules[_lua] = _comparison(_lua, _operator)
