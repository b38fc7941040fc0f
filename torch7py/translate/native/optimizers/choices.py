"""Methods that a program chooses by a name: ``optim[opt.method]``, or a table of methods with that name as its key."""

from __future__ import annotations

import re

from torch7py.translate import tree, tree_queries
from torch7py.translate.native.analysis.optimizers import METHODS, Choice
from torch7py.translate.native.code import atom
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.surroundings import Surroundings
from torch7py.translate.quoting import quoted
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Expression, Index, Name, Statement

__all__ = ["assigned_before", "by_name", "is_known_at", "method_at"]

# What users try where a program names but the one method that it has for itself.
_USUAL = {"sgd", "adam", "adagrad", "rmsprop"}


def method_at(t: Translation, node: Expression) -> str | None:
    """The method that ``optim.sgd`` and the like stand for."""
    path = t.path(node) or ""
    if path.startswith("optim."):
        name = path.removeprefix("optim.")
        return name if name in METHODS else None
    if isinstance(node, Index) and isinstance(node.key, tree.String):
        return _methods_in(t, node.base).get(node.key.value)
    return None


def by_name(t: Translation, node: Expression) -> Choice | None:
    """The choice that an expression makes, if it is one."""
    if not isinstance(node, Index) or isinstance(node.key, tree.String):
        return None
    if t.path(node.base) == "optim":
        named = sorted(_mentioned(t))
        return Choice(node.key, {name: name for name in named}) if named else None
    methods = _methods_in(t, node.base)
    return Choice(node.key, methods) if methods else None


def _methods_in(t: Translation, node: Expression) -> dict[str, str]:
    """The methods in a table of them, by name; nothing for other tables."""
    table = _table(t, node)
    methods: dict[str, str] = {}
    for item in table.fields if table is not None else ():
        path = t.path(item.value) or ""
        name = path.removeprefix("optim.")
        if not path.startswith("optim.") or name not in METHODS or not isinstance(item.key, tree.String):
            return {}
        methods[item.key.value] = name
    return methods


def assigned_before(t: Translation, node: Name, statement: Statement) -> Choice | None:
    """The choice that a variable is, to which the program has assigned methods before a statement.

    Such a variable is written as one that holds the method's name.
    """
    variable = t.scopes.of_name[node]
    methods: dict[str, str] = {}
    values: dict[Expression, str] = {}
    for assignment, value in t.training.assigned_to(variable):
        method = method_at(t, value) if value is not None else None
        if value is None or method is None or assignment.span.start > statement.span.start:
            return None
        if t.surroundings.owner[assignment] is not t.surroundings.owner[statement]:
            return None
        methods[method], values[value] = method, method
    for value, method in values.items():
        t.expressions.instead[value] = atom(quoted(method))
    return Choice(node, methods) if methods else None


def _mentioned(t: Translation) -> set[str]:
    """The methods that the program speaks of: in options, their defaults and help, in conditions, in lists of names."""
    words: set[str] = set()
    for node in tree.every(t.program, tree.String):
        words.update(re.findall(r"[a-z]+", node.value))
    named = words & METHODS.keys()
    return named if len(named) > 1 else named | _USUAL if named else named


def _table(t: Translation, node: Expression) -> tree.Table | None:
    """The table of methods that a variable holds for ever, and that is read for nothing but its methods."""
    if not isinstance(node, Name):
        return None
    variable = t.scopes.of_name[node]
    if not t.surroundings.indexed.issuperset(variable.reads) or _is_stored_in(t, variable):
        return None
    assignments = t.training.assigned_to(variable)
    if len(assignments) != 1 or not isinstance(assignments[0][1], tree.Table):
        return None
    return assignments[0][1]


def _is_stored_in(t: Translation, variable: Variable) -> bool:
    return not t.surroundings.stored_in.isdisjoint(variable.reads)


def is_known_at(t: Translation, key: Expression, statement: Statement) -> bool:
    """Whether a name is the same where a statement stands as it is later, when the method is called."""
    if isinstance(key, tree.String):
        return True
    places = t.surroundings
    if isinstance(key, Index):
        if not isinstance(key.key, (tree.String, tree.Number)) or _is_stored(places, key):
            return False
        return is_known_at(t, key.base, statement)
    if not isinstance(key, Name):
        return False
    variable = t.scopes.of_name[key]
    first = variable.declaration if variable.declaration is not None else _first_write(variable)
    if first is None or first.span.start > statement.span.start or len(variable.writes) > variable.is_global:
        return False
    if variable.kind == "loop" and not any(_declares(s, first) for s in places.parents[statement]):
        return False
    if variable.scope is not None and variable.scope is not places.owner[statement]:
        return variable.scope is t.scopes.main
    return True


def _declares(statement: Statement, name: Name) -> bool:
    """Whether a loop is the one with this variable."""
    if isinstance(statement, tree.NumericFor):
        return statement.variable is name
    return isinstance(statement, tree.GenericFor) and name in statement.names


def _first_write(variable: Variable) -> Name | None:
    return variable.writes[0] if variable.writes else None


def _is_stored(places: Surroundings, node: Index) -> bool:
    """Whether the program stores into a field of this name somewhere."""
    targets = [x for s in places.owner if isinstance(s, tree.Assign) for x in s.targets]
    return any(isinstance(x, Index) and tree_queries.same_expression(x.key, node.key) for x in targets)
