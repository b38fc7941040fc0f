"""The functions and classes of a package as Lua calls them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from torch7py.bridge.calls import decode
from torch7py.bridge.dispatch import encode_results
from torch7py.bridge.runtime_interface import RuntimeInterface
from torch7py.bridge.table_view import TableView
from torch7py.ops import types
from torch7py.ops.dispatch.file_names import from_file_name, to_file_name
from torch7py.ops.dispatch.python import adapt, fields_of, gives_nothing
from torch7py.ops.errors import ArgumentError
from torch7py.packages.registry import Package, packages
from torch7py.packages.table_objects import bound

__all__ = ["functions_and_records", "package_function", "record_method"]


def functions_and_records(package: Package) -> dict[str, Any]:
    """The functions and classes of a package, described for Lua."""
    return {
        "functions": [[short, fields_of(f)] for short, f in package.functions.items()],
        "records": [
            [short, [[lua, fields_of(getattr(r.cls, python))] for lua, python in r.methods.items()]]
            for short, r in package.records.items()
        ],
    }


def package_function(runtime: RuntimeInterface, package: str, name: str) -> Callable[..., Any]:
    """The function ``(mask, ...)`` that Lua calls for ``package.name``."""
    python = packages[package].functions[name]
    call, no_result = adapt(python, f"{package}.{name}"), gives_nothing(python)
    handles = runtime.handles

    def function(mask: int, *arguments: Any) -> Any:
        values = decode(handles, mask, arguments)
        if handles.cuda and any_cuda(values):
            with runtime.cuda_scope(True):
                result = call(values)
                return encode_results(handles, () if no_result else result)
        result = call(values)
        return encode_results(handles, () if no_result else result)

    def function_of_names(mask: int, *arguments: Any) -> Any:
        names = [to_file_name(value) for value in decode(handles, mask, arguments)]
        result = call(names)
        return encode_results(handles, () if no_result else from_file_name(result))

    return function_of_names if name in packages[package].filenames else function


def any_cuda(values: list[Any]) -> bool:
    """Whether one of a call's arguments is a CUDA tensor."""
    return any(isinstance(v, torch.Tensor) and types.of(v).is_cuda for v in values)


def record_method(runtime: RuntimeInterface, package: str, class_name: str, name: str) -> Callable[..., Any]:
    """The function ``(mask, table, ...)`` that Lua calls for a method of a class whose objects are tables."""
    record = packages[package].records[class_name]
    cls = bound(record.cls)
    label = f"{package}.{class_name}" + ("" if name == "__init" else f":{name}")
    python = getattr(cls, record.methods[name])
    call, no_result = adapt(python, label, bound=1), gives_nothing(python)
    handles = runtime.handles

    def method(mask: int, *arguments: Any) -> Any:
        values = decode(handles, mask, arguments)
        if not values or not isinstance(values[0], TableView):
            raise ArgumentError(f"{label}: called without an object (with . in place of :?)")
        obj: Any = object.__new__(cls)
        object.__setattr__(obj, "_fields", values[0])
        if handles.cuda and any_cuda(values):
            with runtime.cuda_scope(True):
                result = call([obj, *values[1:]])
        else:
            result = call([obj, *values[1:]])
        return encode_results(handles, () if no_result else values[0] if result is obj else result)

    return method
