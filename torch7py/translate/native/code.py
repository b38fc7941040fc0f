"""Pieces of Python source with the precedence of their outermost operator."""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from torch7py.translate import quoting

__all__ = [
    "ADD",
    "AND",
    "ATOM",
    "COMPARE",
    "INDENT",
    "MULTIPLY",
    "NEGATE",
    "NOT",
    "OR",
    "POWER",
    "TERNARY",
    "Py",
    "add_constant",
    "atom",
    "attribute_name",
    "minus_one",
    "names_reserved",
    "power",
    "python_name",
    "quoted",
    "reserved",
    "stretch",
    "without_verb",
]

INDENT = "    "

TERNARY, OR, AND, NOT, COMPARE, BIT_AND, ADD, MULTIPLY, NEGATE, POWER, ATOM = range(11)


@dataclass(frozen=True)
class Py:
    """An expression. ``level`` is how tightly its outermost operator binds."""

    text: str
    level: int = ATOM

    def at(self, level: int) -> str:
        """The text where something of at least this level is wanted."""
        return f"({self.text})" if self.level < level else self.text

    def __str__(self) -> str:
        return self.text


def atom(text: str) -> Py:
    return Py(text)


def add_constant(term: Py | None, constant: int) -> Py:
    """``term + constant`` as people write it; the constant alone where there is no term."""
    if term is None:
        return Py(str(constant), ATOM if constant >= 0 else NEGATE)
    if constant == 0:
        return term
    sign = "+" if constant > 0 else "-"
    return Py(f"{term.at(ADD)} {sign} {abs(constant)}", ADD)


def minus_one(position: Py) -> Py:
    """A position counted from 1 as one counted from 0."""
    if position.text.endswith(" + 1") and position.level == ADD:
        return Py(position.text[: -len(" + 1")], ATOM)
    return Py(f"{position.at(ADD)} - 1", ADD)


def power(base: Py, exponent: Py) -> Py:
    """``base**exponent``, with spaces where the formatter has them."""
    left, right = base.at(ATOM), exponent.at(NEGATE)
    close = re.fullmatch(r"[\w.]+", left) and re.fullmatch(r"-?[\w.]+", right)
    return Py(f"{left}**{right}" if close else f"{left} ** {right}", POWER)


# Names that generated code needs for itself.
_TAKEN = {
    "torch",
    "nn",
    "F",
    "Image",
    "h5py",
    "np",
    "math",
    "random",
    "re",
    "os",
    "sys",
    "time",
    "argparse",
    "main",
} | {
    "contextlib",
    "copy",
    "collections",
    "csv",
    "functools",
    "inspect",
    "itertools",
    "json",
    "socket",
    "lua",
    "lua_compat",
    "tempfile",
    # what no page may name, where a statement that would have made a variable of that name is not translated
    *"breakpoint compile delattr eval exec exit globals locals quit".split(),
}
_USED_BUILTINS = set(
    "abs bool dict enumerate float int isinstance len list max min open print range reversed round set sorted str"
    " sum super tuple type zip input next iter any all hasattr getattr setattr vars map slice object bytes ord chr"
    " staticmethod classmethod Exception RuntimeError ValueError IndexError TypeError AttributeError OSError"
    " OverflowError NotImplementedError NotImplemented".split()
)
assert all(hasattr(builtins, name) for name in _USED_BUILTINS)
_LIKE_DIGITS = {"l", "I", "O"}  # which a reader takes for 1 and 0
_reserved: ContextVar[frozenset[str]] = ContextVar("reserved", default=frozenset())
_apart: ContextVar[frozenset[str]] = ContextVar("apart", default=frozenset())


def without_verb(name: str) -> str:
    """What a function that makes something is named after: ``Block`` for ``makeBlock``."""
    return re.sub("^(make|build|create|get|new|construct|init|define)_?(?=[A-Z_]|$)", "", name).strip("_")


def python_name(name: str) -> str:
    """A Lua name as a Python one: the same, unless it means something there."""
    plain = quoting.without_special(quoting.identifier(name))
    means = keyword.iskeyword(plain) or plain in _TAKEN or plain in _USED_BUILTINS
    if means or plain in _LIKE_DIGITS or plain in _reserved.get():
        return plain + "_"
    return plain


def names_reserved() -> frozenset[str]:
    """The names that a program's own must not have."""
    return _reserved.get()


@contextmanager
def reserved(names: frozenset[str]) -> Iterator[None]:
    """Inside, these names are no names for what is the program's: helpers have them."""
    before = _reserved.set(names)
    try:
        yield
    finally:
        _reserved.reset(before)


@contextmanager
def kept_apart(names: frozenset[str]) -> Iterator[None]:
    """Inside, these names of fields with two underscores, which have another with one beside them, get one behind."""
    before = _apart.set(names)
    try:
        yield
    finally:
        _apart.reset(before)


def attribute_name(name: str) -> str:
    """A Lua name as that of an attribute, which may be one that means something elsewhere."""
    plain = quoting.without_special(quoting.identifier(name))
    if keyword.iskeyword(plain):
        return plain + "_"
    # Python changes names that begin with two underscores.
    if plain.startswith("__"):
        return f"{plain[1:]}_" if name in _apart.get() else plain[1:]
    return plain


def stretch(start: str, end: str) -> str:
    """A slice from a 0-based start: with spaces around the colon where an end of it is no name or number."""
    start = "" if start == "0" else start
    simple = all(re.fullmatch(r"[\w-]*", text) for text in (start, end))
    return f"{start}:{end}" if simple else f"{start} : {end}".strip()


def quoted(value: str) -> str:
    """A Lua string (latin-1) as a Python literal."""
    return quoting.quoted(quoting.decoded(value))
