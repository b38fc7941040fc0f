"""An outline of a ``.t7`` file as a text for people, and as plain data for programs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from torch7py.ops.mersenne import Generator
from torch7py.t7.objects import Function, Object, Table
from torch7py.t7.outline import (
    Outline,
    StorageOutline,
    TensorOutline,
    direct_parameters,
    inner_values,
    parameters_of,
)
from torch7py.wording import counted

__all__ = ["as_data", "as_lines", "human_size"]

WORD = re.compile(r"[A-Za-z_]\w*\Z")
LONG_TABLE = 12  # scalars that are still shown one a line

# What nobody asks for first: results, settings that all layers have, and the graph of a gModule as it is saved.
QUIET = frozenset(
    "output gradInput _type train modules sharedClones fg bg innode outnode forwardnodes backwardnodes verbose".split()
)


def human_size(count: int) -> str:
    """A number of bytes for people."""
    size = float(count)
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{count} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError


def _key(key: Any) -> str:
    if isinstance(key, str):
        return key if WORD.match(key) else repr(key)
    return repr(key) if isinstance(key, (int, float, bool)) else f"<{_kind(key)}>"


def _kind(value: Any) -> str:
    return str(getattr(value, "class_name", "table" if isinstance(value, Table) else type(value).__name__))


def _scalar(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "nil", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return repr(value) if len(value) <= 60 else f"{value[:57]!r}... ({len(value)} characters)"
    return repr(value)


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))


def _short(class_name: str) -> str:
    return class_name.removeprefix("torch.")


class _Writer:
    """The lines of one outline."""

    def __init__(self, outline: Outline, everything: bool, depth: int) -> None:
        self.outline = outline
        self.everything = everything
        self.depth = depth
        self.paths: dict[int, str] = {}
        shared = [storage for storage in outline.storages if storage.views > 1]
        self.numbers = {id(storage): number for number, storage in enumerate(shared, 1)}
        self.views: dict[int, list[str]] = {id(storage): [] for storage in shared}

    def lines(self) -> Iterator[str]:
        # label, value, path, depth; a stack and no recursion, since files may nest deeply
        waiting: list[tuple[str, Any, str, int]] = [("", self.outline.root, "", 0)]
        while waiting:
            label, value, path, depth = waiting.pop()
            text, inner = self.node(value, path)
            if inner and depth >= self.depth:
                text, inner = f"{text} ...", []
            yield "  " * depth + (f"{label}: " if label else "") + text
            waiting += [(name, v, p, depth + 1) for name, v, p in reversed(inner)]

    def node(self, value: Any, path: str) -> tuple[str, list[tuple[str, Any, str]]]:
        """What to say of a value, and the values inside it with their labels and paths."""
        if _is_scalar(value):
            return _scalar(value), []
        known = self.paths.get(id(value))
        if known is not None:
            return f"{_short(_kind(value))}, the same as {known or 'the whole'}", []
        self.paths[id(value)] = path
        if isinstance(value, TensorOutline):
            return self.tensor(value, path), []
        if isinstance(value, StorageOutline):
            return f"{_short(value.class_name)} of {value.count:,}", []
        if isinstance(value, Function):
            inner = [("upvalues", value.upvalues, f"{path}.upvalues")]
            return f"function, {len(value.code)} bytes of compiled code", inner if self.everything else []
        if isinstance(value, Generator):
            return "Generator", []
        if isinstance(value, Object):
            return self.object(value, path)
        return self.table(value, path)

    def tensor(self, tensor: TensorOutline, path: str) -> str:
        text = f"{_short(tensor.class_name)} {'x'.join(map(str, tensor.sizes)) or 'empty'}"
        number = self.numbers.get(id(tensor.storage))
        if number is not None and tensor.storage is not None:
            self.views[id(tensor.storage)].append(path)
            text += f" (storage {number})"
        return text

    def table(self, table: Table, path: str) -> tuple[str, list[tuple[str, Any, str]]]:
        if not self.everything and len(table) > LONG_TABLE:
            entries = list(table.items())
            if all(_is_scalar(key) and _is_scalar(value) for key, value in entries):
                first = ", ".join(
                    _scalar(v) if table.is_array() else f"{_key(k)} = {_scalar(v)}" for k, v in entries[:4]
                )
                return f"table of {len(table):,}: {first}, ...", []
        return f"table of {len(table):,}", [self.entry(k, v, path) for k, v in table.items()]

    @staticmethod
    def entry(key: Any, value: Any, path: str) -> tuple[str, Any, str]:
        name = _key(key)
        if isinstance(key, str) and WORD.match(key):
            return name, value, f"{path}.{name}" if path else name
        return name, value, f"{path}[{name}]"

    def object(self, obj: Object, path: str) -> tuple[str, list[tuple[str, Any, str]]]:
        fields = dict(inner_values(obj))
        text = obj.class_name + (f" (version {obj.version})" if obj.version > 1 else "")
        is_layer = not fields.keys().isdisjoint({"_type", "output", "modules"})
        parameters = parameters_of(obj) if is_layer else 0
        if self.everything or not is_layer:
            text += f": {parameters:,} parameters" if parameters else ""
            return text, [self.entry(key, value, path) for key, value in fields.items()]
        of_layer = direct_parameters(obj)
        notes = []
        inner: list[tuple[str, Any, str]] = []
        for name, value in fields.items():
            if name in QUIET or not isinstance(name, str):
                continue
            if _is_scalar(value):
                notes.append(f"{name}={_scalar(value)}")
            elif isinstance(value, TensorOutline):
                if value in of_layer or (value.sizes and not name.startswith(("grad", "_", "f"))):
                    inner.append(self.entry(name, value, path))
            elif not name.startswith("_") and not (isinstance(value, Table) and not value):
                inner.append(self.entry(name, value, path))
        modules = fields.get("modules")
        if isinstance(modules, Table):
            inner += [
                (_key(key), value, f"{path}{'.' if path else ''}modules[{_key(key)}]")
                for key, value in modules.items()
            ]
        nodes = fields.get("forwardnodes")
        if isinstance(nodes, Table):
            notes.append(f"a graph of {len(nodes)} nodes")
        if parameters:
            notes.append(f"{parameters:,} parameters")
        return text + (f": {', '.join(notes)}" if notes else ""), inner


def as_lines(outline: Outline, *, everything: bool = False, depth: int = 30) -> Iterator[str]:
    """A file as a tree, a line each value.

    Results, gradients and the inner buffers of layers are left out, long tables shortened, unless ``everything``
    is wanted.
    """
    writer = _Writer(outline, everything, depth)
    parameters = parameters_of(outline.root)
    yield f"{outline.path}: {human_size(outline.size)}, {outline.layout}"
    count = len(outline.storages)
    if count:
        yield f"{counted(count, 'storage')} with {human_size(outline.bytes)} of numbers" + (
            f"; {counted(parameters, 'parameter')}" if parameters else ""
        )
    yield ""
    yield from writer.lines()
    shown = [storage for storage in outline.storages if len(writer.views.get(id(storage), ())) > 1]
    if shown:
        yield ""
        yield "shared storages:"
    for storage in shown:
        paths = writer.views[id(storage)]
        some = ", ".join(paths[:6]) + (f", and {len(paths) - 6} more" if len(paths) > 6 else "")
        yield f"  {writer.numbers[id(storage)]}: {_short(storage.class_name)} of {storage.count:,}: {some}"


def as_data(outline: Outline) -> dict[str, Any]:
    """A file as data for JSON.

    Everything that can be shared is in the list ``objects`` once, under the number of its place there; a value that
    is one of them is ``{"ref": number}``. Keys and values of a table are pairs, since keys may be anything.
    """
    numbers: dict[int, int] = {}
    objects: list[Any] = []
    waiting: list[Any] = []

    def refer(value: Any) -> Any:
        if isinstance(value, float) and not math.isfinite(value):
            return {"number": repr(value)}
        if _is_scalar(value):
            return value
        number = numbers.get(id(value))
        if number is None:
            number = numbers[id(value)] = len(objects)
            objects.append(None)
            waiting.append(value)
        return {"ref": number}

    root = refer(outline.root)
    while waiting:
        value = waiting.pop()
        objects[numbers[id(value)]] = _entry(value, refer)
    layout = outline.layout
    return {
        "path": outline.path,
        "bytes": outline.size,
        "format": "binary" if layout.binary else "ascii",
        "byte_order": ("little" if layout.little else "big") if layout.binary else None,
        "long_size": layout.long_size if layout.binary else None,
        "parameters": parameters_of(outline.root),
        "root": root,
        "objects": objects,
    }


def _entry(value: Any, refer: Any) -> dict[str, Any]:
    if isinstance(value, TensorOutline):
        return {
            "kind": "tensor",
            "class": value.class_name,
            "size": value.sizes,
            "stride": value.strides,
            "offset": value.offset,
            "storage": refer(value.storage),
        }
    if isinstance(value, StorageOutline):
        return {
            "kind": "storage",
            "class": value.class_name,
            "size": value.count,
            "position": value.position,
            "tensors": value.views,
        }
    if isinstance(value, Function):
        return {"kind": "function", "bytes": len(value.code), "upvalues": refer(value.upvalues)}
    if isinstance(value, Table):
        return {"kind": "table", "items": [[refer(key), refer(item)] for key, item in value.items()]}
    if isinstance(value, Object):
        return {
            "kind": "object",
            "class": value.class_name,
            "version": value.version,
            "own_parameters": sum(tensor.elements for tensor in direct_parameters(value)),
            "items": [[refer(key), refer(item)] for key, item in inner_values(value)],
        }
    return {"kind": "object", "class": "torch.Generator", "version": 1, "own_parameters": 0, "items": []}
