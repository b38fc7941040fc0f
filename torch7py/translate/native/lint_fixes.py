"""What a linter would say about a page, put right: names that nothing uses, imports for what they do, and packages.

A name that is given a value and never used gets an underscore before it. In a page with statements that have no
translation such names stay, as these statements use them: a line at its top says so, to the linter too.
"""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from torch7py.translate.native.page_names import table_of, unresolved
from torch7py.translate.quoting import quoted

__all__ = ["tidied"]

_FOR_WHAT_IT_DOES = re.compile(r" *import [\w.]+  # noqa: F401 \(for what it does\)")
_KEPT_OPEN = re.compile(r"(?m)^ *[\w., \[\]\"']+ = open\([^#\n]*\)$")
_ANNOUNCED = re.compile(r"( *)(\w+) = None")
_IMPORT = re.compile(r"(?m)^(?:from [\w.]+ )?import ([\w.]+(?: as \w+)?)\n")
_GONE = "\0"  # a line that is taken out
_UNFINISHED = 'raise NotImplementedError("T7-'


def tidied(page: str, path: str, others: Iterable[str]) -> str:
    """A page, before its lines are laid out; ``path`` is where it is written, of ``others`` beside it."""
    page = _without_announcements(page)
    table = table_of(page)
    codes: set[str] = set()
    unused = {table: names for table in _functions(table) if (names := _unused(table))}
    if unused:
        places = _places(page, unused)
        if _UNFINISHED in page:
            codes |= {code for _, _, code in places}
        else:
            page = _renamed(page, places)
    if _UNFINISHED in page and any(not name.startswith("__") for name in unresolved(page, set())):
        codes.add("F821")
    if "global " in page:
        page = _without_idle_globals(page, table)
    if "= open(" in page:
        page = _KEPT_OPEN.sub(r"\g<0>  # noqa: SIM115", page)
    if "for what it does" in page:
        page = _with_needed(page, table)
    if path.endswith("__init__.py"):
        page = _with_exports(page, table)
    elif _UNFINISHED in page:
        page = _without_imports(page, table)
    why = "what is not translated would use them" if codes else ""
    package = f"{PurePosixPath(path).parent}/__init__.py"
    if not re.fullmatch(r"[a-z_][a-z\d_]*", PurePosixPath(path).stem) and package in others:
        codes.add("N999")
        why = f"its name is Lua's{', and ' if why else ''}{why}"
    if codes:
        end = page.index('"""', 3) + 3
        page = f"{page[:end]}\n\n# ruff: noqa: {', '.join(sorted(codes))} ({why}){page[end:]}"
    return page


def _without_announcements(page: str) -> str:
    """The page without the empty values of names that are functions or classes of the same block later on.

    Lua has to name what functions use before these; Python looks when they run. Nor has it those of names of which the
    next that is said is what they are where they have no value: ``size = size or 10``.
    """
    lines = page.split("\n")
    for number, line in enumerate(lines):
        match = _ANNOUNCED.fullmatch(line) if line.endswith(" = None") else None
        if match is None:
            continue
        indent, name = match.groups()
        default_prefix = f"{indent}{name} = {name} if {name} is not None else "
        if default_prefix not in page and re.search(rf"(?m)^{indent}(?:def|class) {name}\b", page) is None:
            continue
        for later_number, later in enumerate(lines[number + 1 :], number + 1):
            if later.startswith((f"{indent}def {name}(", f"{indent}class {name}")):
                lines[number] = _GONE
            elif (
                later.startswith(default_prefix)
                and re.search(rf"\b{name}\b", later[len(default_prefix) :]) is None
            ):
                lines[number], lines[later_number] = _GONE, f"{indent}{name} = {later[len(default_prefix) :]}"
            elif re.search(rf"\b{name}\b", later) is None and (not later.strip() or later.startswith(indent)):
                continue
            break
    return "\n".join(line for line in lines if line != _GONE)


def _functions(table: symtable.SymbolTable) -> Iterator[symtable.Function]:
    for inner in table.get_children():
        if isinstance(inner, symtable.Function) and inner.get_name() != "lambda":
            yield inner
        yield from _functions(inner)


def _unused(function: symtable.Function) -> set[str]:
    """The names that a function gives values and nothing reads."""
    names: set[str] = set()
    for name in function.get_locals():
        symbol = function.lookup(name)
        if not (symbol.is_referenced() or symbol.is_parameter() or symbol.is_imported() or name[0] == "_"):
            names.add(name)
    names = {name for name in names if function.lookup(name).is_assigned()}
    return names - _free(function) if names else names


def _free(table: symtable.SymbolTable) -> set[str]:
    """The names of a function that those inside it use."""
    names: set[str] = set()
    for inner in table.get_children():
        names |= {symbol.get_name() for symbol in inner.get_symbols() if symbol.is_free()} | _free(inner)
    return names


# Where a name stands, its new one, and what a linter calls that it is not used.
_Replacement = tuple[ast.Name, str, str]


def _places(page: str, unused: dict[symtable.Function, set[str]]) -> list[_Replacement]:
    by_line = {(table.get_lineno(), table.get_name()): (table, names) for table, names in unused.items()}
    replacements: list[_Replacement] = []
    for node in ast.walk(ast.parse(page)):
        if isinstance(node, ast.FunctionDef) and (node.lineno, node.name) in by_line:
            table, names = by_line[node.lineno, node.name]
            taken = set(table.get_identifiers())
            uses: dict[str, list[tuple[ast.Name, str]]] = {}
            for name, code in _bound_names(node):
                if name.id in names:
                    uses.setdefault(name.id, []).append((name, code))
            for called, places in uses.items():
                last = max(places, key=lambda use: (use[0].lineno, use[0].col_offset))
                if last[1] and all(code != "used" for _, code in places) and f"_{called}" not in taken:
                    replacements += [(use, f"_{called}", last[1]) for use, _ in places]
    return replacements


def _bound_names(function: ast.FunctionDef) -> Iterator[tuple[ast.Name, str]]:
    """The names that a function itself gives values, and what a linter says where that is not used."""
    waiting: list[tuple[ast.AST, str]] = [(statement, "") for statement in function.body]
    while waiting:
        node, code = waiting.pop()
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                yield node, "used" if isinstance(node.ctx, ast.Del) else code
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                split = isinstance(target, (ast.Tuple, ast.List)) and not isinstance(node.value, ast.Tuple)
                waiting.append((target, "RUF059" if split else "F841"))
            if node.value is not None:
                waiting.append((node.value, ""))
        elif isinstance(node, ast.AugAssign):
            waiting += [(node.target, "used"), (node.value, "")]
        elif isinstance(node, (ast.NamedExpr, ast.withitem)):
            name = node.target if isinstance(node, ast.NamedExpr) else node.optional_vars
            value = node.value if isinstance(node, ast.NamedExpr) else node.context_expr
            waiting += [(value, ""), *([(name, "F841")] if name is not None else [])]
        elif isinstance(node, (ast.Tuple, ast.List, ast.Starred)):
            waiting += [(child, code) for child in ast.iter_child_nodes(node)]
        elif not isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda)):
            waiting += [(child, "") for child in ast.iter_child_nodes(node)]


def _renamed(page: str, places: list[_Replacement]) -> str:
    lines = page.split("\n")
    for node, name, _ in sorted(places, key=lambda entry: -entry[0].col_offset):
        line = lines[node.lineno - 1].encode()
        lines[node.lineno - 1] = (
            line[: node.col_offset] + name.encode() + line[node.end_col_offset :]
        ).decode()
    return "\n".join(lines)


def _without_idle_globals(page: str, table: symtable.SymbolTable) -> str:
    """The page without those names in ``global`` that the function gives no value."""
    lines = page.split("\n")
    for function in _functions(table):
        names = {
            s.get_name() for s in function.get_symbols() if s.is_declared_global() and not s.is_assigned()
        }
        if names:
            at = function.get_lineno()
            while not lines[at].lstrip().startswith("global "):
                at += 1
            indent, _, declared_names = lines[at].partition("global ")
            kept = [name for name in declared_names.split(", ") if name not in names]
            rest = next((text for text in lines[at + 1 :] if text.strip() and text.strip()[0] != "#"), "")
            empty = f"{indent}pass" if not rest.startswith(indent) else _GONE  # where nothing else is in it
            lines[at] = f"{indent}global {', '.join(kept)}" if kept else empty
    return "\n".join(line for line in lines if line != _GONE)


def _with_needed(page: str, table: symtable.SymbolTable) -> str:
    """The page with the marks at its imports that a linter wants: the last of a package in a scope."""
    lines = page.split("\n")
    last: dict[tuple[int, str], int] = {}
    marked: dict[int, tuple[int, str]] = {}
    scopes: list[tuple[int, int]] = []  # the functions around: how far indented, on which line
    for number, line in enumerate(lines):
        text = line.lstrip(" ")
        indent = len(line) - len(text)
        while text and scopes and indent <= scopes[-1][0]:
            scopes.pop()
        if text.startswith("def "):
            scopes.append((indent, number))
        elif text.startswith("import "):
            root = re.split(r"[. ]", text)[1]
            scope = (scopes[-1][1] if scopes else -1, root)
            last[scope] = number
            if _FOR_WHAT_IT_DOES.fullmatch(line):
                marked[number] = scope
    used = _used(table) | {s.get_name() for s in table.get_symbols() if s.is_imported() and s.is_assigned()}
    anywhere = _used_anywhere(table)
    for number, scope in marked.items():
        if scope[1] in (used if scope[0] < 0 else anywhere) or last[scope] != number:
            lines[number] = lines[number].replace("noqa: F401 (for what it does)", "for what it does")
    return "\n".join(lines)


def _used(table: symtable.SymbolTable) -> set[str]:
    """The names of the page that it uses, in whatever function."""
    outer = table.get_type() == "module"
    names = {s.get_name() for s in table.get_symbols() if s.is_referenced() and (outer or s.is_global())}
    return names.union(*map(_used, table.get_children()))


def _used_anywhere(table: symtable.SymbolTable) -> set[str]:
    names = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    return names.union(*map(_used_anywhere, table.get_children()))


def _without_imports(page: str, table: symtable.SymbolTable) -> str:
    """An unfinished page without the imports that only what is not translated would use."""
    used = _used(table)
    unused = {s.get_name() for s in table.get_symbols() if s.is_imported() and not s.is_assigned()} - used
    if not unused:
        return page

    def line(match: re.Match[str]) -> str:
        name = match[1].split()[-1].partition(".")[0]
        return "" if name in unused else match[0]

    return _IMPORT.sub(line, page)


def _with_exports(page: str, table: symtable.SymbolTable) -> str:
    """A package's page, with what it imports for others as what it gives."""
    used = _used(table)
    names = {
        symbol.get_name()
        for symbol in table.get_symbols()
        if symbol.is_imported() and symbol.get_name() not in used
    }
    imports = list(re.finditer(r"(?m)^from [\w.]+ import (.*)$", page))
    exports = {name.split()[-1] for match in imports for name in match[1].split(", ")} & names
    if not exports:
        return page
    end = imports[-1].end()
    shown = ", ".join(quoted(name) for name in sorted(exports, key=_export_order))
    return f"{page[:end]}\n\n__all__ = [{shown}]{page[end:]}"


def _export_order(name: str) -> tuple[int, str]:
    """The order of names in ``__all__``: constants, classes, others."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2, name)
