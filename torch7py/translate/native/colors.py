"""Colours of a terminal: ``trepl.colorize`` and ``sys.COLORS``."""

from __future__ import annotations

from torch7py.translate import library
from torch7py.translate.native import text
from torch7py.translate.native.code import Py, atom, quoted
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.library_rules import constants, functions
from torch7py.translate.tree import Call

__all__: list[str] = []


def _colored(t: Translation, node: Call) -> Py:
    """A text between the codes of a colour and of none."""
    return text.f_string(text.colored_pieces(t, node) or [])


def _function(t: Translation, path: str) -> Py:
    """What puts a text between such codes, as a value."""
    before, behind = (quoted(library.COLORS[name]) for name in (path.rpartition(".")[2], "none"))
    return atom(f"(lambda text: {before} + text + {behind})")


def _code(t: Translation, path: str) -> Py:
    return atom(quoted(library.COLORS[path.rpartition(".")[2]]))


for _name in library.COLORS:
    functions[f"trepl.colorize.{_name}"] = _colored
    constants[f"trepl.colorize.{_name}"] = _function
    constants[f"sys.COLORS.{_name}"] = _code
    constants[f"trepl.colors.{_name}"] = _code
