"""Names that a page uses and nothing in it makes, as what would make them was left out: an error of the page there.

A part of a graph that has no form is one, or the weights that a function for optim is given where it is called
otherwise. Each rule that leaves something out sees to its uses; this is for what none of them saw.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from torch7py.translate import tree
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.page_names import unresolved
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.source_files import SourceFile
from torch7py.translate.quoting import comment, quoted
from torch7py.translate.tree import Block, Name, Statement

__all__ = ["refuse"]

_Found = tuple[ast.stmt, str]


def refuse(t: Translation, file: SourceFile, page: str) -> str:
    """The page with an error before each statement that it cannot get through, which is noted as a problem."""
    names = {name for name in unresolved(page, set()) if not name.startswith("__")}
    late = {
        name: line for name in sorted(names) if (line := t.modules.late_class_import(file, name)) is not None
    }
    if late:
        page = _with_imports(page, late)
        names = {name for name in unresolved(page, set()) if not name.startswith("__")}
    if not names:
        return page
    module = ast.parse(page)
    if any(isinstance(statement, ast.Raise) for statement in module.body):
        return page  # it goes no further anyway
    lines = page.split("\n")
    uses = list(_in_block(module.body, names, lines))
    for statement, name in sorted(uses, key=lambda use: -use[0].lineno):
        problem = _problem(t, file, name)
        line = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", ()))])
        where = f"{file.name}:{problem.line}"
        indent = " " * statement.col_offset
        lines[line - 1 : line - 1] = [
            indent + comment(f"{where}: {problem.reason}"),
            f"{indent}raise NotImplementedError({quoted(f'{problem.code}: {where}')})",
        ]
    return "\n".join(lines)


def _with_imports(page: str, imports: dict[str, str]) -> str:
    """A page whose functions import classes that a later file makes, when they run."""
    lines = page.split("\n")
    waiting: list[ast.stmt] = list(ast.parse(page).body)
    places: list[tuple[ast.stmt, list[str]]] = []
    while waiting:
        statement = waiting.pop()
        if isinstance(statement, ast.FunctionDef):
            read = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
            wanted = [line for name, line in imports.items() if name in read]
            first = statement.body[0]
            is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            if wanted and not (is_docstring and len(statement.body) == 1):
                places.append((statement.body[1] if is_docstring else first, wanted))
        elif isinstance(statement, ast.ClassDef):
            waiting += statement.body
    for first, wanted in sorted(places, key=lambda place: -place[0].lineno):
        at = min([first.lineno, *(d.lineno for d in getattr(first, "decorator_list", ()))]) - 1
        if lines[at][: first.col_offset].strip():
            continue  # a function in one line
        lines[at:at] = [" " * first.col_offset + line for line in wanted]
    return "\n".join(lines)


def _in_block(block: Sequence[ast.stmt], names: set[str], lines: list[str]) -> Iterator[_Found]:
    """The first statement of a block, and of those in it, that uses one of the names."""
    for statement in block:
        used = sorted(_used(statement, lines) & names)
        if used:
            yield statement, used[0]
            return
        inner = names - _bound(statement) if isinstance(statement, ast.FunctionDef) else names
        for inner_block in _blocks(statement):
            yield from _in_block(inner_block, inner, lines)
        if isinstance(statement, ast.Raise):
            return


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        inside = getattr(statement, name, None)
        if inside:
            yield inside
    for handler in getattr(statement, "handlers", ()):
        yield handler.body


def _used(statement: ast.stmt, lines: list[str]) -> set[str]:
    """The names that a statement itself reads, without the statements in it but with the tests of its ``elif``."""
    names: set[str] = set()
    bound: set[str] = set()
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name):
            (names if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        for child in ast.iter_child_nodes(node):
            other = isinstance(child, ast.If) and lines[child.lineno - 1].lstrip().startswith("elif ")
            if not isinstance(child, (ast.stmt, ast.ExceptHandler)) or other:
                waiting.append(child)
    return names - (bound if isinstance(statement, (ast.FunctionDef, ast.ClassDef)) else set())


def _bound(function: ast.FunctionDef) -> set[str]:
    """The names that a function makes itself, not those that functions in it make."""
    names: set[str] = set()
    waiting: list[ast.AST] = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        else:
            waiting += ast.iter_child_nodes(node)
    return names


def _problem(t: Translation, file: SourceFile, name: str) -> Problem:
    """The problem, at the place where the program reads the variable; its statement counts as not translated."""
    line, called = 1, name
    for statement, node in _names(file.block):
        if t.names.of(node) == name and node in t.scopes.of_name[node].reads:
            line, called = node.line, node.name
            t.failed.append(statement)
            break
    problem = Problem("T7-253", line, f"{called}, whose value is made by what the page leaves out")
    problem.file = file.name
    t.problems.append(problem)
    return problem


def _names(block: Block) -> Iterator[tuple[Statement, Name]]:
    """The names of a file, each with the innermost statement around it."""
    waiting: list[tuple[Statement | None, tree.Node | Block]] = [(None, block)]
    while waiting:
        statement, node = waiting.pop()
        if isinstance(node, Statement):
            statement = node
        if isinstance(node, Name) and statement is not None:
            yield statement, node
        waiting.extend((statement, child) for child in reversed(list(tree.children(node))))
