"""Torch7's classes of layers as values, where modules are objects: their constructors, and what is put into them."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Sequence

from torch7py.translate import page_library, tree
from torch7py.translate.facts import layers as facts
from torch7py.translate.library import is_criterion
from torch7py.translate.native import code
from torch7py.translate.native.code import Py, atom
from torch7py.translate.native.desugar.layer_makers import layers_in_texts
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.layer_names import PACKAGES_OF_LAYERS, told
from torch7py.translate.native.problem import Problem
from torch7py.translate.patching import altered
from torch7py.translate.scopes import Variable
from torch7py.translate.tree import Call, Expression, Index, Invoke, Name, Span, String

__all__ = ["PACKAGES_OF_LAYERS", "constructor", "constructor_named", "field_of_class", "package"]


def constructor(t: Translation, node: Index, path: str, calls: Sequence[Call] = ()) -> Py:
    """A layer's class as a value, which makes such a layer of as many arguments as the program calls with.

    ``calls``: those that are known to call it.
    """
    made = _makers(t, node, path, calls)
    t.mixed = True
    return atom(f"{page_library.MODULE}.constructor({code.quoted(path)}, {{{made}}})")


def constructor_named(t: Translation, span: Span, path: str, calls: Sequence[Call] = ()) -> Py:
    """As ``constructor``, of a class that is not named in the program's text at that place."""
    home, _, key = path.partition(".")
    base = Name(span, home)
    t.scopes.of_name[base] = t.scopes.globals.get(home) or Variable(home, "global", None, None)
    return constructor(t, Index(span, base, String(span, key), True), path, calls)


def package(t: Translation, node: Expression, name: str) -> Py:
    """A package of layers as a value. A function of the page's gives it, with those layers whose names the program has
    in its fields and texts."""
    function = f"_package_{name}"
    t.mixed = True
    if any(line.startswith(f"def {function}(") for line in t.needed_lines):
        return atom(f"{function}()")
    entries: dict[str, str] = {}
    for lua_class in t.classes.names:
        home, _, key = lua_class.name.partition(".")
        lines, put_back = len(t.lines), t.checkpoint()
        with contextlib.suppress(Problem):  # of a class that a later file makes
            if home == "nn":
                entries[key] = t.modules.class_name(lua_class, node.line).text
        if len(t.lines) > lines:
            put_back()
            entries.pop(key, None)
    named = {key for key in t.field_names if facts.class_of(f"{name}.{key}") is not None}
    for key in sorted({*named, *layers_in_texts(t.program)} - entries.keys()):
        path = f"{name}.{key}"
        if facts.class_of(path) is None or facts.is_base(path):
            continue
        put_back = t.checkpoint()
        try:
            entries[key] = constructor_named(t, node.span, path).text
        except Problem:
            put_back()  # which a page says where it asks for that layer
    shown = ", ".join(f"{code.quoted(key)}: {value}" for key, value in entries.items())
    made = f"{page_library.MODULE}.package({code.quoted(name)}, {{{shown}}})"
    t.needed_lines[f"def {function}():\n    return {made}"] = None
    return atom(f"{function}()")


def _makers(t: Translation, node: Index, path: str, calls: Sequence[Call]) -> str:
    """What a constructor that is a value makes of each number of arguments with which the program may call it."""
    calls = calls or [call for call in tree.every(t.program, Call) if t.path(call.callee) is None]
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
            with altered(t.models.layer_names, is_told=True):
                made = t.value(Call(node.span, node, names)).text
        except Problem as problem:
            put_back()
            reasons.append(problem)
            continue
        if len(t.lines) > lines:
            put_back()
            continue
        if t.apart and not is_criterion(f"nn.{path.partition('.')[2]}"):
            made = told(path, made)
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
    home, _, name = (path or "").partition(".")
    if path is None or home not in PACKAGES_OF_LAYERS or facts.class_of(path) is None:
        return None
    if home != "nn" and f"nn.{name}" in t.layer_names:
        return None  # a page has one class for those of both packages
    path = f"nn.{name}"
    others = {*t.layer_names, *(c.parent for c in t.classes.all if c.parent is not None)} - {path}
    if any(facts.derives(name, path) for name in others) or _is_called_by_heir(t, path, node.key.value):
        return None  # what derives from the class has its methods, too
    return [code.quoted(path), code.quoted(node.key.value)]


def _is_called_by_heir(t: Translation, path: str, key: str) -> bool:
    """Whether a class of the program's that derives from a layer's calls a method of the parent by its name."""
    heirs = [lua_class for lua_class in t.classes.all if lua_class.parent == path]
    return any(
        isinstance(call.callee, Index) and call.callee.key_name == key
        for heir in heirs
        for function in heir.methods.values()
        for call in tree.every(function.body, Call)
    )
