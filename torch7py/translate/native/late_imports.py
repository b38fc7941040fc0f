"""Files that are imported in the middle of ``main``: what they do depends on what the script did before.

A required file's page does what the file does when it is imported, as a rule at the top of the page. Where the file
reads what the script has put into a global by then, draws numbers or makes layers after the script's seed, or is run
in a branch, the import stands where the script ran the file. A file that uses what such a file makes comes no earlier.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from torch7py.translate import tree
from torch7py.translate.native.interfaces.modules import Modules
from torch7py.translate.native.project import Project
from torch7py.translate.native.source_files import SourceFile
from torch7py.translate.scopes import Scope, Scopes, Variable
from torch7py.translate.tree import Call, Invoke, Statement
from torch7py.translate.tree_queries import dotted

__all__ = ["find_late", "mark", "name_imports"]

_MARK = "...  # import "
# What the script may do that changes what a file makes.
_SETTINGS = {"torch.manualSeed", "torch.setdefaulttensortype", "cutorch.manualSeed", "cutorch.manualSeedAll"}


def find_late(scopes: Scopes, modules: Modules) -> set[SourceFile]:
    """The files whose import stands in the script's ``main``."""
    project = modules.project
    late = {file for file, early in _runs(project) if _depends(scopes, modules, file, early)}
    while True:  # and those that use what these make
        more = {
            file for file in project.files if file not in late and _uses(modules, project, scopes, file, late)
        }
        if not more:
            return late
        late |= more


def _runs(project: Project) -> Iterator[tuple[SourceFile, list[Statement] | None]]:
    """Each file that the script runs at its top, with the statements before; None where it is in a branch."""
    before: list[Statement] = []
    for statement in project.script.block.statements:
        for node in _at_once(statement):
            if isinstance(node, Call) and node in project.requires:
                is_unconditional = node in tree.direct_nodes(statement)
                yield project.requires[node], list(before) if is_unconditional else None
        before.append(statement)


def _at_once(node: tree.Node | tree.Block) -> Iterator[tree.Node | tree.Block]:
    """What is done when a statement is: without the functions in it."""
    stack: list[tree.Node | tree.Block] = [node]
    while stack:
        node = stack.pop()
        if isinstance(node, (tree.Function, tree.LocalFunction, tree.FunctionStatement)):
            continue
        yield node
        stack += tree.children(node)[::-1]


def _depends(scopes: Scopes, modules: Modules, file: SourceFile, before: list[Statement] | None) -> bool:
    """Whether what a file does depends on what the script has done before."""
    calls = _calls(modules.project, file)
    if before is None:
        return bool(calls) or any(
            isinstance(s, tree.Assign)
            or (isinstance(s, tree.FunctionStatement) and isinstance(s.target, tree.Name))
            for s in file.block.statements
        )
    scope = modules.scope_of[file]
    variables = {v for v in modules.shared if scopes.main in v.writers}
    variables = {v for v in variables if any(_writes(statement, v, scopes) for statement in before)}
    if any(scope in variable.readers for variable in variables):
        return True
    its_files = _with_required(modules.project, file)
    inner = {s for v in variables for s in v.readers if modules.file_of(s) in its_files}
    set_before = any(
        isinstance(node, Call) and dotted(node.callee) in _SETTINGS
        for statement in before
        for node in _at_once(statement)
    )
    return bool(calls) and (bool(inner) or set_before)


def _with_required(project: Project, file: SourceFile) -> set[SourceFile]:
    """A file and those that it requires, whose functions it may call."""
    files, waiting = {file}, [file]
    while waiting:
        calls = tree.every(waiting.pop().block, Call)
        more = {project.requires[call] for call in calls if call in project.requires} - files
        files |= more
        waiting += more
    return files


def _writes(statement: Statement, variable: Variable, scopes: Scopes) -> bool:
    names = [node for node in _at_once(statement) if isinstance(node, tree.Name)]
    return any(scopes.of_name.get(name) is variable for name in names if name in variable.writes)


def _calls(project: Project, file: SourceFile) -> list[tree.Node]:
    """The calls that a file makes when it is run, but for those that only name other files and classes."""
    return [
        node
        for statement in file.block.statements
        for node in _at_once(statement)
        if isinstance(node, Invoke)
        or (isinstance(node, Call) and dotted(node.callee) not in ("require", "torch.class", "class"))
    ]


def _uses(
    modules: Modules, project: Project, scopes: Scopes, file: SourceFile, late: set[SourceFile]
) -> bool:
    if any(isinstance(n, Call) and project.requires.get(n) in late for n in tree.walk(file.block)):
        return True
    mine: set[Scope] = {
        s for s in [modules.scope_of[file], *scopes.of_function.values()] if _is_of(modules, s, file)
    }
    return any(
        not mine.isdisjoint(variable.readers) for variable, owner in modules.owners.items() if owner in late
    )


def _is_of(modules: Modules, scope: Scope, file: SourceFile) -> bool:
    return modules.file_of(scope) is file


def mark(file: SourceFile) -> str:
    """The line that stands for the import of a file until it is known what is used of it."""
    return f"{_MARK}{file.module}"


def name_imports(block: str, names: dict[str, list[str]]) -> str:
    """A piece of a page whose imports of files say what they import; ``names`` by module."""

    def line(match: re.Match[str]) -> str:
        used = names.get(match[2])
        if used:
            return f"{match[1]}from {match[2]} import {', '.join(sorted(used))}"
        return f"{match[1]}import {match[2]}  # noqa: F401 (for what it does)"

    return re.sub(rf"(?m)^( *){re.escape(_MARK)}([\w.]+)$", line, block)
