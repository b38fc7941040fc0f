"""The words of the format: what stands at the beginning of each value, in a binary file as in a text.

A value begins with the int of its kind. A number, a string and a boolean follow at once. A table, an object of a
class and a function are followed by their index in the file, and by their content the first time that index
occurs. An object's content begins with a version, ``"V 1"``, and the name of its class; files from before versions
were counted have the name alone.

This says nothing about the values themselves: readers for Python and for scripts both stand on it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from torch7py.ops import types
from torch7py.ops.files import File
from torch7py.ops.types import NumberType
from torch7py.t7.errors import T7Error

__all__ = [
    "BOOLEAN",
    "FUNCTIONS",
    "INDEXED",
    "NIL",
    "NUMBER",
    "OLD_FUNCTION",
    "RECURSIVE_FUNCTION",
    "STRING",
    "TABLE",
    "TENSORS",
    "TORCH",
    "ClassName",
    "entry_size",
    "read_class",
    "read_count",
    "read_index",
    "read_kind",
    "read_number",
    "read_string",
    "storage_name",
    "write_class",
    "write_number",
    "write_string",
]

NIL, NUMBER, STRING, TABLE, TORCH, BOOLEAN = range(6)
OLD_FUNCTION, OLD_RECURSIVE_FUNCTION, RECURSIVE_FUNCTION = 6, 7, 8
FUNCTIONS = (OLD_FUNCTION, OLD_RECURSIVE_FUNCTION, RECURSIVE_FUNCTION)
INDEXED = (TABLE, TORCH, OLD_RECURSIVE_FUNCTION, RECURSIVE_FUNCTION)

_DOUBLE, _CHAR = types.BY_NAME["Double"], types.BY_NAME["Char"]
_VERSION = re.compile(r"V (\d{1,9})\Z")


@dataclass(frozen=True)
class ClassName:
    """The class of tensors and storages: their number type, and which of the two."""

    number_type: NumberType
    is_storage: bool


def _tensor_classes() -> dict[str, ClassName]:
    classes = {}
    for number_type in types.NUMBER_TYPES:
        # On a GPU the float type goes without its name.
        on_gpu = "Cuda" + ("" if number_type.name == "Float" else number_type.name)
        for stem in (number_type.name, on_gpu):
            classes[f"torch.{stem}Tensor"] = ClassName(number_type, False)
            classes[f"torch.{stem}Storage"] = ClassName(number_type, True)
    return classes


TENSORS = _tensor_classes()


def storage_name(tensor_name: str) -> str:
    """The class of the storages of a class of tensors."""
    return tensor_name.removesuffix("Tensor") + "Storage"


# -- reading -----------------------------------------------------------------------------------------------


def read_kind(file: File) -> int:
    """The kind of the next value."""
    at = file.known_position()
    kind = file.read_int()
    if not NIL <= kind <= RECURSIVE_FUNCTION:
        raise T7Error(f"{kind} is no kind of value", at)
    return kind


def read_number(file: File) -> float:
    return file.read_number(_DOUBLE)


def read_index(file: File) -> int:
    """The index of an object; from 1 on."""
    at = file.known_position()
    index = file.read_int()
    if index < 1:
        raise T7Error(f"{index} is no index of an object", at)
    return index


def read_count(file: File, unit: int) -> int:
    """A number of things, of which each takes ``unit`` bytes at least."""
    at = file.known_position()
    count = file.read_int()
    left = file.remaining()
    if count < 0 or (left is not None and count * unit > left):
        raise T7Error(f"a count of {count}, and {left} bytes are left", at)
    return count


def entry_size(file: File) -> int:
    """The least number of bytes that an entry of a table takes: an empty string as key, nil as value."""
    return 12 if file.binary else 5


def read_string(file: File) -> bytes:
    count = read_count(file, 1)
    at = file.known_position()
    data = file.take(count)
    if len(data) != count:
        raise T7Error(f"the file ends in a string of {count} bytes", at)
    if data and not file.binary:
        file.skip_spacing()
    return data


def read_class(file: File) -> tuple[int, str]:
    """The version and the name of an object's class; version 0 where the file has none."""
    at = file.known_position()
    first = read_string(file).decode("latin1")
    version = _VERSION.match(first)
    name = first if version is None else read_string(file).decode("latin1")
    if not name or not name.isprintable() or len(name) > 1000:
        raise T7Error(f"{name[:40]!r} is no name of a class", at)
    return (0 if version is None else int(version.group(1))), name


# -- writing -----------------------------------------------------------------------------------------------


def write_number(file: File, value: float) -> None:
    file.write_number(_DOUBLE, value)


def write_string(file: File, data: bytes) -> None:
    file.write_int(len(data))
    if data:
        file.put(data)
        if not file.binary:
            file.put_spacing()


def write_class(file: File, version: int, name: str) -> None:
    """The inverse of ``read_class``."""
    if version:
        write_string(file, b"V %d" % version)
    write_string(file, name.encode("latin1"))
