"""``function string.trim(s) ... end``: functions that a program puts into a library, as functions of its own."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Sequence

from torch7py.ops.registry import operations
from torch7py.packages.registry import packages
from torch7py.translate import page_library, tree
from torch7py.translate.native.tree_replacement import replace_in
from torch7py.translate.tree import Block, Call, Expression, Function, Index, Invoke, Name, Statement, String
from torch7py.translate.tree_queries import dotted

__all__ = ["read_library_functions"]

_LIBRARIES = {"string", "table", "math", "os", "io", "debug", "coroutine", "torch"}


def read_library_functions(files: Sequence[Block]) -> set[str]:
    """Put names in the place of such fields, in all files of a program.

    ``files``: in the order in which they are run. A field of that name that the library has itself is another one where
    it is used before it is written over: such a field stays. Returns those that have a name now: ``string.trim``.
    """
    definitions: dict[tuple[str, str], int] = {}
    statements: list[tuple[Statement, Index]] = []
    for file in files:
        for statement in file.statements:
            target = _defined(statement)
            if target is None or not isinstance(target.base, Name) or not isinstance(target.key, String):
                continue
            name = (target.base.name, target.key.value)
            if not (name[0] in _LIBRARIES or name[0] in packages) or not _is_plain(name[1]):
                continue
            definitions[name] = -1 if name in definitions else statement.span.start  # or twice
            statements.append((statement, target))
    definitions = {name: start for name, start in definitions.items() if start >= 0}
    uses = _uses(files, definitions) if definitions else {}
    taken = {node.name for file in files for node in tree.every(file, Name)} if definitions else set()
    new: dict[Expression, Expression] = {}
    named: set[str] = set()
    for (library, field), nodes in uses.items():
        if not nodes:
            continue
        new_name = field if field not in taken else f"{library}_{field}"
        if new_name not in taken:
            taken.add(new_name)
            named.add(f"{library}.{field}")
            new |= {node: Name(node.span, new_name) for node in nodes}
            if library == "string":
                new |= {call: _called(call, new_name) for call in _calls_of_texts(files, field)}
    others: dict[Statement, Statement] = {}
    for statement, target in statements:
        if target in new and isinstance(statement, tree.FunctionStatement):
            others[statement] = tree.FunctionStatement(
                statement.span, statement.around, new[target], False, statement.function
            )
    for file in files if new else ():
        replace_in(file, new, others)
    return named


def _methods(files: Iterable[Block]) -> set[str]:
    """The names of methods that a program defines for something else than texts."""
    targets = [node.target for file in files for node in tree.every(file, tree.FunctionStatement)]
    of_others = [t for t in targets if isinstance(t, Index) and dotted(t.base) != "string"]
    return {target.key.value for target in of_others if isinstance(target.key, String)}


def _calls_of_texts(files: Sequence[Block], method: str) -> list[Invoke]:
    """The calls of a method that are of texts: all where nothing else has it, else those that are given a text."""
    calls = [node for file in files for node in tree.every(file, Invoke) if node.method == method]
    others = operations.keys() | page_library.object_methods() | page_library.methods_of("text")
    if method not in others | _methods(files):
        return calls
    return [call for call in calls if call.arguments and isinstance(call.arguments[0], String)]


def _called(node: Invoke, name: str) -> Call:
    """``text:method(...)`` as a call of the function of this name."""
    return Call(node.span, Name(node.method_span, name), (node.receiver, *node.arguments))


def _defined(statement: Statement) -> Index | None:
    """The field that a statement puts a function into."""
    if isinstance(statement, tree.FunctionStatement):
        return statement.target if isinstance(statement.target, Index) else None
    if isinstance(statement, tree.Assign) and len(statement.targets) == len(statement.values) == 1:
        target = statement.targets[0]
        return target if isinstance(target, Index) and isinstance(statement.values[0], Function) else None
    return None


def _is_plain(name: str) -> bool:
    return name.isascii() and name.isidentifier() and not keyword.iskeyword(name)


def _uses(
    files: Iterable[Block], definitions: dict[tuple[str, str], int]
) -> dict[tuple[str, str], list[Index]]:
    """All places where these fields stand; none of one that is used before it is made, or written elsewhere."""
    uses: dict[tuple[str, str], list[Index]] = {name: [] for name in definitions}
    lost: set[tuple[str, str]] = set()
    for file in files:
        hidden = _hidden(file)
        later = {node for function in tree.every(file, Function) for node in tree.walk(function)}
        stored = {t for node in tree.every(file, tree.Assign) for t in node.targets}
        for node in tree.every(file, Index):
            if not isinstance(node.base, Name) or not isinstance(node.key, String):
                continue
            name = (node.base.name, node.key.value)
            if name not in definitions:
                continue
            early = node.span.start < definitions[name] and node not in later
            elsewhere = node in stored and node.span.start != definitions[name]
            if name[0] in hidden or early or elsewhere:
                lost.add(name)
            uses[name].append(node)
    return {name: nodes for name, nodes in uses.items() if name not in lost}


def _hidden(file: Block) -> set[str]:
    """The names of local variables of a file that hold something else than the package of that name."""
    names: set[str] = set()
    for node in tree.walk(file):
        if isinstance(node, tree.Local):
            for at, name in enumerate(node.names):
                value = node.values[at] if at < len(node.values) else None
                args = (
                    value.arguments if isinstance(value, Call) and dotted(value.callee) == "require" else ()
                )
                package = args[0].value if len(args) == 1 and isinstance(args[0], String) else None
                if package != name.name:
                    names.add(name.name)
        elif isinstance(node, tree.GenericFor):
            names.update(name.name for name in node.names)
        elif isinstance(node, tree.NumericFor):
            names.add(node.variable.name)
        elif isinstance(node, tree.LocalFunction):
            names.add(node.name.name)
        elif isinstance(node, Function):
            names.update(name.name for name in node.parameters)
    return names
