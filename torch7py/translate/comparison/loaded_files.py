"""What the files are like that a program loads: of what kinds and forms, whatever their sizes and numbers are."""

from __future__ import annotations

import ast
import functools
from collections.abc import Sequence
from typing import Any

import torch

from torch7py.bridge.lua_values import LuaTable
from torch7py.files import load
from torch7py.nn.container import Container
from torch7py.nn.object import TorchObject
from torch7py.ops import types
from torch7py.ops.errors import TorchError
from torch7py.t7.errors import T7Error
from torch7py.t7.objects import Table
from torch7py.translate.errors import NotTranslated
from torch7py.translate.facts.layers import class_of, parts
from torch7py.translate.layers.registry import SETTINGS, Layer, NotNative, fields, parameter_names, readers
from torch7py.translate.model import layer_of
from torch7py.translate.observed import Form
from torch7py.translate.quoting import lua_quoted

__all__ = ["forms_of_files", "note_read"]

_MOST_ENTRIES = 1000  # of a list, of which those behind are like those before
_DEEPEST = 20
_MOST_FIELDS = 40  # that a table has by their names
# Parameters of constructors that have another name as fields, or in the layers of nn.
_OTHER_NAMES = {"ip": "inplace", "p": "inplace", "nFeature": "nOutput"}
_NO_ARGUMENTS = (AttributeError, TypeError, ValueError)  # of constructors with what a file has for them


def note_read(forms: dict[str, Form], place: str, value: Any) -> None:
    """Note what a call at a place gave."""
    form = _form_of(value)
    forms[place] = forms[place].common(form) if place in forms else form


def forms_of_files(loads: Sequence[tuple[str, str]]) -> dict[str, Form]:
    """What is loaded at each place of a program, from places and the paths of files."""
    forms: dict[str, Form] = {}
    for place, path in dict.fromkeys(loads):
        try:
            form = _form_of(load(path))
        except (OSError, T7Error):  # it is gone, or not in Torch7's format: the page will say so
            continue
        forms[place] = forms[place].common(form) if place in forms else form
    return forms


def _form_of(value: Any, depth: int = 0) -> Form:
    if isinstance(value, bool):
        return Form("boolean")
    if isinstance(value, (int, float)):
        return Form("number")
    if isinstance(value, str):
        return Form("string")
    if isinstance(value, torch.Tensor):
        return Form("tensor", value.dim() if value.numel() else None, types.of(value).name)
    if isinstance(value, TorchObject):
        try:
            return Form(constructor=_rebuilt(layer_of(value))[0])
        except (NotTranslated, TorchError, *_NO_ARGUMENTS):
            return Form()  # a graph, or layers of the program's own: nothing is said
    if isinstance(value, LuaTable):
        plain = Table()
        for key, item in value.items():
            plain[key] = item
        value = plain
    if not isinstance(value, Table) or depth > _DEEPEST:
        return Form()
    if len(value) and value.is_array():
        parts = [_form_of(item, depth + 1) for item in value.array()[:_MOST_ENTRIES]]
        return Form("table", element=functools.reduce(Form.common, parts))
    parts_by_name = {key: _form_of(item, depth + 1) for key, item in value.items() if isinstance(key, str)}
    if len(parts_by_name) != len(value):
        return Form("table")
    # A vocabulary, or so.
    if len(parts_by_name) > _MOST_FIELDS or not all(map(str.isidentifier, parts_by_name)):
        common = functools.reduce(Form.common, parts_by_name.values())
        return Form("table", element=common, keys=True) if common.kind else Form()
    return Form("table", fields=parts_by_name)


def _rebuilt(layer: Layer) -> tuple[str, Any]:
    """What makes such a layer in Lua, and what it makes. Raises NotNative where that is another one."""
    if layer.nodes:
        raise NotNative("a graph")
    names, rest = parameter_names(layer.name)
    arguments = [_argument(layer, name) for name in names]
    values = ast.literal_eval(layer.args.get(rest, "()")) if rest is not None else ()
    arguments += [(_literal(value), value) for value in values]
    while arguments and arguments[-1][0] == "nil":
        arguments.pop()
    module: Any = class_of(layer.name)(*(value for _, value in arguments))  # type: ignore[misc]
    text = f"{layer.name}({', '.join(text for text, _ in arguments)})"
    for name, value in layer.args.texts.items():
        method = next((m for m, (of, default, _) in SETTINGS.items() if (of, default) == (name, value)), None)
        if method is not None and name not in names:
            text += f":{method}()"
            getattr(module, method)()
    if isinstance(module, Container) and not layer.slots and not module.child_list():
        for child in layer.children:
            inner, made = _rebuilt(child)
            text += f":add({inner})"
            module.add(made)
    if not _are_alike(layer, layer_of(module)):
        raise NotNative(f"a {layer.name} whose file does not tell how it was made")
    return text, module


def _are_alike(one: Layer, other: Layer) -> bool:
    """Whether two layers have the same settings, and weights of the same sizes, down to those within."""
    sizes = [
        [weight.shape for weight in (layer.module.torch7_parameters() or ([],))[0]] for layer in (one, other)
    ]
    parts = [[*layer.children, *layer.slots.values()] for layer in (one, other)]
    in_place = [layer.module.get_field("inplace") for layer in (one, other)]
    return (
        (one.name, one.args, sizes[0], in_place[0]) == (other.name, other.args, sizes[1], in_place[1])
        and len(parts[0]) == len(parts[1])
        and all(map(_are_alike, *parts))
    )


def _argument(layer: Layer, name: str) -> tuple[str, Any]:
    if name in layer.slots and parts(layer.name) == "none":  # it asks a module that stands elsewhere
        raise NotNative(f"a {layer.name} whose {name} the file holds")
    if name in layer.slots:
        return _rebuilt(layer.slots[name])
    text = layer.args.get(name)
    value = ast.literal_eval(text) if name in layer.args else layer.module.get_field(name)
    if value is None and name in _OTHER_NAMES:
        reader = readers.get(layer.name.replace("cudnn.", "nn."), fields(_OTHER_NAMES[name]))
        value = reader(layer.module).get(_OTHER_NAMES[name])
    return _literal(value), value


def _literal(value: Any) -> str:
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return f"{value:.17g}" if isinstance(value, float) else str(value)
    if isinstance(value, str):
        return lua_quoted(value)
    if isinstance(value, (list, tuple)):
        return f"{{{', '.join(map(_literal, value))}}}"
    raise NotNative(f"an argument of the type {type(value).__name__}")
