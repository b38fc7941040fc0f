"""Methods that a program chooses by their names, ``optim[opt.method]``: one optimizer of several, made once."""

from __future__ import annotations

import re

from torch7py.translate import tree
from torch7py.translate.native.analysis.optimizers import METHODS
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.tree import Call, Expression, Index, Name, Statement

__all__ = ["by_name", "named_methods", "seen_from", "values_can_wait"]

_OF_OPTIM = {name for name in METHODS if " " not in name}


def by_name(t: Translation, callee: Expression) -> Expression | None:
    """The name of the method, of ``optim[name]`` or of a variable that only ever is that."""
    if isinstance(callee, Name):
        assignments = t.training.assigned_to(t.scopes.of_name[callee])
        value = assignments[0][1] if len(assignments) == 1 else None
        callee = callee if value is None else value
    if not isinstance(callee, Index) or isinstance(callee.key, tree.String) or t.path(callee.base) != "optim":
        return None
    return callee.key if _never_changes(t, callee.key) else None


def _never_changes(t: Translation, name: Expression) -> bool:
    """Whether a name of a method is the same wherever it is asked for: a constant, or a field nobody assigns."""
    if isinstance(name, Name):
        return t.scopes.of_name[name].constant
    if not isinstance(name, Index) or not isinstance(name.base, Name) or name.key_name is None:
        return False
    options = t.scopes.of_name[name.base]
    if t.representation(name.base) != "options" or not options.constant:
        return False
    targets = [x for s in tree.every(t.program, tree.Assignment) for x in s.targets if isinstance(x, Index)]
    of_options = t.type(name.base).find()
    return not any(
        x.key_name == name.key_name or (x.key_name is None and t.type(x.base).find() is of_options)
        for x in targets
    )


def seen_from(t: Translation, name: Expression, statement: Statement) -> bool:
    """Whether a method's name is known already where an optimizer is made."""
    variable = t.scopes.of_name[name.base if isinstance(name, Index) else name]  # type: ignore[index]
    first = variable.declaration or (variable.writes[0] if variable.writes else None)
    if first is None or first.span.start > statement.span.start:
        return False
    scope = t.surroundings.owner[statement]
    home = variable.scope or t.scopes.main
    while scope is not home and scope.parent is not None:
        scope = scope.parent
    return scope is home


def named_methods(t: Translation) -> tuple[str, ...]:
    """The methods that a program's texts name: an option's default and its help, comparisons, tables."""
    words = {
        word
        for node in tree.every(t.program, tree.String)
        for word in re.findall(r"\w+", str(node.value))
        if word in _OF_OPTIM
    }
    return tuple(name for name in METHODS if name in (words if len(words) > 1 else _OF_OPTIM))


def values_can_wait(t: Translation, table: tree.Table) -> bool:
    """Whether it makes no difference when, how often and whether the settings of a table are computed."""
    return all(
        item.key_name is not None
        and not any(isinstance(n, (Call, tree.Invoke)) for n in tree.walk(item.value))
        for item in table.fields
    )
