"""How calls of Lua's libraries and of packages are written: registers, by a function's path or by a method's receiver.

Each module that knows such calls adds its rules. ``calls.py`` imports them all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from torch7py.translate.native.code import Py
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.registering import registering
from torch7py.translate.tree import Call, Invoke

__all__ = [
    "Done",
    "Rule",
    "constants",
    "function",
    "functions",
    "method_statements",
    "methods",
    "statement",
    "statements",
    "values",
]

Rule: TypeAlias = "Callable[[Translation, Call], Py]"
Done: TypeAlias = "Callable[[Translation, Call], None]"

functions: dict[str, Rule] = {}
statements: dict[str, Done] = {}
methods: dict[tuple[str, str], Callable[[Translation, Invoke], Py]] = {}
method_statements: dict[tuple[str, str], Callable[[Translation, Invoke], None]] = {}
constants: dict[str, Callable[[Translation, str], Py]] = {}  # fields of packages that are no functions
values: dict[str, str] = {}  # functions of Lua that Python has as well, as values

function = registering(functions)
statement = registering(statements)
