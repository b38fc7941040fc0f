"""Torch7's classes of layers as values, where modules are objects: their constructors, and what is put into them."""

from __future__ import annotations

import inspect

from torch7py.translate import tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.native import code
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.problem import Problem
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, String

__all__ = ["field_of_class", "makers"]


def makers(t: Translation, node: Index, path: str) -> str:
    """What a constructor that is a value makes of each number of arguments with which the program may call it."""
    calls = [call for call in tree.every(t.program, Call) if t.path(call.callee) is None]
    most = len(inspect.signature(facts.class_of(path).__init__).parameters) - 1  # type: ignore[misc]
    counts = {0, *(len(call.arguments) for call in calls)}
    if any(isinstance(a, (Call, Invoke, tree.Vararg)) for call in calls for a in call.arguments[-1:]):
        counts |= set(range(most + 1))
    makers: list[str] = []
    reasons: list[Problem] = []
    for count in sorted(counts & set(range(most + 1))):
        lines, put_back = len(t.lines), t.checkpoint()
        names = tuple(Name(node.span, t.fresh("value")) for _ in range(count))
        for name in names:
            t.scopes.of_name[name] = Variable(name.name, "local", t.scope, name)
        try:
            made = t.value(Call(node.span, node, names))
        except Problem as problem:
            put_back()
            reasons.append(problem)
            continue
        if len(t.lines) > lines:
            put_back()
            continue
        parameters = ", ".join(name.name for name in names)
        makers.append(f"{count}: lambda {parameters}: {made}" if names else f"0: lambda: {made}")
    if reasons and not makers:
        raise reasons[-1]
    return ", ".join(makers)


def field_of_class(t: Translation, node: Expression) -> list[str] | None:
    """The names of a layer's class and of its field, quoted, where ``nn.Linear.reset`` or an assignment there is one of
    all such modules; None for anything else."""
    if not t.objects or not isinstance(node, Index) or not isinstance(node.key, String):
        return None
    path = t.path(node.base)
    if path is None or not path.startswith("nn.") or facts.class_of(path) is None:
        return None
    made = {lua_class.parent for lua_class in t.classes.all} | set(t.layer_names)
    inheriting = any(name is not None and name != path and facts.derives(name, path) for name in made)
    if inheriting or any(lua_class.parent == path for lua_class in t.classes.all):
        return None  # what derives from the class has its methods, too
    return [code.quoted(path), code.quoted(node.key.value)]
