"""Lua's string library: methods and functions of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.native import code, matching, text
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.positive import is_positive
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.stdlib import functions
from torch7py.translate.tree import Call, Expression, Invoke, Number, String, same_expression

if TYPE_CHECKING:
    from torch7py.translate.native.translator import Translator

__all__ = ["string_method"]


def string_method(t: Translator, node: Invoke) -> Py:
    """``s:f(...)``"""
    if node.method == "format":
        receiver = node.receiver
        while isinstance(receiver, tree.Paren):
            receiver = receiver.inner
        return text.format(t, receiver, node.arguments)
    return _string(t, node.method, node.receiver, node.arguments, node.line)


def _string(
    t: Translator, method: str, subject: Expression, arguments: tuple[Expression, ...], line: int
) -> Py:
    if method in ("find", "match", "gsub"):
        return matching.value(t, method, subject, arguments, line)
    if t.wide_text and method in ("sub", "byte", "reverse"):
        raise Problem("T7-233", line, "places in text, in a program with letters beyond ASCII")
    text = t.value(subject).at(code.ATOM)
    if method in ("upper", "lower"):
        return atom(f"{text}.{method}()")
    if method == "len":
        return atom(f"len({text}{'.encode()' if t.wide_text else ''})")
    if method == "reverse":
        return atom(f"{text}[::-1]")
    if method == "rep" and len(arguments) == 2:
        return atom(
            f"{t.value(arguments[1]).at(code.ATOM)}.join([{t.value(subject)}] * {_count(t, arguments[0])})"
        )
    if method == "rep":
        return Py(f"{t.value(subject).at(code.MULTIPLY)} * {_count(t, arguments[0])}", code.MULTIPLY)
    if method == "byte" and len(arguments) <= 1:
        place = t.expressions.position(arguments[0]).text if arguments else "0"
        return atom(f"ord({text}[{place}])")
    if method == "sub":
        return _sub(t, text, arguments)
    if method == "split" and len(arguments) == 1 and isinstance(arguments[0], String):
        return atom(f"{text}.split({t.value(arguments[0])})")
    raise Problem("T7-233", line, f"the method {method} of a string")


def _count(t: Translator, node: Expression) -> str:
    return t.expressions.whole_number(node).at(code.NEGATE)


def _sub(t: Translator, text: str, arguments: tuple[Expression, ...]) -> Py:
    first, last = arguments[0], arguments[1] if len(arguments) > 1 else None
    if last is not None and _same(first, last) and not _negative(first) and is_positive(t, first):
        # One character, or none past the end.
        place = t.expressions.position(first)
        return atom(f"{text}[{place}]")
    start = "" if isinstance(first, Number) and first.value == 1 else str(_bound(t, text, first, True))
    end = "" if last is None or (_negative(last) == 1) else str(_bound(t, text, last, False))
    return atom(f"{text}[{start}:{end}]" if " " not in start + end else f"{text}[{start} : {end}]")


def _same(a: Expression, b: Expression) -> bool:
    return same_expression(a, b)


def _negative(node: Expression) -> int:
    if isinstance(node, tree.Unary) and node.operator == "-" and isinstance(node.operand, Number):
        return int(node.operand.value)
    return 0


def _bound(t: Translator, text: str, node: Expression, start: bool) -> Py:
    """A bound of sub, as one of a slice."""
    if isinstance(node, tree.Unary) and node.operator == "-":
        back = t.expressions.whole_number(node.operand)
        if start:
            return Py(f"-{back.at(code.NEGATE)}", code.NEGATE)
        if isinstance(node.operand, Number):
            return Py(f"-{int(node.operand.value) - 1}", code.NEGATE)
        return Py(f"len({text}) - {back.at(code.MULTIPLY)} + 1", code.ADD)
    if not start:
        return t.expressions.whole_number(node)
    if isinstance(node, Number) and node.value < 1:
        return atom("0")
    place = t.expressions.position(node)
    return place if is_positive(t, node) else atom(f"max({place}, 0)")


def _string_function(name: str) -> None:
    def rule(t: Translator, node: Call) -> Py:
        return _string(t, name, node.arguments[0], node.arguments[1:], node.line)

    functions[f"string.{name}"] = rule


for _name in "upper lower len reverse rep byte sub gsub find match".split():
    _string_function(_name)
