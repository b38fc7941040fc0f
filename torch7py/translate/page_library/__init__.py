"""The library of pages: ``lua_compat.py``, of which a page gets those functions that it uses, as a file beside it.

``lua_compat.py`` is a module like any other here, checked and tested as such; ``text`` cuts out of it what some of its
functions need.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from importlib import resources

__all__ = ["FILE", "MODULE", "is_part", "methods", "text"]

MODULE = "lua_compat"
FILE = f"{MODULE}.py"


def text(names: Iterable[str]) -> str:
    """The library with these functions, and what they use of it."""
    source, parts, imports = _parts()
    used: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            waiting += _names_in(parts[name]) & parts.keys()
    mentioned = {"annotations"}.union(*(_names_in(parts[name]) for name in used))
    doc = ast.get_source_segment(source, ast.parse(source).body[0]) or ""
    lines = [doc, "", *_import_lines(imports, mentioned)]
    for name in (name for name in parts if name in used):  # in their order there
        gap = ["", ""] if isinstance(parts[name], ast.FunctionDef) else [""]
        lines += [*gap, ast.get_source_segment(source, parts[name]) or ""]
    return "\n".join(lines) + "\n"


def is_part(code: str) -> bool:
    """Whether code is what ``text`` gives for some functions."""
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError):
        return False
    names = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    return bool(names) and names <= _parts()[1].keys() and code == text(names)


@cache
def methods(kind: str) -> frozenset[str]:
    """The methods that the library has for values of a kind, ``tensor``, ``module`` or ``text``."""
    node = _parts()[1][f"{kind.upper()}_METHODS"]
    assert isinstance(node, ast.AnnAssign)
    assert isinstance(node.value, ast.Dict)
    names = {key.value for key in node.value.keys if isinstance(key, ast.Constant)}
    if kind == "tensor":
        elementwise = _parts()[1]["ELEMENTWISE"]
        assert isinstance(elementwise, ast.Assign)
        names |= {
            word
            for part in ast.walk(elementwise)
            if isinstance(part, ast.Constant)
            for word in str(part.value).split()
        }
    return frozenset(str(name) for name in names)


@cache
def _parts() -> tuple[str, dict[str, ast.stmt], list[ast.Import | ast.ImportFrom]]:
    """The library's source, its functions and constants by their names, and its imports."""
    source = resources.files(__name__).joinpath(FILE).read_text(encoding="utf-8")
    parts: dict[str, ast.stmt] = {}
    imports: list[ast.Import | ast.ImportFrom] = []
    for node in ast.parse(source).body[1:]:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            imports.append(node)
        elif isinstance(node, ast.FunctionDef):
            parts[node.name] = node
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            assert isinstance(target, ast.Name)
            parts[target.id] = node
        else:
            raise ValueError(f"{FILE}:{node.lineno}: neither a function nor a constant")
    return source, parts, imports


def _names_in(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _import_lines(imports: list[ast.Import | ast.ImportFrom], mentioned: set[str]) -> Iterable[str]:
    """The imports of what is mentioned, the standard library's apart from others."""
    before = ""
    for node in imports:
        kept = [alias for alias in node.names if (alias.asname or alias.name) in mentioned]
        if not kept:
            continue
        names = ", ".join(alias.name for alias in kept)
        module = node.module if isinstance(node, ast.ImportFrom) else names
        group = {"__future__": "future", "torch": "torch"}.get(str(module), "standard")
        if before and group != before:
            yield ""
        before = group
        yield f"from {module} import {names}" if isinstance(node, ast.ImportFrom) else f"import {names}"
