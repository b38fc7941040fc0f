"""Texts that a program puts together: of what pieces, and which values a variable among them may have."""

from __future__ import annotations

import re

from torch7py.translate import tree
from torch7py.translate.native.analysis.program_facts import Known
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Binary, Call, Expression, Index, Invoke, Name, String
from torch7py.translate.tree_queries import bare

__all__ = ["known_texts", "pieces"]


def pieces(t: Known, node: Expression) -> list[Expression]:
    """The literals and other expressions of which a text is put together, by ``..`` or by ``string.format``."""
    node = bare(node)
    if isinstance(node, Binary) and node.operator == "..":
        return [*pieces(t, node.left), *pieces(t, node.right)]
    formatted: list[Expression] = []
    if isinstance(node, Call) and t.path(node.callee) == "string.format":
        formatted = [*node.arguments]
    elif isinstance(node, Invoke) and node.method == "format":
        formatted = [bare(node.receiver), *node.arguments]
    if formatted:
        form, *values = formatted
        if isinstance(form, String) and form.value.count("%") == form.value.count("%s") == len(values):
            literals = [String(form.span, text) for text in re.split("%s", form.value)]
            inner = [piece for pair in zip(literals, values, strict=False) for piece in pair]
            return [*inner, literals[-1]]
    if isinstance(node, Name):
        sources = t.integers.sources(t.scopes.of_name[node])
        if len(sources) == 1 and not isinstance(sources[0], (bool, String, Name)):
            variable = t.scopes.of_name[node]
            inner = pieces(t, sources[0]) if variable.kind == "local" and not variable.writes else []
            if len(inner) > 1 and all(isinstance(piece, String) or _stays(t, piece) for piece in inner):
                return inner
    return [node]


def _stays(t: Known, piece: Expression) -> bool:
    """Whether a variable has one value for as long as there is it."""
    return isinstance(piece, Name) and not t.scopes.of_name[piece].writes


def known_texts(t: Known, node: Expression, seen: frozenset[Variable] = frozenset()) -> set[str] | None:
    """All texts that an expression may be; None where it may be something else."""
    node = bare(node)
    if isinstance(node, String):
        return {node.value}
    if isinstance(node, Binary) and node.operator == "or":
        return _all([known_texts(t, side, seen) for side in (node.left, node.right)])
    if not isinstance(node, Name):
        return None
    variable = t.scopes.of_name[node]
    if variable in seen:
        return set()
    if variable.is_global or (variable.kind == "parameter" and not _is_only_called(t, variable)):
        return None
    sources = t.integers.sources(variable)
    texts = [None if isinstance(s, bool) else known_texts(t, s, seen | {variable}) for s in sources]
    return _all(texts) if sources else None


def _all(parts: list[set[str] | None]) -> set[str] | None:
    texts: set[str] = set()
    for part in parts:
        if part is None:
            return None
        texts |= part
    return texts


def _is_only_called(t: Known, parameter: Variable) -> bool:
    """Whether the function of a parameter has a name by which it is called, and is nowhere a value."""
    function = parameter.scope.function if parameter.scope is not None else None
    callees = {call.callee for call in tree.every(t.program, Call)}
    for local in tree.every(t.program, tree.LocalFunction):
        if local.function is function:
            return callees.issuperset(t.scopes.of_name[local.name].reads)
    for statement in tree.every(t.program, tree.FunctionStatement):
        target = statement.target
        if statement.function is function and isinstance(target, Name):
            return callees.issuperset(t.scopes.of_name[target].reads)
        if statement.function is function and isinstance(target, Index) and isinstance(target.key, String):
            name = target.key.value
            same = [n for n in tree.every(t.program, Index) if n.key_name == name]
            return callees.issuperset(node for node in same if node is not target)
    return False
