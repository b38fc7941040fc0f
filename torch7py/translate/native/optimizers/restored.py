"""States of optimizers that come from files: an optimizer is made, and then given the state that was saved of one."""

from __future__ import annotations

from torch7py.translate import tree
from torch7py.translate.native.analysis.optimizers import Restored
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Binary, Call, Expression, Index, Name
from torch7py.translate.tree_queries import bare, returns_of

__all__ = ["is_loaded", "restored"]


def restored(t: Translation, value: Expression | None) -> tuple[Expression | None, Restored | None]:
    """What a state is given: settings, what a file has of it, or one of both: ``saved and saved.state or {...}``."""
    value = None if value is None else bare(value)
    if isinstance(value, Binary) and value.operator == "or" and isinstance(value.right, tree.Table):
        state = _inner(value.left)
        if is_loaded(t, state):
            return value.right, Restored(state, value.left)
    elif value is not None and is_loaded(t, value):
        return tree.Table(value.span, ()), Restored(value, None)
    return value, None


def _inner(node: Expression) -> Expression:
    """What ``a and b`` gives where both are there."""
    while isinstance(node, tree.Paren) or (isinstance(node, Binary) and node.operator == "and"):
        node = node.inner if isinstance(node, tree.Paren) else node.right
    return node


def is_loaded(t: Translation, node: Expression, seen: frozenset[Variable] = frozenset()) -> bool:
    """Whether something comes from a file, if it is there at all."""
    while isinstance(node, (tree.Paren, Index)):
        node = node.inner if isinstance(node, tree.Paren) else node.base
    if isinstance(node, Binary):
        sides = [node.right] if node.operator == "and" else [node.left, node.right]
        logical = node.operator in ("and", "or")
        return logical and all(is_loaded(t, side, seen) for side in sides)
    if isinstance(node, Call):
        return t.path(node.callee) == "torch.load" or _gives_loaded(t, node, 0, seen)
    if not isinstance(node, Name):
        return False
    variable = t.scopes.of_name[node]
    if variable in seen:
        return False
    seen |= {variable}
    sources = [s for s in t.integers.sources(variable) if not isinstance(s, (bool, tree.Nil))]
    several = _places(t, variable)
    arguments = _arguments(t, variable)
    return (
        bool(sources or several or arguments is not None)
        and all(is_loaded(t, source, seen) for source in sources)
        and all(_gives_loaded(t, call, at, seen) for call, at in several)
        and all(is_loaded(t, argument, seen) for argument in arguments or ())
    )


def _places(t: Translation, variable: Variable) -> list[tuple[Call, int]]:
    """The calls that give a variable one of their several values, and which of them."""
    calls = []
    for node in tree.every(t.program, tree.Assignment):
        last = node.values[-1] if node.values else None
        for at, name in enumerate(node.targets[len(node.values) - 1 :] if isinstance(last, Call) else ()):
            is_it = isinstance(name, Name) and t.scopes.of_name[name] is variable
            if is_it and isinstance(last, Call) and len(node.targets) > len(node.values):
                calls.append((last, at))
    return calls


def _arguments(t: Translation, variable: Variable) -> list[Expression] | None:
    """What the calls of a function give one of its parameters, if anything; None for another variable."""
    for function, calls in t.types.calls_of.items():
        for at, parameter in enumerate(function.parameters):
            if t.scopes.of_name[parameter] is variable:
                arguments = [call.arguments[at] for call in calls if at < len(call.arguments)]
                return [argument for argument in arguments if not isinstance(argument, tree.Nil)]
    return None


def _gives_loaded(t: Translation, call: Call, at: int, seen: frozenset[Variable]) -> bool:
    """Whether one of the values of a function of the program comes from a file, if it is there."""
    functions = t.types.function_called(call)
    for function in functions:
        for node in returns_of(function):
            value = node.values[at] if at < len(node.values) else None
            if value is not None and not isinstance(value, tree.Nil) and not is_loaded(t, value, seen):
                return False
    return bool(functions)
