"""Loops over a function of the program's own: ``for image, label in data:batches(16) do``.

Lua calls the function at each turn, until its first value is nil. That is what ``iter`` with a sentinel does in
Python. A function of one value ends at None; one of n values ends by giving n times None. Where one of n values may end
otherwise, a small generator looks at the first.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch7py.translate import tree
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.scopes import Variable
from torch7py.translate.tree_queries import returns_of

__all__ = ["iterator_head"]

_NEVER_NIL = {"number", "tensor", "storage", "module", "criterion"}


def iterator_head(t: Translation, node: tree.GenericFor, names: list[str]) -> bool:
    """Write the line of a loop over what one of the program's functions gives; whether it is one."""
    source = node.values[0]
    functions = t.type(source).find().functions
    if len(node.values) != 1 or t.kind(source) != "function" or not functions:
        return False
    if isinstance(source, (tree.Call, tree.Invoke)) and t.calls.count(source) > 1:
        return False  # the second value would be handed to the function at each turn
    if any(map(t.counts.is_exact, functions)):
        return False  # whose end is no value, and not None
    counts = {count for function in functions for count in _counts(t, function)}
    clear = all(_ends_clearly(t, function) for function in functions)
    if len(counts) != 1 or not (clear or all(_is_plain(t, function) for function in functions)):
        return False
    if any(t.scopes.of_name[name].reads for function in functions for name in function.parameters):
        return False  # Lua hands over the state and the value before
    count = counts.pop()
    if not 0 < len(names) <= count:
        return False
    names = names + ["_"] * (count - len(names))
    if count > 1 and not clear:
        t.emit(f"for {', '.join(names)} in {t.need('turns')}({t.value(source)}):")
        return True
    sentinel = "None" if count == 1 else f"({', '.join(['None'] * count)})"
    t.emit(f"for {', '.join(names)} in iter({t.value(source)}, {sentinel}):")
    return True


def _counts(
    t: Translation, function: tree.Function, callers: frozenset[tree.Function] = frozenset()
) -> set[int]:
    """How many values a function gives; ``return self:next()`` gives those of the other."""
    counts = {t.counts.written(function)}
    for node in returns_of(function):
        called = _called_at_end(t, node)
        for inner in called if function not in callers else ():
            counts = (counts - {1}) | _counts(t, inner, callers | {function})
    return counts


def _called_at_end(t: Translation, node: tree.Return) -> Sequence[tree.Function]:
    """The functions of which one gives all that a return gives."""
    first = node.values[0] if len(node.values) == 1 else None
    return t.types.function_called(first) if isinstance(first, (tree.Call, tree.Invoke)) else []


def _ends_clearly(
    t: Translation, function: tree.Function, callers: frozenset[tree.Function] = frozenset()
) -> bool:
    """Whether each return gives values of a known number, and the first is nil only where all are."""
    if function.vararg or function in callers or not t.calls.is_fixed(function):
        return False
    alone = t.counts.written(function) == 1
    for node in returns_of(function):
        first = node.values[0] if node.values else None
        called = _called_at_end(t, node)
        if called:  # return self:next()
            if not all(_ends_clearly(t, inner, callers | {function}) for inner in called):
                return False
        elif first is None or isinstance(first, tree.Nil):
            if not all(isinstance(value, tree.Nil) for value in node.values):
                return False
        elif not _is_there(t, first) and not (alone and isinstance(first, tree.Name)):
            return False
    return True


def _is_plain(
    t: Translation, function: tree.Function, callers: frozenset[tree.Function] = frozenset()
) -> bool:
    """Whether a function gives a known number of values, whatever they are."""
    if function.vararg or function in callers or not t.calls.is_fixed(function):
        return False
    ends = [inner for node in returns_of(function) for inner in _called_at_end(t, node)]
    return all(_is_plain(t, inner, callers | {function}) for inner in ends)


def _is_there(t: Translation, node: tree.Expression, seen: set[Variable] | None = None) -> bool:
    """Whether a value is never nil, for what the program gives it. ``seen``: variables that are taken for such."""
    seen = set() if seen is None else seen
    if isinstance(node, tree.Paren):
        return _is_there(t, node.inner, seen)
    if isinstance(node, (tree.Number, tree.String, tree.Table, tree.Function, tree.Unary)):
        return True
    if isinstance(node, tree.Binary):
        return node.operator not in ("and", "or") or (
            _is_there(t, node.left, seen) and _is_there(t, node.right, seen)
        )
    if isinstance(node, tree.Index):
        return t.kind(node.base) == "tensor"
    if isinstance(node, tree.Name):
        variable = t.scopes.of_name[node]
        if variable in seen or variable.kind == "loop":
            return True
        sources = t.integers.sources(variable)
        always = len(sources) == 1 + len(variable.writes)  # also where it is declared
        if variable.kind != "local" or not always:
            return False
        seen.add(variable)
        return all(not isinstance(s, bool) and _is_there(t, s, seen) for s in sources)
    if isinstance(node, tree.Invoke):
        return t.kind(node.receiver) in ("tensor", "storage", "module") and t.kind(node) in _NEVER_NIL
    path = t.path(node.callee) if isinstance(node, tree.Call) else None
    return path is not None and path.startswith(("torch.", "math.")) and t.kind(node) in _NEVER_NIL
