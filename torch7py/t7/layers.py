"""From what a file holds to live layers, and back to what is to be saved.

A class of the file is one of ours when the name is registered and the fields are such as ours has; otherwise its
objects stay what was read, or become an ``UnknownLayer`` where they look like a layer. Everything that pointed to
the object then points to the layer, and a tensor that is a parameter is the same Parameter wherever it occurs.
"""

from __future__ import annotations

from typing import Any

import torch

from torch7py.nn.gmodule import GModule
from torch7py.nn.object import TorchObject
from torch7py.nn.registry import layers
from torch7py.nn.saved_form import SavedForm
from torch7py.nn.unknown_layer import UnknownLayer
from torch7py.ops.errors import TorchError
from torch7py.t7.errors import T7Error
from torch7py.t7.graph_nodes import graph_fields
from torch7py.t7.graphs import read_graph, update_graph
from torch7py.t7.objects import HEADED, Object, Table, has_fields
from torch7py.t7.plain_data import Plain, same
from torch7py.t7.reader import Reader
from torch7py.t7.upgrades import upgrade

__all__ = ["fields_of", "find_class", "has_header", "header_of", "payload_of", "revive"]


def find_class(name: str, fields: Any) -> type[TorchObject] | None:
    """The class for a saved object of this name with these fields; the latest definition that fits."""
    fitting = [cls for cls in list(layers.values()) if cls.torch7_name == name and cls.matches(fields)]
    return fitting[-1] if fitting else None


def _class_for(obj: Object, children: set[int]) -> type[TorchObject] | None:
    if not has_fields(obj):
        return None
    cls = find_class(obj.class_name, obj.fields)
    if cls is None and ("output" in obj.fields or id(obj) in children):
        return UnknownLayer
    return cls


def _children(reader: Reader) -> set[int]:
    """The objects that stand where a container has its modules."""
    lists = (obj.fields.get("modules") for obj in reader.objects if has_fields(obj))
    return {id(value) for table in lists if isinstance(table, Table) for value in table.values()}


def revive(root: Any, reader: Reader) -> Any:
    """Make layers of the objects that a reader has read; returns what stands for ``root`` then."""
    live: list[tuple[Object, TorchObject]] = []
    replaced: dict[int, Any] = {}
    children = _children(reader)
    for obj in reader.objects:
        cls = _class_for(obj, children)
        if cls is None:
            continue
        layer = cls.blank()
        if cls.torch7_name != obj.class_name or cls is UnknownLayer:
            layer.__dict__["_class_name"] = obj.class_name
        live.append((obj, layer))
        replaced[id(obj)] = layer
        _claim_parameters(layer, obj.fields, replaced)
    if not live:
        return root

    def change(value: Any) -> Any:
        return replaced.get(id(value), value)

    for table in reader.tables:
        table.replace(change)
    for function in reader.functions:
        function.upvalues = change(function.upvalues)
    for obj in reader.objects:
        obj.payload[:] = map(change, obj.payload)
    plain = Plain()
    for obj, layer in live:
        _restore(layer, obj, plain, reader.offsets[id(obj)])
    return change(root)


def _claim_parameters(layer: TorchObject, fields: Table, replaced: dict[int, Any]) -> None:
    for name in layer.parameter_fields:
        value = fields.get(name)
        if isinstance(value, torch.Tensor) and value.is_floating_point() and id(value) not in replaced:
            parameter = torch.nn.Parameter(value)
            for mark in ("torch7_class", "torch7_storage"):
                if hasattr(value, mark):
                    setattr(parameter, mark, getattr(value, mark))
            replaced[id(value)] = parameter


def _restore(layer: TorchObject, obj: Object, plain: Plain, at: int | None) -> None:
    """Give a layer the fields of an object, which begins at ``at`` in the file."""
    try:
        fields, before, after = upgrade(obj.class_name, obj.version, obj.fields)
    except T7Error as error:
        raise T7Error(f"{obj.class_name}: {error.problem}", at) from error
    known = set(layer.known_fields()) | {"modules"}
    values: dict[Any, Any] = {}
    tables: dict[str, Table] = {}
    for name, value in fields.items():
        if isinstance(value, Table) and name in known:
            tables[name] = value
            value = plain(value)
        values[name] = value
    for name in layer.parameter_fields:
        if not isinstance(values.get(name), (torch.Tensor, type(None))):
            raise T7Error(f"{obj.class_name}: its {name} is not a tensor", at)
    try:
        layer.restore(values, obj.version)
        if isinstance(layer, GModule):
            read_graph(layer)
    except TorchError as error:
        raise T7Error(error.problem if isinstance(error, T7Error) else str(error), at) from error
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise T7Error(
            f"{obj.class_name}: its fields are not those of such an object ({error})", at
        ) from error
    form: SavedForm = layer.__dict__["_saved_form"]
    form.tables = tables
    if len(obj.payload) == 2:
        form.header = obj.payload[0]
    if before or after:
        form.order = list(obj.fields)
        form.before, form.after = before, after


# -- back --------------------------------------------------------------------------------------------------


def has_header(name: str, version: int) -> bool:
    """Whether objects of this class and version write something before their fields."""
    return version >= HEADED.get(name, version + 1)


def header_of(obj: TorchObject, version: int) -> Any:
    """What an object writes before its fields under this version of its class; None where it writes nothing."""
    if not has_header(obj.torch7_name, version):
        return None
    names = ("_type", "device") if obj.torch7_name == "nn.GPU" else ()
    header: Any = [obj.get_field(name) for name in names] or obj.get_field("gpuAssignments")
    form: SavedForm | None = obj.__dict__.get("_saved_form")
    if form is not None and isinstance(form.header, Table) and same(form.header, header):
        header = form.header
    return header


def payload_of(obj: TorchObject) -> list[Any]:
    """What an object is saved as: the table of its fields, with some classes behind another."""
    header = header_of(obj, obj.saved_version)
    return [fields_of(obj)] if header is None else [header, fields_of(obj)]


def fields_of(obj: TorchObject) -> Table:
    """The table of fields that an object is saved as.

    A list or dict that still holds what the file had in its place is saved as that, so that what was shared and
    in which order it stood stays.
    """
    form: SavedForm | None = obj.__dict__.get("_saved_form")
    tables = {} if form is None else form.tables
    fields = Table()
    if isinstance(obj, GModule):
        update_graph(obj)
    for name, value in obj.saved_fields().items():
        table = tables.get(name)
        fields[name] = table if table is not None and same(table, value) else value
    if isinstance(obj, GModule) and "forwardnodes" not in fields:
        fields.update(graph_fields(obj))
    return fields
