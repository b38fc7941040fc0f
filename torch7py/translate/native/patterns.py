"""Lua patterns as regular expressions."""

from __future__ import annotations

import re

from torch7py.translate import tree
from torch7py.translate.native.analysis import pattern_calls
from torch7py.translate.native.analysis.built_texts import known_texts, pieces
from torch7py.translate.native.analysis.program_facts import Known
from torch7py.translate.native.code import quoted
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Undecided
from torch7py.translate.tree import Call, Expression, Name, String

__all__ = ["as_regex", "captures", "is_plain", "may_be_no_number", "regex"]

_CLASSES = {
    "a": "A-Za-z",
    "d": "0-9",
    "l": "a-z",
    "s": r"\s",
    "u": "A-Z",
    "w": "A-Za-z0-9",
    "x": "A-Fa-f0-9",
    "p": r"!-/:-@\[-`{-~",
    "c": r"\x00-\x1f\x7f",
}
_SHORT = {"d": r"\d", "s": r"\s", "D": r"\D", "S": r"\S"}
_SPECIAL = set("^$()%.[]*+-?")
_MARKS = 0xE000  # of letters that no program has


def is_plain(pattern: str) -> bool:
    """Whether a pattern matches only itself."""
    return not (_SPECIAL & set(pattern))


def as_regex(t: Translation, node: Expression, in_gmatch: bool = False) -> tuple[str, int]:
    """A pattern as the source of a Python regular expression, and its number of captures.

    It is a literal, or built of literals and of variables whose every value is a text that a pattern takes as it is:
    ``'([^' .. separator .. ']+)'``. ``in_gmatch``: whether it is one of gmatch, in which a ^ at the beginning is a
    letter like others.
    """
    pattern, names = _built(t, node)
    text, groups = regex(f"%{pattern}" if in_gmatch and pattern.startswith("^") else pattern, node.line)
    if names:
        t.imports.add("re")
        text = re.sub(r"[{}]", r"\g<0>\g<0>", text)
        for mark, name in names.items():
            text = text.replace(mark, f"{{re.escape({t.value(name)})}}")
    first = "f" if names else ""
    if names or "\\" in text:
        mark = "'" if '"' in text else '"'
        if mark in text or any(ord(c) < 32 for c in text):
            raise Undecided("T7-233", node.line, "a pattern with both kinds of quotes")
        return f"{first}{'r' * (chr(92) in text)}{mark}{text}{mark}", groups
    return quoted(text), groups


def _built(t: Known, node: Expression) -> tuple[str, dict[str, Name]]:
    """A pattern with a letter of its own in the place of each variable, and these."""
    names: dict[str, Name] = {}
    pattern = ""
    for piece in pieces(t, node):
        if isinstance(piece, String):
            pattern += piece.value
            continue
        texts = known_texts(t, piece) if isinstance(piece, Name) else None
        if texts and len(texts) == 1 and not is_plain(*texts):  # a pattern itself, that never is another one
            pattern += next(iter(texts))
            continue
        in_set = pattern.rfind("[") > pattern.rfind("]")
        if (
            not isinstance(piece, Name)
            or not texts
            or not all(map(is_plain, texts))
            or pattern.endswith("%")
            or (in_set and pattern[-1] == "-")
        ):
            raise Undecided("T7-233", node.line, "a pattern that is not a literal")
        if in_set and "" in texts:
            raise Undecided("T7-233", node.line, "a pattern with a set that may be empty")
        mark = chr(_MARKS + len(names))
        names[mark] = piece
        pattern += mark
    if any(f"{mark}-" in pattern for mark in names):
        raise Undecided("T7-233", node.line, "a pattern that is not a literal")
    return pattern, names


def regex(pattern: str, line: int) -> tuple[str, int]:
    out: list[str] = []
    groups = 0
    at = 0
    if pattern.startswith("^"):
        out.append(r"\A")
        at = 1
    while at < len(pattern):
        c = pattern[at]
        if c == "(":
            if pattern.startswith("()", at):
                raise Undecided("T7-233", line, "a pattern with a position capture")
            groups += 1
            out.append("(")
            at += 1
            continue
        if c == ")":
            out.append(")")
            at += 1
            continue
        if c == "$" and at == len(pattern) - 1:
            out.append(r"\Z")
            at += 1
            continue
        one, at = _single(pattern, at, line)
        if at < len(pattern) and pattern[at] in "*+-?":
            one += {"*": "*", "+": "+", "-": "*?", "?": "?"}[pattern[at]]
            at += 1
        out.append(one)
    return "".join(out), groups


def _single(pattern: str, at: int, line: int) -> tuple[str, int]:
    c = pattern[at]
    if c == ".":
        return "(?s:.)", at + 1
    if c == "%":
        if at + 1 >= len(pattern):
            raise Undecided("T7-233", line, "a pattern that ends with %")
        letter = pattern[at + 1]
        if letter in "bf" or letter.isdigit():
            raise Undecided("T7-233", line, f"a pattern with %{letter}")
        if letter in _SHORT:
            return _SHORT[letter], at + 2
        if letter.lower() in _CLASSES:
            inside = _CLASSES[letter.lower()]
            return (f"[{inside}]" if letter.islower() else f"[^{inside}]"), at + 2
        return _escape(letter), at + 2
    if c == "[":
        return _set(pattern, at, line)
    return _escape(c), at + 1


def _set(pattern: str, at: int, line: int) -> tuple[str, int]:
    out = ["["]
    at += 1
    if pattern.startswith("^", at):
        out.append("^")
        at += 1
    first = True
    while first or pattern[at] != "]":
        first = False
        c = pattern[at]
        if c == "%":
            letter = pattern[at + 1]
            if letter.isupper() and letter.lower() in _CLASSES:
                raise Undecided("T7-233", line, "a set with a complement in it")
            out.append(_CLASSES.get(letter, "\\" + letter if letter in "\\]^-[" else letter))
            at += 2
        elif at + 2 < len(pattern) and pattern[at + 1] == "-" and pattern[at + 2] != "]":
            out.append(f"{_in_set(c)}-{_in_set(pattern[at + 2])}")
            at += 3
        else:
            out.append(_in_set(c))
            at += 1
        if at >= len(pattern):
            raise Undecided("T7-233", line, "a pattern with an open set")
    return "".join(out) + "]", at + 1


def _in_set(c: str) -> str:
    return "\\" + c if c in "\\]^[-" else {"\n": r"\n", "\t": r"\t", "\r": r"\r"}.get(c, c)


def _escape(c: str) -> str:
    if c in ".^$*+?{}[]\\|()":
        return "\\" + c
    return {"\n": r"\n", "\t": r"\t", "\r": r"\r"}.get(c, c)


def _only_digits(pattern: str, index: int) -> bool:
    """Whether what a capture of a pattern takes, or all of a pattern without one, is digits."""
    groups = re.findall(r"\(([^()]*)\)", pattern) or [pattern.strip("^$")]
    return index < len(groups) and groups[index] in ("%d+", "%d%d*", "[0-9]+", "%d")


def captures(t: Known, node: Expression) -> int:
    """How many captures a pattern has; 0 for one that is not known."""
    try:
        pattern, _ = _built(t, node)
    except Undecided:
        return 0
    return regex(pattern, node.line)[1]


def may_be_no_number(t: Known, node: Call) -> bool:
    """Whether ``tonumber(...)`` may be nil, for all that the program shows."""
    return len(node.arguments) > 1 or t.type(node).has("tested") or not _says_number(t, node.arguments[0])


def _says_number(t: Known, node: Expression) -> bool:
    """Whether a text is surely a number: an argument of the program, or what was found as digits."""
    if isinstance(node, String):
        return node.value.isdigit()
    string_call, capture = pattern_calls.matched(t, node), 0
    if isinstance(node, Name):
        string_call, capture = pattern_calls.origin(t, t.scopes.of_name[node])
    if (
        string_call is not None
        and string_call[0] in ("match", "gmatch")
        and isinstance(string_call[2][0], String)
    ):
        return _only_digits(string_call[2][0].value, capture)
    return any(isinstance(n, Name) and t.scopes.is_global(n, "arg") for n in tree.walk(node))
