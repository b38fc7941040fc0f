"""The names of a page, as Python sees it: those that it makes, and those that it uses and somebody else must make."""

from __future__ import annotations

import builtins
import symtable
from functools import lru_cache

__all__ = ["acts", "bound", "table_of", "unresolved"]


@lru_cache(maxsize=2)  # the same page is asked about several times in a row
def table_of(code: str) -> symtable.SymbolTable:
    return symtable.symtable(code, "page", "exec")


def bound(code: str) -> set[str]:
    """The names that a page makes at its level."""
    table = table_of(code)
    return {s.get_name() for s in table.get_symbols() if s.is_assigned() and not s.is_imported()}


def unresolved(code: str, known: set[str]) -> set[str]:
    """The names that a page uses and does not make."""
    top = table_of(code)
    made = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    used: set[str] = set()
    waiting = [top]
    while waiting:
        table = waiting.pop()
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (symbol.is_global() or table is top):
                used.add(symbol.get_name())
            if symbol.is_declared_global() and symbol.is_assigned():
                made.add(symbol.get_name())
        waiting.extend(table.get_children())
    return {name for name in used - made - known if not hasattr(builtins, name)}


def acts(code: str) -> bool:
    """Whether a page does something at its level but to define names."""
    return any(
        line[:1].isalpha() and not line.startswith(("def ", "class ", "import ", "from ", "@"))
        for line in code.splitlines()
    )
