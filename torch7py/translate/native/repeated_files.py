"""Files that a program runs again, or from within a function: ``dofile 'part.lua'`` in a loop.

A page is a module, which Python runs once. So such a file becomes one function without parameters, whose body is the
file, and each ``dofile`` a call of it: its locals are new each time, its globals are everybody's, as in Lua. So does
a file that returns in its middle, or several values, which a module of Python's cannot.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from torch7py.translate import tree
from torch7py.translate.native.code import python_name
from torch7py.translate.native.source_files import SourceFile
from torch7py.translate.native.tree_replacement import replace_in
from torch7py.translate.tree import Around, Block, Call, Expression, Name, Node, Span
from torch7py.translate.tree_queries import LOOPS, dotted, only_value, returns_of

__all__ = ["written_as_functions"]


def written_as_functions(files: list[SourceFile], script: SourceFile, runs: dict[Call, SourceFile]) -> None:
    """Make functions of the files that run more than once, and calls of these of what runs them.

    ``runs``: the calls that run a file. Those of such files give way to a ``require`` at the head of each file that
    calls the function.
    """
    everything = [*files, script]
    home = {call: file for file in everything for call in tree.every(file.block, Call) if call in runs}
    repeated, again = _repeated(runs, home), _required_and_run_again(runs, home)
    required = {runs[call] for call in home if _is_require(call)}
    for file in filter(_returns_as_no_module_can, {runs[call] for call in home} - again - repeated):
        (again if file in required else repeated).add(file)
    if not repeated | again:
        return
    names = {name.name for file in everything for name in tree.every(file.block, Name)}
    for file in (file for file in files if file in repeated | again):
        name = python_name(f"run_{PurePosixPath(file.name).stem}")
        while name in names:
            name += "_"
        names.add(name)
        calls = [
            call for call in home if runs.get(call) is file and not (file in again and _is_require(call))
        ]
        for user in {home[call]: None for call in calls}:
            new: dict[Expression, Expression] = {
                call: Call(call.span, Name(call.callee.span, name), ())
                for call in calls
                if home[call] is user
            }
            replace_in(user.block, new)
            if file in again:
                _forget_nodes(user.block)
            else:
                runs[_require_first(user.block, file)] = file
        for call in calls:
            del runs[call]
        _put_into_function(file, name, runs_once=file in again)


def _required_and_run_again(runs: dict[Call, SourceFile], home: dict[Call, SourceFile]) -> set[SourceFile]:
    """The files that are required, and run again by files that have required them before."""
    required: dict[SourceFile, list[Call]] = {}
    others: dict[SourceFile, list[Call]] = {}
    for call in home:
        (required if _is_require(call) else others).setdefault(runs[call], []).append(call)
    inside = {call for file in {*home.values()} for call in _calls_inside(file.block)}
    return {
        file
        for file, calls in others.items()
        if file in required
        and all(
            any(
                home[first] is home[call] and first not in inside and first.span.end <= call.span.start
                for first in required[file]
            )
            for call in calls
        )
    }


def _repeated(runs: dict[Call, SourceFile], home: dict[Call, SourceFile]) -> set[SourceFile]:
    """The files that ``dofile`` runs several times, in loops or functions, or from such files."""
    inside = {call for file in {*home.values()} for call in _calls_inside(file.block)}
    calls_of: dict[SourceFile, list[Call]] = {}
    for call in home:  # others are of a tree that was read before it was known where the files are
        calls_of.setdefault(runs[call], []).append(call)
    # A file that is required as well runs once for all who require it, and so does one that makes a class of Torch7's:
    # a second one of that name is an error.
    for file in [f for f, calls in calls_of.items() if any(map(_is_require, calls)) or _makes_class(f.block)]:
        for call in calls_of.pop(file):
            if _makes_class(file.block) and not _is_require(call):
                required = Name(call.callee.span, "require")
                replace_in(home[call].block, {call.callee: required})
    repeated: set[SourceFile] = set()
    while True:
        more = {
            file
            for file, calls in calls_of.items()
            if len(calls) > 1 or calls[0] in inside or home[calls[0]] in repeated
        }
        if more == repeated:
            return repeated
        repeated = more


def _returns_as_no_module_can(file: SourceFile) -> bool:
    """Whether a file returns in its middle, or several values."""
    assert file.function is not None
    end = file.block.statements[-1] if file.block.statements else None
    return any(node is not end or len(node.values) > 1 for node in returns_of(file.function))


def _is_require(call: Call) -> bool:
    return dotted(call.callee) in ("require", "torch.include")


def _makes_class(block: Block) -> bool:
    """Whether a file makes a class of Torch7's wherever it runs."""
    values = [value for s in block.statements for value in (only_value(s),) if isinstance(value, Call)]
    return any(dotted(value.callee) == "torch.class" for value in values)


def _calls_inside(block: Block) -> set[Call]:
    """The calls in functions and loops."""
    outer: list[Node] = tree.those(block, tree.Function, *LOOPS)
    return {node for around in outer for node in tree.walk(around) if isinstance(node, Call)}


def _require_first(block: Block, file: SourceFile) -> Call:
    """Put what imports a file's page before the statements of another."""
    position = block.statements[0].span
    start = Span(position.line, position.column, position.start, position.start)
    call = Call(start, Name(start, "require"), (tree.String(start, file.name),))
    block.statements = (tree.Run(start, Around(), call), *block.statements)
    _forget_nodes(block)
    return call


def _put_into_function(file: SourceFile, name: str, runs_once: bool = False) -> None:
    """Make a file one function. ``runs_once``: what requires the file gets what the first call of that gives."""
    assert file.function is not None
    body = file.block
    position = file.function.span
    has_rest = any(True for _ in tree.every(body, tree.Vararg))
    function = tree.Function(position, (), has_rest, body, name)
    statement = tree.FunctionStatement(position, Around(), Name(position, name), False, function)
    call = Call(position, Name(position, name), ())
    gives = any(node.values for node in returns_of(function))
    first = tree.Return(position, Around(), (call,)) if gives else tree.Run(position, Around(), call)
    file.block = Block((statement, first) if runs_once else (statement,), None, ())
    file.function = tree.Function(position, (), False, file.block, file.name)


def _forget_nodes(block: Block) -> None:
    """What is kept of a tree that was changed since."""
    for kept in ("below", "all_below", "by_class"):
        setattr(block, kept, None)
