"""Methods of values of whatever kind."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from torch7py.translate.page_library.tensors import MODULE_METHODS, tensor_method
from torch7py.translate.page_library.text import text_function_all
from torch7py.translate.page_library.values import attribute, call_all, text_of


def method_all(value: Any, name: str, *given: Any) -> tuple[Any, ...]:
    """All values that ``value:name(...)`` gives."""
    if isinstance(value, torch.Tensor):
        found = tensor_method(value, name, *given)
    elif isinstance(value, dict):
        return call_all(value.get(name), value, *given)
    elif isinstance(value, str):
        found = text_function_all(name, value, *given)
    elif isinstance(value, torch.Size) and name in STORAGE_METHODS:
        found = STORAGE_METHODS[name](value)
    elif isinstance(value, io.IOBase):
        found = file_method(value, name, *given)
    elif isinstance(value, nn.Module) and (
        name in MODULE_METHODS or type(value).__module__.startswith("torch.")
    ):
        if name not in MODULE_METHODS:
            raise TypeError(f"the method {name} of {type(value).__name__}")
        found = MODULE_METHODS[name](value, *given)
    else:
        return call_all(getattr(value, attribute(value, name)), *given)
    return found if type(found) is tuple else (found,)


def method(value: Any, name: str, *given: Any) -> Any:
    """The first value that ``value:name(...)`` gives."""
    return (*method_all(value, name, *given), None)[0]


# Of sizes, which are a storage in Lua.
STORAGE_METHODS: dict[str, Callable[..., Any]] = {"size": len, "totable": list}


def file_method(file: Any, name: str, *given: Any) -> Any:
    """``file:name(...)`` of an open file."""
    if name == "write":
        file.write("".join(text_of(value) for value in given))
        return file
    if name == "read":
        wanted = given[0] if given else "*l"
        if wanted in ("*a", "*all"):
            return file.read()
        if wanted in ("*l", "*line"):
            line = file.readline()
            return line.removesuffix("\n") if line else None
        if isinstance(wanted, (int, float)):
            return file.read(int(wanted)) or None
    if name == "lines":
        return ((line.removesuffix("\n"),) for line in file)
    if name in ("close", "flush"):
        return getattr(file, name)()
    raise TypeError(f"the method {name} of a file with {given!r}")
