"""Python names for the variables of a Lua function.

Lua's blocks are scopes, Python's are not. A variable keeps its name where no other one of that name is still in
use in the same Python function; else it gets a number.
"""

from __future__ import annotations

import keyword

from torch7py.translate.quoting import identifier, without_special
from torch7py.translate.scopes import Scope, Variable

__all__ = ["Names", "python_name"]

RESERVED = frozenset({"lua", "G", "_", "varargs", "chunk", "__lua__"})
LIKE_DIGITS = frozenset({"l", "I", "O"})  # which a reader takes for 1 and 0


def python_name(name: str) -> str:
    """A Lua name as Python allows it."""
    plain = without_special(identifier(name, "u"))
    return plain + "_" if keyword.iskeyword(plain) or plain in RESERVED or plain in LIKE_DIGITS else plain


class Names:
    """The names of one Python function; blocks are opened and closed as the Lua blocks are."""

    def __init__(self, scope: Scope, outer: Names | None) -> None:
        self.scope = scope
        self.outer = outer
        self.of_variable: dict[Variable, str] = {}
        self._holders: dict[
            str, tuple[int, bool]
        ] = {}  # name -> its block, and whether it is in use for good
        self._open = [0]
        self._blocks = 0
        self._forbidden: set[str] | None = None
        self.pending: set[str] = set()  # of functions that the statement at hand is going to use

    def open(self) -> None:
        self._blocks += 1
        self._open.append(self._blocks)

    def close(self) -> None:
        self._open.pop()

    @property
    def forbidden(self) -> set[str]:
        """The names of outer variables that are used in here."""
        if self._forbidden is None:
            self._forbidden = set()
            for variable in self.scope.upvalues:
                name = self.lookup(variable)
                if name is not None:
                    self._forbidden.add(name)
        return self._forbidden

    def lookup(self, variable: Variable) -> str | None:
        names: Names | None = self
        while names is not None:
            if variable in names.of_variable:
                return names.of_variable[variable]
            names = names.outer
        return None

    def _free(self, name: str, for_good: bool) -> bool:
        if name in self.forbidden or name in self.pending:
            return False
        holder = self._holders.get(name)
        if holder is None:
            return True
        block, kept = holder
        if kept or for_good:
            return False
        return block == self._open[-1] or block not in self._open

    def take(self, wanted: str, for_good: bool = False, first: bool = False) -> str:
        """A name that is free here, like the one wanted; ``first``: that none has had."""
        base = python_name(wanted)
        name, number = base, 1
        while not self._free(name, for_good) or (first and name in self._holders):
            number += 1
            name = f"{base}_{number}"
        self._holders[name] = (self._open[-1], for_good)
        return name

    def declare(self, variable: Variable) -> str:
        unused = variable.kind == "local" and not variable.reads
        name = self.of_variable[variable] = self.take(
            f"_{variable.name}" if unused else variable.name,
            variable.captured,
            first=variable.kind == "parameter",
        )
        return name
