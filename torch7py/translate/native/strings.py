"""Lua's string library: methods and functions of text."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native import code, matching
from torch7py.translate.native import text as texts
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.library_rules import functions
from torch7py.translate.native.patterns import as_regex
from torch7py.translate.native.problem import Undecided
from torch7py.translate.tree import Call, Expression, Invoke, Number, String
from torch7py.translate.tree_queries import bare, same_expression

__all__ = ["pieces_between", "string_method"]


def string_method(t: Translation, node: Invoke) -> Py:
    """``s:f(...)``"""
    if node.method == "format":
        receiver = bare(node.receiver)
        return texts.format(t, receiver, node.arguments)
    return _string(t, node.method, node.receiver, node.arguments, node.line)


def _string(
    t: Translation, method: str, subject: Expression, arguments: tuple[Expression, ...], line: int
) -> Py:
    if method in ("find", "match", "gsub", "gmatch"):
        return matching.value(t, method, subject, arguments, line)
    if t.wide_text and method in ("sub", "byte", "reverse"):
        raise Undecided("T7-233", line, "places in text, in a program with letters beyond ASCII")
    text = _text(t, subject)
    if method in ("upper", "lower"):
        return atom(f"{text}.{method}()")
    if method == "len":
        return atom(f"len({text}{'.encode()' if t.wide_text else ''})")
    if method == "reverse":
        return atom(f"{text}[::-1]")
    if method == "rep" and len(arguments) == 2:
        return atom(f"{_text(t, arguments[1])}.join([{text}] * {_count(t, arguments[0])})")
    if method == "rep":
        return Py(f"{text} * {_count(t, arguments[0])}", code.MULTIPLY)
    if method == "byte" and (len(arguments) <= 1 or same_expression(*arguments[:2])):
        index = t.expressions.position(arguments[0]).text if arguments else "0"
        return atom(f"ord({text}[{index}])")
    if method == "sub":
        return _sub(t, subject, text, arguments)
    if method == "split" and len(arguments) == 1:
        return atom(f"{pieces_between(t, subject, arguments[0], line)[:-1]}, inner=True)")
    raise Undecided("T7-233", line, f"the method {method} of a string")


def pieces_between(
    t: Translation, subject: Expression, pattern: Expression, line: int, plain: bool = False
) -> str:
    """The pieces of a text between the matches of a pattern, or of a text as ``plain``; no empty one at the end."""
    if t.kind(subject) != "string" or not isinstance(pattern, String) or not pattern.value:
        raise Undecided("T7-233", line, "a text split at a pattern that is not written out")
    if plain or not any(letter in "^$*+?.([%-" for letter in pattern.value):
        return f"{t.need('pieces')}({t.value(subject).at(code.ATOM)}.split({t.value(pattern)}))"
    regex, groups = as_regex(t, pattern)
    if groups or pattern.value[-1] in "*-?" or pattern.value[0] == "^":
        raise Undecided("T7-233", line, "a pattern with captures, or one that may match nothing")
    t.imports.add("re")
    return f"{t.need('pieces')}(re.split({regex}, {t.value(subject)}))"


def _text(t: Translation, subject: Expression) -> str:
    """The text that a method of strings is called on; a number is its text."""
    if t.kind(subject) == "number" and not texts.is_message(t, subject):
        return texts.text(t, subject, nil=False).at(code.ATOM)
    return t.value(subject).at(code.ATOM)


def _count(t: Translation, node: Expression) -> str:
    return t.expressions.whole_number(node).at(code.NEGATE)


def _within(t: Translation, position: Expression, subject: Expression) -> bool:
    """Whether a place is surely not past the end of a text: that of a loop over it, or one reduced to its length."""
    position = bare(position)
    if isinstance(position, Number) and position.value == 1:
        return t.intervals.of(tree.Unary(subject.span, "#", subject))[0] >= 1
    if isinstance(position, Number) or isinstance(subject, String):
        return (
            isinstance(position, Number)
            and isinstance(subject, String)
            and position.value <= len(subject.value)
        )
    position, plus = _added(position)
    stop: Expression | None = None
    if isinstance(position, tree.Name):
        variable = t.scopes.of_name[position]
        loop = t.intervals.loop(variable)
        sources = t.integers.sources(variable)
        if loop is not None and not variable.writes:
            stop = loop.start if loop.step is not None and t.intervals.of(loop.step)[1] < 0 else loop.stop
        elif variable.constant and len(sources) == 1 and not isinstance(sources[0], bool) and not plus:
            return _within(t, sources[0], subject)
    elif isinstance(position, tree.Binary) and position.operator == "%":  # x % #s + 1
        stop, plus = position.right, plus - 1
    if stop is None:
        return False
    stop, more = _added(stop)
    if not isinstance(stop, tree.Unary) or stop.operator != "#" or plus + more > 0:
        return False
    return same_expression(stop.operand, subject)


def _added(node: Expression) -> tuple[Expression, float]:
    """An expression without the number that is added to it, and that number."""
    node = bare(node)
    if isinstance(node, tree.Binary) and node.operator in ("+", "-") and isinstance(node.right, Number):
        inner, plus = _added(node.left)
        return inner, plus + (node.right.value if node.operator == "+" else -node.right.value)
    return node, 0


def _sub(t: Translation, subject: Expression, text: str, arguments: tuple[Expression, ...]) -> Py:
    first, last = arguments[0], arguments[1] if len(arguments) > 1 else None
    if last is not None and _same(first, last) and not _negative(first) and t.intervals.positive(first):
        index = t.expressions.position(first)
        if _within(t, first, subject):
            return atom(f"{text}[{index}]")
    if not _from_start(t, first) or (last is not None and not _from_start(t, last)):
        bounds = ", ".join(str(t.value(bound)) for bound in arguments)
        return atom(f"{t.need('lua_sub')}({text}, {bounds})")
    start = "" if isinstance(first, Number) and first.value == 1 else str(_bound(t, text, first, True))
    end = "" if last is None or (_negative(last) == 1) else str(_bound(t, text, last, False))
    return atom(f"{text}[{code.stretch(start, end)}]")


def _from_start(t: Translation, node: Expression) -> bool:
    """Whether a place is known to count from the beginning, or known to count from the end."""
    if isinstance(node, tree.Unary) and node.operator == "-":
        return t.intervals.positive(node.operand)
    return t.intervals.natural(node)


def _same(a: Expression, b: Expression) -> bool:
    return same_expression(a, b)


def _negative(node: Expression) -> int:
    if isinstance(node, tree.Unary) and node.operator == "-" and isinstance(node.operand, Number):
        return int(node.operand.value)
    return 0


def _bound(t: Translation, text: str, node: Expression, start: bool) -> Py:
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
    index = t.expressions.position(node)
    return index if t.intervals.positive(node) else atom(f"max({index}, 0)")


def _string_function(name: str) -> None:
    def rule(t: Translation, node: Call) -> Py:
        return _string(t, name, node.arguments[0], node.arguments[1:], node.line)

    functions[f"string.{name}"] = rule


for _name in "upper lower len reverse rep byte sub gsub find match split".split():
    _string_function(_name)
