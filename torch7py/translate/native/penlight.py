"""Penlight: its functions on strings, tables, paths and files that Python has as well."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native import code, text
from torch7py.translate.native.analysis.unknown_values import is_open
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.library_rules import Rule, functions, statement
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.native.strings import pieces_between
from torch7py.translate.tree import Call, Expression, String

__all__: list[str] = []


def _checked_arguments(t: Translation, node: Call, least: int, most: int) -> list[Py]:
    """The arguments, of which there must be so many."""
    if not least <= len(node.arguments) <= most:
        raise Problem("T7-203", node.line, f"{t.path(node.callee)} with {len(node.arguments)} arguments")
    return [t.value(argument) for argument in node.arguments]


def _may_be_text(t: Translation, node: Expression) -> bool:
    """Whether something may be a text; Penlight refuses all else, as Python's methods of texts do."""
    return t.kind(node) == "string" or is_open(t, node)


def _texts(t: Translation, node: Call) -> None:
    if not all(_may_be_text(t, argument) for argument in node.arguments):
        raise Problem("T7-203", node.line, f"{t.path(node.callee)} of something else than strings")


def _split(t: Translation, node: Call) -> Py:
    """``stringx.split(s)``, and ``stringx.split(s, mark)``, where an empty text has no pieces."""
    arguments = _checked_arguments(t, node, 1, 2)
    _texts(t, node)
    if len(arguments) == 1:
        if isinstance(node.arguments[0], String):
            return atom(f"[{', '.join(map(code.quoted, node.arguments[0].value.split()))}]")
        return atom(f"{arguments[0].at(code.ATOM)}.split()")
    return atom(f"{t.need('split_at')}({arguments[0]}, {arguments[1]})")


def _utils_split(t: Translation, node: Call) -> Py:
    """``utils.split(s, pattern)``: an empty piece at the end is none."""
    _checked_arguments(t, node, 1, 3)
    pattern = node.arguments[1] if len(node.arguments) > 1 else String(node.span, "%s+")
    plain = (
        len(node.arguments) > 2 and isinstance(node.arguments[2], tree.Boolean) and node.arguments[2].value
    )
    if len(node.arguments) > 2 and not isinstance(node.arguments[2], tree.Boolean):
        raise Undecided("T7-203", node.line, "pl.utils.split with a flag that is not a literal")
    subject = node.arguments[0]
    if isinstance(subject, String) and isinstance(pattern, String) and plain:
        pieces = subject.value.split(pattern.value)
        pieces = pieces if pieces[-1] else pieces[:-1]
        return atom(f"[{', '.join(map(code.quoted, pieces if pieces != [''] else []))}]")
    return atom(pieces_between(t, subject, pattern, node.line, plain))


def _method(name: str, least: int, most: int) -> None:
    def rule(t: Translation, node: Call) -> Py:
        first, *rest = _checked_arguments(t, node, least, most)
        at = {"replace": 3, "ljust": 1, "rjust": 1}.get(name)  # where a number is
        if not all(_may_be_text(t, argument) for i, argument in enumerate(node.arguments) if i != at):
            raise Problem("T7-203", node.line, f"stringx.{name} of something else than strings")
        if at is not None and len(node.arguments) > at:
            rest[at - 1] = t.expressions.whole_number(node.arguments[at])
        return atom(f"{first.at(code.ATOM)}.{name}({', '.join(str(value) for value in rest)})")

    _register(f"stringx.{name}", rule)


def _register(path: str, rule: Rule) -> None:
    functions[f"pl.{path}"] = rule


def _find(t: Translation, node: Call) -> Py:
    first, part = _checked_arguments(t, node, 2, 2)
    _texts(t, node)
    return Py(f"{first.at(code.ATOM)}.find({part}) + 1 or None", code.OR)


def _of_os(name: str, python: str) -> None:
    def rule(t: Translation, node: Call) -> Py:
        t.imports.add("os")
        return atom(f"{python}({', '.join(str(argument) for argument in _checked_arguments(t, node, 1, 9))})")

    functions[f"pl.path.{name}"] = rule


def _read_file(t: Translation, node: Call) -> Py:
    """``file.read(name)``"""
    (name,) = _checked_arguments(t, node, 1, 1)
    if t.type(node).has("tested"):
        raise Problem("T7-203", node.line, "pl.file.read of a file that need not be there")
    return atom(f"open({name}).read()")


@statement("pl.utils.printf")
def _printf(t: Translation, node: Call) -> None:
    """``utils.printf(pattern, ...)``"""
    pattern = node.arguments[0]
    if isinstance(pattern, String) and pattern.value.endswith("\n"):
        line = text.format(t, String(pattern.span, pattern.value[:-1]), node.arguments[1:])
        t.emit("print()" if line.text in ('""', "''") else f"print({line})")
    else:
        t.emit(f'print({text.format(t, pattern, node.arguments[1:])}, end="")')


_register("stringx.split", _split)
functions["pl.utils.split"] = _utils_split


def _sys_split(t: Translation, node: Call) -> Py:
    """``sys.split(s, pattern)``: an empty piece at either end is none."""
    _checked_arguments(t, node, 2, 2)
    subject, pattern = node.arguments
    return atom(f"{pieces_between(t, subject, pattern, node.line)[:-1]}, inner=True)")


functions["sys.split"] = _sys_split
for _name, _least, _most in (
    ("strip", 1, 2),
    ("lstrip", 1, 2),
    ("rstrip", 1, 2),
    ("replace", 3, 4),
    ("startswith", 2, 2),
    ("endswith", 2, 2),
    ("count", 2, 2),
    ("ljust", 2, 3),
    ("rjust", 2, 3),
):
    _method(_name, _least, _most)
_register("stringx.lfind", _find)
for _name, _python in (
    ("exists", "os.path.exists"),
    ("isfile", "os.path.isfile"),
    ("isdir", "os.path.isdir"),
    ("join", "os.path.join"),
    ("basename", "os.path.basename"),
    ("dirname", "os.path.dirname"),
    ("abspath", "os.path.abspath"),
):
    _of_os(_name, _python)
functions["pl.file.read"] = _read_file
