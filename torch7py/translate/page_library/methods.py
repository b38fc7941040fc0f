"""Methods of values of whatever kind."""

from __future__ import annotations

import copy
import inspect
import io
import os
import re
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import torch
from torch import nn

from torch7py.translate.page_library.layers import Object, backward, counted_from_0, forward
from torch7py.translate.page_library.module_methods import (
    GIVING_NOTHING,
    apply_to_all,
    apply_to_parts,
    find_modules,
    module_type,
    object_method,
    of_all_modules,
    open_modules,
    rounding_up,
)
from torch7py.translate.page_library.tensors import as_type, function_all, new_like, tensor_method
from torch7py.translate.page_library.text import text_function_all
from torch7py.translate.page_library.values import (
    NotInPage,
    attribute,
    call_all,
    index,
    listed,
    text_of,
)


class AllValues(tuple[Any, ...]):
    """All values of a method that gives several, where a tuple by itself is one table."""


def method_all(value: Any, name: str, *args: Any) -> tuple[Any, ...]:
    """All values that ``value:name(...)`` gives."""
    if isinstance(value, torch.Tensor):
        result = tensor_method(value, name, *args)
    elif isinstance(value, dict):
        return call_all(value.get(name), value, *args)
    elif isinstance(value, str):
        result = text_function_all(name, value, *args)
    elif isinstance(value, torch.Size) and name in STORAGE_METHODS:
        result = STORAGE_METHODS[name](value)
    elif isinstance(value, Object):
        return object_method(value, name, *args)
    elif isinstance(value, io.IOBase) or is_command(value):
        result = file_method(value, name, *args)
    elif isinstance(value, nn.Module) and (name == "forward" or not defines(type(value), name)):
        if name in OF_ALL_MODULES:
            return call_all(OF_ALL_MODULES[name], value, *args)
        if name not in MODULE_METHODS:
            raise TypeError(f"the method {name} of {type(value).__name__}")
        result = MODULE_METHODS[name](value, *args)
        if isinstance(result, AllValues):
            return tuple(result)
        return () if name in GIVING_NOTHING else (result,)
    else:
        function = getattr(value, attribute(value, name), None)
        if function is None:  # a class that a page has for one of optim's
            of_page = getattr(value, re.sub("(?=[A-Z])", "_", name).lower(), None)
            if of_page is None:
                raise TypeError(f"the method {name} of {type(value).__name__}")
            return call_all(of_page, *map(listed, args))
        is_own = inspect.isfunction(function) and not isinstance(value, (type, ModuleType))
        return call_all(function, value, *args) if is_own else call_all(function, *args)
    return result if type(result) is tuple else (result,)


def call_field_all(owner: Any, name: str, *args: Any) -> tuple[Any, ...]:
    """All values that ``owner.name(...)`` gives: of a tensor the function that is its method."""
    if not isinstance(owner, torch.Tensor):
        return call_all(index(owner, name), *args)
    return (new_like(owner, *args),) if name == "new" else function_all(name, *args)


def call_field(owner: Any, name: str, *args: Any) -> Any:
    """The first value that ``owner.name(...)`` gives."""
    return (*call_field_all(owner, name, *args), None)[0]


def field_or_method(value: Any, name: str) -> Any:
    """``value.name``, where that may be a method that all modules have."""
    result = index(value, name)
    if result is None and isinstance(value, Object):
        return partial(of_all_modules, name)
    return result


def defines(kind: type, name: str) -> bool:
    """Whether a class that is not PyTorch's has a method of this name."""
    bases = (base for base in kind.__mro__ if not base.__module__.startswith("torch."))
    return any(name in vars(base) for base in bases)


def method(value: Any, name: str, *args: Any) -> Any:
    """The first value that ``value:name(...)`` gives."""
    return (*method_all(value, name, *args), None)[0]


PASSES: dict[str, Callable[..., Any]] = {
    "accGradParameters": partial(backward, which="weights"),
    "backward": backward,
    "forward": forward,
    "updateGradInput": partial(backward, which="inputs"),
    "updateOutput": forward,
}


def module_method_all(value: Any, name: str, *args: Any) -> tuple[Any, ...]:
    """All values of a pass of what may be a module: that keeps the call for its way back. Others have such a method."""
    if isinstance(value, nn.Module) or inspect.isroutine(value):
        return (PASSES[name](value, *args),)
    return method_all(value, name, *args)


def module_method(value: Any, name: str, *args: Any) -> Any:
    """The first value of a pass of what may be a module."""
    return (*module_method_all(value, name, *args), None)[0]


def _forward(module: nn.Module, *args: Any) -> Any:
    return module(*counted_from_0(module, args))


def clone(module: nn.Module, *shared: str) -> nn.Module:
    """``module:clone(...)``: a copy. Where fields are named, its weights and gradients are the module's own."""
    if shared and not {"weight", "bias", "gradWeight", "gradBias"}.issubset(shared):
        raise NotInPage(f"a copy of a module that shares {', '.join(shared)} alone")
    return copy.deepcopy(module, {id(x): x for x in module.parameters()} if shared else None)


def share_weights(module: nn.Module, other: nn.Module, *names: str) -> nn.Module:
    """``module:share(other, ...)``: the weights that are named, and their gradients, are the other's from then on."""
    for mine, theirs in zip(module.modules(), other.modules(), strict=True):
        if type(mine) is not type(theirs):
            raise NotInPage(f"weights of {type(theirs).__name__} for {type(mine).__name__}")
        for name, weight in theirs._parameters.items():
            field = name if name in ("weight", "bias") else "weight"  # of a layer of several in PyTorch
            if (field in names) != (f"grad{field.capitalize()}" in names):
                raise NotInPage(f"a module that shares {', '.join(names)} alone")
            if field in names:
                if field != name and not {"bias", "gradBias"}.issubset(names):
                    raise NotInPage(f"the weights of {type(mine).__name__} one by one")
                if field != name and not type(mine).__module__.startswith("torch."):
                    raise NotInPage(f"the weight {name} of {type(mine).__name__} as another one's")
                mine._parameters[name] = weight
    return module


def move_weights(module: nn.Module, rate: Any) -> None:
    """``module:updateParameters(rate)``: a weight moves once for each module that has it."""
    for _, weight in module.named_parameters(remove_duplicate=False):
        if weight.grad is not None:
            weight.data.add_(weight.grad, alpha=-rate)


# What the program gives the class of all modules.
OF_ALL_MODULES: dict[str, Callable[..., Any]] = {}

MODULE_METHODS: dict[str, Callable[..., Any]] = {
    "apply": apply_to_all,
    "applyToModules": apply_to_parts,
    "findModules": lambda module, name: AllValues(find_modules(module, name)),
    "listModules": open_modules,
    "add": lambda module, part: module.append(part),
    "ceil": lambda module: rounding_up(module, True),
    "clearState": lambda module: module,
    "clone": clone,
    "cuda": lambda module: as_type(module, "cuda"),
    "double": lambda module: as_type(module, "double"),
    "evaluate": lambda module: module.eval(),
    "float": lambda module: as_type(module, "float"),
    "floor": lambda module: rounding_up(module, False),
    "forward": _forward,
    "get": lambda module, place: module[int(place) - 1],
    "share": share_weights,
    "size": len,
    "training": lambda module: module.train(),
    "type": module_type,
    "updateOutput": _forward,
    "updateParameters": move_weights,
    "zeroGradParameters": lambda module: module.zero_grad(set_to_none=False),
}


# Of sizes, which are a storage in Lua.
STORAGE_METHODS: dict[str, Callable[..., Any]] = {"size": len, "totable": list}


def is_command(file: Any) -> bool:
    """Whether what is read or written comes from or goes to a command."""
    return isinstance(file, os._wrap_close)


def file_method(file: Any, name: str, *args: Any) -> Any:
    """``file:name(...)`` of an open file."""
    if name == "write":
        file.write("".join(text_of(value) for value in args))
        return file
    if name == "read":
        wanted = args[0] if args else "*l"
        if wanted in ("*a", "*all"):
            return file.read()
        if wanted in ("*l", "*line"):
            line = file.readline()
            return line.removesuffix("\n") if line else None
        if isinstance(wanted, (int, float)):
            return file.read(int(wanted)) or None
    if name == "lines":
        return ((line.removesuffix("\n"),) for line in file)
    if name == "close":
        status = file.close()  # of a command, whose number is above the lowest 8 bits
        return ((None if status else True), "exit", (status or 0) >> 8) if is_command(file) else True
    if name == "flush":
        file.flush()
        return True
    raise TypeError(f"the method {name} of a file with {args!r}")
