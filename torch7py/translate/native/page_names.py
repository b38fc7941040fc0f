"""The names of a page, as Python sees it: those that it makes, and those that it uses and somebody else must make."""

from __future__ import annotations

import ast
import symtable
import sys
from functools import lru_cache

from torch7py.translate.checked_code import BUILTINS

__all__ = ["acts", "bound", "table_of", "unresolved", "with_generators"]


@lru_cache(maxsize=2)  # the same page is asked about several times in a row
def table_of(code: str) -> symtable.SymbolTable:
    """The scopes of a page, with one for each comprehension.

    From Python 3.12 on only generators have scopes of their own, and what other comprehensions read is not told.
    """
    if sys.version_info >= (3, 12):
        code = with_generators(code)
    return symtable.symtable(code, "page", "exec")


def with_generators(code: str) -> str:
    """A page whose comprehensions are generators, on the same lines."""
    lines = [line.encode() for line in code.split("\n")]
    # line, where in it, how many bytes there, which ones come for them
    changes: list[tuple[int, int, int, bytes]] = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp)):
            assert node.end_lineno is not None
            assert node.end_col_offset is not None
            opening = b"("
            if isinstance(node, ast.DictComp):
                target = node.generators[0].target
                at = lines[target.lineno - 1].rindex(b"for", 0, target.col_offset)
                changes.append((target.lineno - 1, at, 0, b"}"))
                opening = b"({"
            changes.append((node.lineno - 1, node.col_offset, 1, opening))
            changes.append((node.end_lineno - 1, node.end_col_offset - 1, 1, b")"))
    for number, at, count, text in sorted(changes, reverse=True):
        lines[number] = lines[number][:at] + text + lines[number][at + count :]
    return b"\n".join(lines).decode()


def bound(code: str) -> set[str]:
    """The names that a page makes at its level."""
    table = table_of(code)
    return {s.get_name() for s in table.get_symbols() if s.is_assigned() and not s.is_imported()}


def unresolved(code: str, known: set[str]) -> set[str]:
    """The names that a page uses and does not make."""
    top = table_of(code)
    defined = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    used: set[str] = set()
    waiting = [top]
    while waiting:
        table = waiting.pop()
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (symbol.is_global() or table is top):
                used.add(symbol.get_name())
            if symbol.is_declared_global() and symbol.is_assigned():
                defined.add(symbol.get_name())
        waiting.extend(table.get_children())
    return {name for name in used - defined - known if name not in BUILTINS and not _of_module(name)}


def _of_module(name: str) -> bool:
    """Whether a page has a name from the start: ``__name__``"""
    return name in ("__name__", "__file__")


def acts(code: str) -> bool:
    """Whether a page does something at its level but to define names."""
    return any(
        line[:1].isalpha() and not line.startswith(("def ", "class ", "import ", "from ", "@"))
        for line in code.splitlines()
    )
