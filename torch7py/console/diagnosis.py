"""What to show of an error besides its message: the line of the program, and a name that was perhaps meant.

All of it is found when an error is about to be shown. The message itself stays as it is, which a program may read.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from torch7py.console.completion import KEYWORDS, path_of
from torch7py.console.registers import classes_of, package_names
from torch7py.nn.binding import all_exports
from torch7py.nn.registry import layers, package_of
from torch7py.ops import state
from torch7py.ops.registry import operations
from torch7py.packages import discovery
from torch7py.packages.registry import packages

__all__ = ["explain", "meant"]

_PLACE = re.compile(r"(?P<file>[^\n]*?):(?P<line>\d+): ")
_LOADING = re.compile(r"^error loading module '[^'\n]*' from file '[^'\n]*':\s+")  # of a file that is no Lua
_NIL = re.compile(
    r"attempt to (?P<what>[a-z ]+?) (?P<kind>global|local|field|method|upvalue) '(?P<name>\w+)' \(a nil value\)"
)
_ARGUMENTS = re.compile(r"invalid arguments for (?P<kind>method|function) '(?:torch\.)?(?P<name>\w+)'")
_NEAR = re.compile(r" near '(?P<token>.*)'$", re.DOTALL)
_NO_MODULE = re.compile(r"module '(?P<name>[^']+)' not found")
CLOSE = 0.78  # how much a name must be like another (difflib's ratio) to be meant


class Names(Protocol):
    """What there is in the program, as a ``Console`` tells it."""

    def members(self, path: tuple[str | int, ...], methods_only: bool = False) -> list[str]: ...

    def kind(self, path: tuple[str | int, ...]) -> str: ...


def explain(message: str, source_of: Callable[[str], str | None], names: Names, width: int) -> list[str]:
    """The lines to show below a message: that of the program with a mark, and a suggestion, as far as they are known.

    ``source_of`` gives the source of a file that a message names, as far as it is there; ``width`` is how many columns
    of the line may be shown.
    """
    text, line, reason, there = "", 0, message, False
    while (match := _PLACE.match(reason)) is not None:
        source = source_of(match["file"])
        there = source is not None
        if source is not None:
            text, line = _line(source, int(match["line"])), int(match["line"])
        reason = _LOADING.sub("", reason[match.end() :])
    span = _span(reason, text) if there else None
    shown = _marked(text, line, span, width) if text.strip() else []
    suggestion = _suggestion(reason, text, names)
    return [*shown, suggestion] if suggestion else shown


# -- the line ---------------------------------------------------------------------------------------------


def _line(source: str, number: int) -> str:
    lines = source.split("\n")
    return lines[number - 1].rstrip("\r") if 0 < number <= len(lines) else ""


def _span(reason: str, text: str) -> tuple[int, int] | None:
    """From where to where in its line an error is, if that is certain: what it names stands there once."""
    match = _NIL.match(reason) or _ARGUMENTS.match(reason)
    if match:
        name, kind = re.escape(match["name"]), match["kind"]
        called = r"(?=\s*[({'\"\[])" if kind == "function" or match.groupdict().get("what") == "call" else ""
        before = {"method": r"[:.]\s*", "field": r"\.\s*", "function": r"\.\s*"}.get(kind, r"(?<![\w.:])")
        return _only(rf"{before}({name})\b{called}", text)
    near = _NEAR.search(reason)
    if near and near["token"] != "<eof>":
        return _only(rf"({re.escape(near['token'])})", text)
    module = _NO_MODULE.match(reason)
    return _only(rf"[\"']({re.escape(module['name'])})[\"']", text) if module else None


def _only(pattern: str, text: str) -> tuple[int, int] | None:
    """The place of the one match; None where there are more or none."""
    matches = list(re.finditer(pattern, text))
    return matches[0].span(1) if len(matches) == 1 else None


def _marked(text: str, line: int, span: tuple[int, int] | None, width: int) -> list[str]:
    """A line with its number, and a mark below it. Of a long one the part around the mark."""
    begin, end = span or (0, 0)
    indent = len(text) - len(text.lstrip())
    first = indent if end - indent < width else max(indent, min(begin, end - width // 2) - width // 4)
    part = text[first : first + width]
    before, after = "..." if first > indent else "", "..." if first + width < len(text) else ""
    margin = f"{line:>5} | "
    lines = [f"{margin}{before}{part}{after}".rstrip()]
    if span is not None:
        blank = re.sub(r"[^\t]", " ", before + text[first:begin])
        lines.append(f"{' ' * (len(margin) - 2)}| {blank}{'^' * max(1, min(end, first + width) - begin)}")
    return lines


# -- the suggestion ---------------------------------------------------------------------------------------


def _suggestion(reason: str, text: str, names: Names) -> str | None:
    module = _NO_MODULE.match(reason)
    if module:
        likely = meant(module["name"], package_names())
        return f"did you mean require '{likely}'?" if likely else None
    match = _NIL.match(reason)
    if match is None:
        return None
    name, kind = match["name"], match["kind"]
    if kind == "global":
        return _of_global(name, names)
    if kind == "method":
        return _of_method(name, text, names)
    if kind == "field":
        return _of_field(name, text, names)
    return None


def _of_global(name: str, names: Names) -> str | None:
    if _is_package(name):
        if (
            "cutorch" in (name, *packages[name].requires) and state.current().gpu is None
        ):  # a pcall hid the error
            return f"{name} was not loaded: run the program with --device cuda, or with --cuda-as cpu"
        return f"{name} is a package: require '{name}' comes first"
    likely = meant(name, [*names.members(()), *KEYWORDS])
    if likely:
        return f"did you mean {likely}?"
    package = meant(name, package_names())
    return f"did you mean {package}, after require '{package}'?" if package else None


def _of_field(name: str, text: str, names: Names) -> str | None:
    """Of ``nn.Liner`` the owner is on the line; where that is a global, its fields are known."""
    for owner in _owners(name, r"\.", text):
        path = path_of(owner)
        full = f"{owner}.{name}"
        classes = classes_of(owner) if _is_package(owner) else {}
        if full in classes:
            return f"{full} comes with require '{package_of[full]}'"
        likely = meant(name, names.members(path)) if names.kind(path) != "nil" else None
        if likely:
            return f"did you mean {owner}.{likely}?"
        likely = meant(full, classes)
        if likely:
            return f"did you mean {likely}, after require '{package_of[likely]}'?"
    return None


def _of_method(name: str, text: str, names: Names) -> str | None:
    """Of ``m:fooward(x)`` the receiver's methods, or where it is no global, those that tensors and layers have."""
    for owner in _owners(name, ":", text):
        path = path_of(owner)
        if names.kind(path) != "nil":
            likely = meant(name, names.members(path, True))
            return f"did you mean {owner}:{likely}?" if likely else None
    known = {operation.name for operation in operations.values() if operation.has_method}
    known.update(names.members(("string",)))
    for cls in layers.values():
        known.update(all_exports(cls))
    likely = meant(name, [candidate for candidate in known if "." not in candidate])
    return f"did you mean :{likely}?" if likely else None


def _owners(name: str, mark: str, text: str) -> Iterator[str]:
    """What stands before ``.name`` or ``:name`` on a line, as far as it is names."""
    for match in re.finditer(
        rf"(?<![\w.:\])])([A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[\d+\])*)\s*{mark}\s*{name}\b", text
    ):
        yield match[1]


def meant(name: str, known: Iterable[str]) -> str | None:
    """The name most like another, capital letters or not; the first of several by the alphabet."""
    by_small: dict[str, str] = {}
    for candidate in sorted(known):
        by_small.setdefault(candidate.lower(), candidate)
    by_small = {small: candidate for small, candidate in by_small.items() if candidate != name}
    if name.lower() in by_small:
        return by_small[name.lower()]
    close = difflib.get_close_matches(name.lower(), by_small, 1, CLOSE)
    return by_small[close[0]] if close else None


def _is_package(name: str) -> bool:
    return discovery.built_in_module(name) is not None and name in packages
