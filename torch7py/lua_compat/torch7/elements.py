"""What a program does with elements one by one: apply, map, map2, totable."""

from __future__ import annotations

from typing import Any

import torch

from torch7py.lua_compat.errors import fail
from torch7py.lua_compat.torch7.tensors import metatables, storage_metatables
from torch7py.lua_compat.values import Behaviour, Table, behaviours, call, first, kind_of, metatable
from torch7py.ops import memory, types
from torch7py.ops.memory import Storage

__all__ = ["Behind", "publish"]


def _nested(value: Any) -> Any:
    return Table([_nested(item) for item in value]) if isinstance(value, list) else value


def totable(x: Any = None, *_: Any) -> Table:
    """All elements, in tables within tables."""
    if isinstance(x, Storage):
        return Table(x.tensor().tolist())
    if not isinstance(x, torch.Tensor):
        raise fail("obj must be a Storage or a Tensor")
    made: Table = _nested(x.tolist()) if x.numel() else Table()
    return made


def _traverse(name: str, f: Any, tensors: tuple[Any, ...]) -> Any:
    x = tensors[0]
    for number, tensor in enumerate(tensors):
        if not isinstance(tensor, torch.Tensor):
            raise fail(f"bad argument #{number} to '{name}' (tensor expected)")
        if tensor.dtype != x.dtype:
            raise fail(
                f"bad argument #{number} to '{name}' ({types.of(x).tensor} expected, got {types.of(tensor).tensor})"
            )
        if tensor.numel() != x.numel():
            raise fail(f"{name}: size mismatch: {x.numel()} elements against {tensor.numel()}")
    if kind_of(f) != "function":
        meta = metatable(f)
        if meta is None or meta.rawget_("__call") is None:
            raise fail(f"{name}: function expected, got {kind_of(f)}")
    values = [tensor.reshape(-1).tolist() for tensor in tensors]
    result = values[0]
    cast = types.of(x).cast
    for at, given in enumerate(zip(*values, strict=True)):
        value = first(call(f, *given))
        if value is None or value is False:
            continue
        if type(value) is not int and type(value) is not float:
            raise fail(f"the function should return a number or nil, not a {kind_of(value)}")
        result[at] = cast(value)
    if result:
        memory.copy(
            x, torch.tensor(result, dtype=torch.float64 if x.is_floating_point() else torch.int64).to(x.dtype)
        )
    return x


def apply(x: Any = None, f: Any = None, *_: Any) -> Any:
    """``x:apply(f)``: each element becomes ``f(element)`` where that is not nil."""
    return _traverse("apply", f, (x,))


def map_(x: Any = None, y: Any = None, f: Any = None, *_: Any) -> Any:
    """``x:map(y, f)``: the same of two tensors' elements."""
    return _traverse("map", f, (x, y))


def map2(x: Any = None, y: Any = None, z: Any = None, f: Any = None, *_: Any) -> Any:
    """``x:map2(y, z, f)``: the same of three."""
    return _traverse("map2", f, (x, y, z))


def _no_pointer(*_: Any) -> Any:
    raise fail("data: there are no pointers in a translated program")


class Pointer:
    """What stands for a tensor or storage where functions in C were given it. Nothing can be read through it."""

    def __init__(self, target: Any) -> None:
        self.target = target


class Pointers(Behaviour):
    kind = "cdata"

    def equal(self, left: Any, right: Any) -> bool:
        return isinstance(left, Pointer) and isinstance(right, Pointer) and left.target is right.target


behaviours[Pointer] = Pointers()


class Behind(Table):
    """What such pointers stand for."""

    def rawget_(self, key: Any) -> Any:
        return key.target if isinstance(key, Pointer) else None


def cdata(x: Any = None, *_: Any) -> Pointer:
    """``x:cdata()``"""
    if not isinstance(x, (torch.Tensor, Storage)):
        raise fail("cdata: a tensor or a storage expected")
    return Pointer(x)


def publish(torch_table: Table) -> None:
    torch_table.rawset_("totable", totable)
    torch_table.rawset_("data", _no_pointer)
    torch_table.rawset_("cdata", cdata)
    for mt in (*metatables.values(), *storage_metatables.values()):
        mt.rawset_("totable", totable)
        mt.rawset_("data", _no_pointer)
        mt.rawset_("cdata", cdata)
    for mt in metatables.values():
        mt.rawset_("apply", apply)
        mt.rawset_("map", map_)
        mt.rawset_("map2", map2)
