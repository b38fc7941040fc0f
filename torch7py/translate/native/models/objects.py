"""Modules as objects: how a program's constructors are written where nothing of its modules is proved.

A container of Torch7's is one of the pages' library, to which the program adds what it likes. Another layer is
``lua_compat.Built``, which has the page's module of PyTorch inside that computes the same.
"""

from __future__ import annotations

import inspect

from torch7py.translate import page_library
from torch7py.translate.facts import layers as facts
from torch7py.translate.layers import SETTINGS
from torch7py.translate.layers.as_modules import TURNED
from torch7py.translate.library import is_criterion
from torch7py.translate.native import code
from torch7py.translate.native.code import Py
from torch7py.translate.native.interfaces.models import Models
from torch7py.translate.native.interfaces.translation import Translation
from torch7py.translate.native.plain_calls import arguments, library_call
from torch7py.translate.native.problem import Problem
from torch7py.translate.tree import Call, Expression, Index, Invoke, String

__all__ = ["built", "is_set", "refuse_unknown_field", "refuse_unknown_method"]

_WEIGHTS = frozenset("weight bias gradWeight gradBias".split())
# Fields of layers that the library's objects have, beside their weights.
_KNOWN = frozenset(
    "self train name modules inputs module output gradInput running_mean running_var forwardnodes".split()
)
# What tells a layer to write over its input; the last is so of some layers alone, and a number of others.
_IN_PLACE = ("inplace", "ip", "p")


def refuse_unknown_method(t: Translation, node: Invoke) -> None:
    """Refuse a method that neither the library's objects have nor anything in the program."""
    known = {name for lua_class in t.classes.all for name in lua_class.methods}
    if node.method not in page_library.object_methods() | known | t.field_names:
        raise Problem("T7-202", node.line, f"the method {node.method} of a module")


def refuse_unknown_field(t: Translation, node: Index) -> None:
    """Refuse a field in which a layer of Torch7's keeps something of which PyTorch's has no trace."""
    if not isinstance(node.key, String) or node.key.value in _KNOWN | _WEIGHTS | t.types.program_fields:
        return
    for name in t.layer_names:
        inside, parameters = _fields_of(name)
        if node.key.value in inside - parameters:
            raise Problem("T7-225", node.line, f"the field {node.key.value} of a module")


def _fields_of(name: str) -> tuple[set[str], set[str]]:
    """The fields of a layer of Torch7's, and those that its constructor is given."""
    cls = facts.class_of(name)
    if cls is None:
        return set(), set()
    parameters = set(inspect.signature(cls.__init__).parameters)
    return {*getattr(cls, "fields", ()), *parameters}, parameters


def is_set(t: Translation, node: Invoke) -> bool:
    """Whether nothing but settings are behind a constructor, which are a part of it."""
    first: Expression = node
    while isinstance(first, Invoke) and first.method in SETTINGS:
        first = first.receiver
    path = (t.path(first.callee) or "") if isinstance(first, Call) else ""
    return bool(path) and facts.parts(path) in ("none", "")


def built(t: Translation, models: Models, node: Call | Invoke) -> Py:
    """What a constructor of Torch7's makes, with the settings behind it, as an object."""
    first = node
    while isinstance(first, Invoke) and isinstance(first.receiver, (Call, Invoke)):
        first = first.receiver
    assert isinstance(first, Call)
    name = (t.path(first.callee) or "").partition(".")[2]
    if f"nn.{name}" in page_library.objects() and isinstance(node, Call):
        cls = page_library.objects()[f"nn.{name}"]
        if len(node.arguments) < page_library.arguments_needed(cls):
            raise Problem("T7-223", node.line, f"nn.{name} without an argument that it needs")
        return library_call(t, cls, arguments(t, node.arguments))
    is_method = isinstance(node, Invoke) and (
        f"nn.{name}" in page_library.objects()
        or (bool(facts.parameters(f"nn.{name}")) and node.method in page_library.entries("OBJECT_METHODS"))
    )
    if is_method and isinstance(node, Invoke) and isinstance(node.receiver, (Call, Invoke)):
        receiver = built(t, models, node.receiver)
        args = [receiver.text, code.quoted(node.method), *arguments(t, node.arguments)]
        return library_call(t, "method", args)
    native, settings, has_own_form = models.built(node)
    if is_criterion(f"nn.{name}"):
        return library_call(t, "Loss", [code.quoted(f"nn.{name}"), native])
    steps = ["steps=True"] if facts.sees_sequences(f"nn.{name}") else []
    if facts.gives(f"nn.{name}") == "table":
        steps.append("gives_table=True")
    asked = t.field_names
    fields = [f"{field}={text}" for field, text in settings.items() if field in asked]
    of_class, parameters = _fields_of(f"nn.{name}")
    known = settings.keys() | _KNOWN
    if f"nn.{name}" in TURNED:
        steps.append("turned=True")
    if has_own_form or facts.without_weights(f"nn.{name}") or f"nn.{name}" in TURNED:
        known |= _WEIGHTS
    else:  # a weight that is asked for, or listed with the others, has another form
        of_class |= _WEIGHTS
        asked |= {"weight", "bias"}
    unknown = [code.quoted(field) for field in sorted((asked & of_class) - known)]
    flag = next((settings.get(key, "None") for key in _IN_PLACE if key in parameters), "None")
    if flag not in ("None", "False") and not flag[0].isdigit():
        steps.append(f"in_place={flag}")
    if t.writes_over_inputs and not facts.gradient_reads_output(f"nn.{name}"):
        steps.append("reads_output=False")
    if facts.parts(f"nn.{name}") != "none":
        steps.append("closed=True")
    more = [f"unknown=({', '.join(unknown)},)"] if unknown else []
    return library_call(t, "Built", [code.quoted(f"nn.{name}"), native, *steps, *more, *fields])
