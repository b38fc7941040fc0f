"""What a report says of a value whose kind is not known: what it is called in the program, and why nothing is known."""

from __future__ import annotations

import re

from torch7py.packages.registry import packages
from torch7py.translate import tree
from torch7py.translate.native.analysis.program_facts import Known
from torch7py.translate.native.problem import Problem, Undecided
from torch7py.translate.quoting import said
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name
from torch7py.translate.tree_queries import bare
from torch7py.translate.usage import LUA, required

__all__ = [
    "AS_OBJECTS",
    "a",
    "described",
    "is_of_what_is_not_there",
    "is_open",
    "may_be_tensor",
    "of_require",
    "undecided",
]

_WIDEST = 30  # of an expression in a message
_OPEN = "of which the program does not tell what it is"


# Packages that a page has as objects, whose functions are called whatever they are.
AS_OBJECTS = frozenset({"display", "pl.List", "pl.dir", "pl.path", "pl.tablex"})
# What a run of the program does not have either.
_NO_FILE = "of which no file is found"
_NO_CLASS = "is not a class of nn or rnn"
_NO_FORM = re.compile(r"([\w-]+)\.[\w.]+ has no native form")
_NO_VALUE = "a global that no file of the program sets"


def may_be_tensor(t: Known, node: Expression) -> bool:
    """Whether a value is a tensor, or of a kind that is not known."""
    return t.kind(node) == "tensor" or is_open(t, node)


def is_of_what_is_not_there(problem: Problem) -> bool:
    """Whether a problem says that the program uses what neither its files nor this project have: its run is an error
    there as well."""
    named = _NO_FORM.match(problem.reason)
    of_no_package = named is not None and named[1] not in packages and named[1] not in LUA
    return of_no_package or any(why in problem.reason for why in (_NO_FILE, _NO_VALUE, _NO_CLASS))


def described(t: Known, node: Expression) -> str:
    """``net, what torch.load gives``: an expression, and what is known of its kind, or why nothing is."""
    node = bare(node)
    kinds = sorted(t.type(node).find().kinds)
    if len(kinds) > 1:
        shown = [a(kind) for kind in kinds[:3]]
        return f"{_shown(node)}, which may be {', '.join(shown[:-1])} or {shown[-1]}"
    if kinds:
        return f"{_shown(node)}, {a(kinds[0])}"
    reason = _reason(t, node)
    return reason if isinstance(node, (Call, Invoke)) else f"{_shown(node)}, {reason}"


def is_open(t: Known, node: Expression) -> bool:
    """Whether something may be of several kinds, or a table of several forms."""
    kind = t.kind(node)
    if kind in (None, "any") or node in t.types.guessed:
        return not _is_missing(t, node)
    return kind == "table" and (t.representation(node) == "several" or bool(t.type(node).find().sources))


def _is_missing(t: Known, node: Expression) -> bool:
    """Whether something is, or is in, what ``require`` gives of a package or file that pages do not have."""
    while isinstance(node, Index):
        node = node.base
    if isinstance(node, Name):
        variable = t.scopes.of_name[node]
        sources = [s for s in t.integers.sources(variable) if not isinstance(s, (bool, tree.Nil))]
        node = sources[0] if len(sources) == 1 and isinstance(sources[0], Call) else node
    is_required = isinstance(node, Call) and t.path(node.callee) == "require"
    name = required(node) if is_required and isinstance(node, Call) else None
    return name is not None and name not in AS_OBJECTS  # of a name that is computed it is not known


def undecided(t: Known, node: Expression, code: str, line: int, reason: str) -> Problem:
    """Why something cannot be done to a value; Undecided where it is not known what the value is."""
    return (Undecided if is_open(t, node) else Problem)(code, line, reason)


def of_require(node: Call) -> str:
    """Why what ``require`` gives is not known."""
    package = required(node)
    if package is None:
        return "require of a name that is not written out"
    reason = "a package without a native form" if package in packages else _NO_FILE
    return f"require {said(package)}, {reason}"


def a(kind: str) -> str:
    """A kind with its article."""
    return f"{'an' if kind[:1] in 'aeiou' else 'a'} {kind}"


def _shown(node: Expression) -> str:
    text = _text(node)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."


def _text(node: Expression) -> str:
    """An expression in short, as the program writes it."""
    if isinstance(node, Name):
        return node.name
    if isinstance(node, Index):
        name = node.key.value if node.dotted and isinstance(node.key, tree.String) else None
        key = node.key.text if isinstance(node.key, tree.Number) else _text(node.key)
        return f"{_text(node.base)}.{name}" if name is not None else f"{_text(node.base)}[{key}]"
    if isinstance(node, Call):
        package = required(node)
        return f"require {said(package)}" if package is not None else f"{_text(node.callee)}(...)"
    if isinstance(node, Invoke):
        return f"{_text(node.receiver)}:{node.method}(...)"
    if isinstance(node, tree.Paren):
        return _text(node.inner)
    return {tree.Nil: "nil", tree.Vararg: "...", tree.Table: "{...}"}.get(type(node), "a value")


def _reason(t: Known, node: Expression) -> str:
    """Why nothing is known of an expression."""
    if isinstance(node, Name):
        return _of_variable(t, t.scopes.of_name[node])
    if isinstance(node, Index):
        root: Expression = node
        while isinstance(root, (Index, tree.Paren)):
            root = root.base if isinstance(root, Index) else root.inner
        if t.type(root).find().kinds:
            return "to which the program gives no value that tells its kind"
        return f"a part of {_reason(t, root)}" if not isinstance(root, Name) else _of_part(t, root)
    if isinstance(node, (Call, Invoke)):
        return f"the result {_of_call(t, node)}"
    return _OPEN


def _of_part(t: Known, root: Name) -> str:
    reason = _of_variable(t, t.scopes.of_name[root])
    return f"where {root.name} is {reason}" if not reason.startswith(("of ", "which")) else reason


def _of_variable(t: Known, variable: Variable) -> str:
    function = variable.scope.function if variable.scope is not None else None
    if variable.is_global and not variable.writes:
        is_loaded = variable.name in packages and variable.name not in t.unset_in_page
        return "a package" if is_loaded else _NO_VALUE
    if variable.kind == "parameter":
        if function is None or not t.types.calls_of.get(function):
            return "a parameter of a function that nothing here calls"
        return "a parameter, of which no call here tells what it is"
    if variable.kind == "loop":
        return "a loop's variable, of which it is not known what it goes through"
    sources = [s for s in t.integers.sources(variable) if not isinstance(s, (bool, tree.Nil))]
    if len(sources) == 1 and isinstance(sources[0], (Call, Invoke)):
        return f"the result {_of_call(t, sources[0])}"
    return _OPEN


def _of_call(t: Known, call: Call | Invoke) -> str:
    if isinstance(call, Call) and t.path(call.callee) == "require":
        return f"of {of_require(call)}"
    shown = _shown(call.callee) if isinstance(call, Call) else f"{_shown(call.receiver)}:{call.method}"
    return f"of {shown}"
