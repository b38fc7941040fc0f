"""The table ``torch`` of a translated program."""

from __future__ import annotations

import os
from typing import Any

import torch

from torch7py.lua_compat.basic import G
from torch7py.lua_compat.errors import fail
from torch7py.lua_compat.modules import dofile
from torch7py.lua_compat.torch7 import classes, elements, objects, serial, tensors
from torch7py.lua_compat.values import Library, Table, index, kind_of, metatable
from torch7py.ops import state, types
from torch7py.ops.memory import Storage
from torch7py.packages.registry import packages

__all__ = ["make"]


def _set_default(torch_table: Table, number_type: types.NumberType) -> None:
    state.current().default_type = number_type
    torch_table.rawset_("Tensor", classes.constructors[number_type.tensor])
    torch_table.rawset_("Storage", classes.constructors[number_type.storage])


def get_default(*_: Any) -> str:
    return state.current().default_type.tensor


def is_tensor(x: Any = None, *_: Any) -> bool:
    return isinstance(x, torch.Tensor)


def is_storage(x: Any = None, *_: Any) -> bool:
    return isinstance(x, Storage)


def is_equal(a: Any = None, b: Any = None, *_: Any) -> bool:
    return (
        a is b
        or (type(a) in (int, float) and type(b) in (int, float) and bool(a == b))
        or (type(a) is str and type(b) is str and bool(a == b))
    )


def pointer(x: Any = None, *_: Any) -> int:
    """A number that tells objects apart."""
    if isinstance(x, Storage):
        return x.pointer()
    if x is None or type(x) in (bool, int, float):
        raise fail(f"torch.pointer: a {kind_of(x)} has no address")
    return id(x)


def version(x: Any = None, *_: Any) -> Any:
    meta = metatable(x)
    return None if meta is None else meta.rawget_("__version")


def isatty(file: Any = None, *_: Any) -> bool:
    stream = getattr(file, "file", None)
    if stream is None:
        raise fail(f"torch.isatty: a file expected, got {kind_of(file)}")
    return bool(getattr(stream, "isatty", lambda: False)())


def get_constructor(name: Any = None, *_: Any) -> Any:
    return classes.constructors.get(name) if type(name) is str else None


def nothing(*_: Any) -> Any:
    return ()


def package_path(name: Any = None, *_: Any) -> Any:
    """The folder of a package's Lua files, found as require finds them."""
    for pattern in str(index(G.package, "path")).split(";"):
        path = pattern.replace("?", "torch" if name is None else name)
        if path and os.path.isfile(path):
            return os.path.dirname(path)
    return None


def include(name: Any = None, file: Any = None, *_: Any) -> Any:
    folder = package_path(name)
    if folder is None:
        raise fail(f"torch.include: there is no package '{name}' in package.path")
    return dofile(f"{folder}/{file}")


def _no_structures(*_: Any) -> Any:
    raise fail("there are no C structures of Torch7's here")


def _no_environments(*_: Any) -> Any:
    raise fail("a translated function has the globals of the program")


def make() -> Library:
    """The table, made anew, with everything that a program finds in it at its start but torch.CmdLine and Tester."""
    packages["torch"].load()
    made = Library()
    tensors.publish(made)
    objects.publish("torch", made)
    elements.publish(made)

    def set_default(name: Any = None, *_: Any) -> Any:
        stem = name.removeprefix("torch.").removesuffix("Tensor") if type(name) is str else ""
        if (
            stem not in types.BY_NAME
            or types.BY_NAME[stem].tensor != name
            or name not in classes.constructors
        ):
            raise fail(f"'{name}' is not a tensor type")
        _set_default(made, types.BY_NAME[stem])
        return ()

    def set_heap_tracking(flag: Any = None, *_: Any) -> Any:
        """Memory is watched by Python: the flag is kept, no more."""
        if not isinstance(flag, bool):
            raise fail(f"torch.setheaptracking expects a boolean, not a {kind_of(flag)}")
        made.rawset_("_heaptracking", flag)
        return ()

    for name, value in {
        "setdefaulttensortype": set_default,
        "getdefaulttensortype": get_default,
        "class": classes.define,
        "newmetatable": classes.new_metatable,
        "typename": classes.typename,
        "type": classes.torch_type,
        "isTypeOf": classes.is_type_of,
        "getmetatable": classes.lookup,
        "setmetatable": classes.set_metatable,
        "factory": classes.factory_of,
        "isequal": is_equal,
        "getconstructortable": get_constructor,
        "isTensor": is_tensor,
        "isStorage": is_storage,
        "pointer": pointer,
        "isatty": isatty,
        "version": version,
        "pushudata": _no_structures,
        "metatype": _no_structures,
        "getenv": _no_environments,
        "setenv": _no_environments,
        "setheaptracking": set_heap_tracking,
        "updateerrorhandlers": nothing,
        "updatethreadlocals": nothing,
        "packageLuaPath": package_path,
        "include": include,
    }.items():
        made.rawset_(name, value)
    _set_default(made, state.current().default_type)
    serial.publish(made)
    return made
