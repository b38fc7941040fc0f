"""Which names may follow in a text: globals, fields and methods, in a string names of files and packages."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from torch7py.console.registers import package_names

__all__ = ["Completions", "complete", "path_of"]

KEYWORDS = """and break do else elseif end false for function goto if in local nil not or repeat return then true until
while""".split()

# What may hold a quote that begins no string: comments, and strings that have come to their end.
_CLOSED = re.compile(
    r"--\[(=*)\[.*?(?:\]\1\]|$)|\[(=*)\[.*?(?:\]\2\]|$)|--[^\n]*"
    r'|"(?:\\.|[^"\\\n])*"|' + r"'(?:\\.|[^'\\\n])*'",
    re.DOTALL,
)
_PATH = r"[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*|\[\d+\]|\[(?:'[^'\n]*'|\"[^\"\n]*\")\])*"
_NAME = re.compile(rf"(?:(?P<path>{_PATH})\s*(?P<mark>[.:])\s*)?(?P<name>(?:[A-Za-z_]\w*)?)$")
_PARTS = re.compile(r"\[(\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]|([A-Za-z_]\w*)")
_LOADER = re.compile(r"\brequire\s*\(?\s*$")

Members = Callable[[tuple[str | int, ...], bool], list[str]]


class Completions(NamedTuple):
    """``names`` may stand in the place of what is between ``start`` and the cursor."""

    start: int
    names: list[str]


def path_of(text: str) -> tuple[str | int, ...]:
    """The keys that lead to a value: ``("model", "modules", 1)`` for ``model.modules[1]``."""
    return tuple(
        int(number) if number else quoted or double or name
        for number, quoted, double, name in _PARTS.findall(text)
    )


def complete(before: str, members: Members) -> Completions:
    """``before`` is the text as far as the cursor, ``members`` gives the names of a value's fields."""
    blank = _CLOSED.sub(lambda match: re.sub(r"[^\n]", "\0", match[0]), before)
    quote = re.search("[\"'][^\"'\n]*$", blank)
    if quote:
        start = quote.start() + 1
        names = _files(before[start:])
        if _LOADER.search(before[: quote.start()]):
            names = [*_starting(package_names(), before[start:]), *names]
        return Completions(start, names)
    if blank.endswith("\0"):  # within a comment, or right behind a string
        return Completions(len(before), [])
    help_topic = re.match(r"\s*\?\s*", before)
    match = _NAME.search(before, help_topic.end() if help_topic else 0)
    assert match is not None
    start, name = match.start("name"), match["name"]
    if match["path"]:
        if (
            before[: match.start()].rstrip().endswith((".", ":", ")", "]"))
        ):  # a field of what only a run would tell
            return Completions(start, [])
        methods_only = match["mark"] == ":"
        return Completions(start, _starting(members(path_of(match["path"]), methods_only), name))
    if before[:start].rstrip().endswith((".", ":")) and not before[:start].rstrip().endswith(".."):
        return Completions(start, [])
    return Completions(start, _starting([*members((), False), *KEYWORDS], name))


def _starting(names: Iterable[str], prefix: str) -> list[str]:
    """Those of the names, in order; what begins with an underline only where one is asked for."""
    return sorted(
        {name for name in names if name.startswith(prefix) and (prefix or not name.startswith("_"))},
        key=lambda name: (name.startswith("__"), name.lower(), name),
    )


def _files(prefix: str) -> list[str]:
    """The paths that begin with a prefix, directories with a slash behind them."""
    directory, name = os.path.split(prefix)
    home = os.path.expanduser(directory) or "."
    try:
        entries = list(os.scandir(home))
    except OSError:
        return []
    names = [
        os.path.join(directory, entry.name) + ("/" if entry.is_dir() else "")
        for entry in entries
        if entry.name.startswith(name) and (name or not entry.name.startswith("."))
    ]
    return sorted(names)
