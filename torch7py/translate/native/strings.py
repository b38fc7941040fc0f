"""Lua's string library: methods and functions of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch7py.translate import tree
from torch7py.translate.native import code, text
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.patterns import as_regex, is_plain
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
    text = t.value(subject).at(code.ATOM)
    if method in ("upper", "lower"):
        return atom(f"{text}.{method}()")
    if method == "len":
        return atom(f"len({text})")
    if method == "reverse":
        return atom(f"{text}[::-1]")
    if method == "rep":
        return Py(
            f"{t.value(subject).at(code.MULTIPLY)} * {t.value(arguments[0]).at(code.NEGATE)}", code.MULTIPLY
        )
    if method == "byte" and len(arguments) <= 1:
        place = t.expressions.position(arguments[0]).text if arguments else "0"
        return atom(f"ord({text}[{place}])")
    if method == "sub":
        return _sub(t, text, arguments)
    if method == "gsub" and len(arguments) == 2 and isinstance(arguments[1], String):
        return _gsub(t, text, arguments[0], arguments[1], line)
    if method == "find" and arguments:
        return _find(t, text, arguments, line)
    if method == "match" and len(arguments) == 1:
        raise Problem("T7-233", line, "string.match as a value")
    if method == "split" and len(arguments) == 1 and isinstance(arguments[0], String):
        return atom(f"{text}.split({t.value(arguments[0])})")
    raise Problem("T7-233", line, f"the method {method} of a string")


def _sub(t: Translator, text: str, arguments: tuple[Expression, ...]) -> Py:
    first, last = arguments[0], arguments[1] if len(arguments) > 1 else None
    if last is not None and _same(first, last) and not _negative(first):
        # One character, or none past the end.
        place = t.expressions.position(first)
        return atom(f"{text}[{place}]")
    start = "" if isinstance(first, Number) and first.value == 1 else str(_bound(t, first, True))
    end = "" if last is None or (_negative(last) == 1) else str(_bound(t, last, False))
    return atom(f"{text}[{start}:{end}]" if " " not in start + end else f"{text}[{start} : {end}]")


def _same(a: Expression, b: Expression) -> bool:
    return same_expression(a, b)


def _negative(node: Expression) -> int:
    if isinstance(node, tree.Unary) and node.operator == "-" and isinstance(node.operand, Number):
        return int(node.operand.value)
    return 0


def _bound(t: Translator, node: Expression, start: bool) -> Py:
    back = _negative(node)
    if back:
        return atom(f"-{back}") if start else atom(f"-{back - 1}")
    return t.expressions.position(node) if start else t.expressions.whole_number(node)


def _gsub(t: Translator, text: str, pattern: Expression, new: String, line: int) -> Py:
    if isinstance(pattern, String) and is_plain(pattern.value) and "%" not in new.value:
        return atom(f"{text}.replace({t.value(pattern)}, {t.value(new)})")
    source, _ = as_regex(pattern)
    replacement = t.value(new).text
    if "%" in new.value:
        raise Problem("T7-233", line, "gsub with captures in the replacement")
    t.imports.add("re")
    return atom(f"re.sub({source}, {replacement}, {text})")


def _find(t: Translator, text: str, arguments: tuple[Expression, ...], line: int) -> Py:
    pattern = arguments[0]
    plain = len(arguments) == 3 and isinstance(arguments[2], tree.Boolean) and arguments[2].value
    if plain or (isinstance(pattern, String) and is_plain(pattern.value) and len(arguments) == 1):
        raise Problem("T7-233", line, "the position that string.find gives")
    raise Problem("T7-233", line, "string.find")


def _string_function(name: str) -> None:
    def rule(t: Translator, node: Call) -> Py:
        return _string(t, name, node.arguments[0], node.arguments[1:], node.line)

    functions[f"string.{name}"] = rule


for _name in "upper lower len reverse rep byte sub gsub find match".split():
    _string_function(_name)
