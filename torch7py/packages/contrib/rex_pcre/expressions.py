"""rex_pcre: Perl's regular expressions for Lua, by the library PCRE2."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from torch7py.ops.errors import TorchError
from torch7py.packages.optional_libraries import import_library
from torch7py.packages.registry import function, on_require

__all__ = ["FLAGS", "check", "find"]

# The compile flags of PCRE that a pattern can begin with, and their letters in Lua.
FLAGS = {"CASELESS": (0x1, "i"), "MULTILINE": (0x2, "m"), "DOTALL": (0x4, "s"), "EXTENDED": (0x8, "x")}
UNGREEDY, UTF8 = 0x200, 0x800


@on_require("rex_pcre")
def _library() -> Any:
    return import_library("pcre2", "regular expressions of rex_pcre")


@lru_cache(maxsize=256)
def _compiled(pattern: str, flags: int) -> Any:
    letters = "".join(letter for bit, letter in FLAGS.values() if flags & bit)
    unknown = flags & ~(sum(bit for bit, _ in FLAGS.values()) | UNGREEDY | UTF8)
    if unknown:
        raise TorchError(f"rex_pcre: compile flags {unknown:#x} are not supported")
    if flags & UNGREEDY:
        letters += "U"
    before = ("(*UTF)" if flags & UTF8 else "") + (f"(?{letters})" if letters else "")
    library = _library()
    try:
        return library.compile((before + pattern).encode("latin1"))
    except library.PatternError as error:
        raise TorchError(f"rex_pcre: {error} (pattern: {pattern})") from None


@function("rex_pcre._check")
def check(pattern: str, flags: int) -> list[Any]:
    """The number of captures of a pattern, and those that have names: name, number, name, number ..."""
    compiled = _compiled(pattern, int(flags))
    names = [x for name, number in compiled.groupindex.items() for x in (_text(name), number)]
    return [compiled.groups, *names]


def _text(name: str | bytes) -> str:
    return name.decode("latin1") if isinstance(name, bytes) else name


@function("rex_pcre._find")
def find(pattern: str, flags: int, subject: str, start: int) -> list[Any] | None:
    """The first match from a 0-based position on: the first and last positions of the match, then of each capture,
    counted from 1.

    A capture that did not match gives false twice.
    """
    library = _library()
    try:
        match = _compiled(pattern, int(flags)).search(subject.encode("latin1"), int(start))
    except library.LibraryError as error:
        raise TorchError(f"rex_pcre: {error}") from None
    if match is None:
        return None
    spans = [match.span(number) for number in range(match.re.groups + 1)]
    return [x for first, last in spans for x in ((False, False) if first < 0 else (first + 1, last))]
