"""Tensors and storages in expressions: elements and parts by index, operators, methods of their types' metatables."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from torch7py.lua_compat.errors import fail, fault
from torch7py.lua_compat.numbers import EXACT, number_text, read_number
from torch7py.lua_compat.torch7 import classes
from torch7py.lua_compat.torch7.calls import function_of, method_of
from torch7py.lua_compat.values import Behaviour, Table, behaviours, call, index, kind_of
from torch7py.ops import memory, types
from torch7py.ops.memory import Storage
from torch7py.ops.registry import operations

__all__ = ["metatables", "publish", "storage_metatables"]

metatables: dict[torch.dtype, Table] = {}
storage_metatables: dict[torch.dtype, Table] = {}
_types = types.BY_DTYPE
_new_index, _set_index = function_of("__index"), function_of("__newindex")
_storage_index, _storage_set = function_of("__storage_index"), function_of("__storage_newindex")


# Places


def _position(key: Any, size: int, dim: int) -> int:
    """An index counts from 1, a negative one from the end; the result counts from 0."""
    if type(key) is not int:
        if type(key) is not float:
            raise fail(f"an index is a {kind_of(key)}: expected a number")
        key = math.ceil(key) if key < 0 else (math.floor(key) if key == key else 0)
    at = key + size if key < 0 else key - 1
    if not 0 <= at < size:
        raise fail(f"index {number_text(key)} is out of bounds for dimension {dim} of size {size}")
    return int(at)


def part(x: torch.Tensor, key: Any) -> torch.Tensor:
    """The sub-tensor that a number or a table selects: of 0 dimensions where it is one element.

    A number takes one element of its dimension, {a, b} the range, {a} one element without dropping the dimension,
    {} all.
    """
    if not x.numel():
        raise fail("indexing an empty tensor")
    if not isinstance(key, Table):
        return x.select(0, _position(key, x.shape[0], 1))
    entries = key.array_
    if len(entries) > x.dim():
        raise fail(f"too many indices: {len(entries)} for a tensor of {x.dim()} dimensions")
    at = 0
    for number, entry in enumerate(entries, 1):
        size = x.shape[at]
        if type(entry) in (int, float):
            x = x.select(at, _position(entry, size, number))
        elif isinstance(entry, Table):
            first, last = entry.rawget_(1), entry.rawget_(2)
            start = 0 if first is None else _position(first, size, number)
            end = size - 1 if first is None else start
            if last is not None:
                end = _position(last, size, number)
            if end < start:
                raise fail(
                    f"range {{{_shown(first)}, {_shown(last)}}} of dimension {number} ends before it starts"
                )
            x = x.narrow(at, start, end - start + 1)
            at += 1
        elif entry is None:
            break
        else:
            raise fail(f"index {number} is a {kind_of(entry)}: expected a number or a table {{first, last}}")
    return x


def element(x: torch.Tensor) -> int | float:
    """The number in a tensor of one element."""
    value: int | float = x.item()
    return value if -EXACT <= value <= EXACT else float(value)


def _shown(value: Any) -> str:
    return "nil" if value is None else number_text(value)


class Tensors(Behaviour):
    """Tensors of all types."""

    def index(self, value: torch.Tensor, key: Any) -> Any:
        kind = type(key)
        if kind is str:
            return index(metatables[value.dtype], key)
        if kind is int or kind is float or isinstance(key, Table):
            found = part(value, key)
            if found.dim():
                return found if found is not value else value.detach()
            return element(found)
        return _new_index(value, key)

    def set_index(self, value: torch.Tensor, key: Any, new: Any) -> None:
        if type(new) is str:
            number = read_number(new)
            new = new if number is None else number
        if type(key) not in (int, float) and not isinstance(key, Table):
            _set_index(value, key, new)
            return
        target = part(value, key)
        if isinstance(new, torch.Tensor):
            memory.copy(target if target.dim() else target.view(1), new)
        elif type(new) is int or type(new) is float:
            target.fill_(_types[value.dtype].cast(new))
        else:
            raise fail(f"a tensor element cannot be set to a {kind_of(new)}")

    def method(self, value: torch.Tensor, name: str, args: tuple[Any, ...]) -> Any:
        found = metatables[value.dtype].hash_.get(name)
        if found is None:
            found = index(metatables[value.dtype], name)
            if found is None:
                raise fault(f"attempt to call method '{name}' (a nil value)")
        return call(found, value, *args)

    def call(self, value: Any, args: tuple[Any, ...]) -> Any:
        return call(index(metatables[value.dtype], "__call"), value, *args)

    def equal(self, left: Any, right: Any) -> bool:
        return left is right

    def length(self, value: torch.Tensor) -> Any:
        return call(metatables[value.dtype].rawget_("__len"), value)

    def text(self, value: torch.Tensor) -> str:
        return str(call(metatables[value.dtype].rawget_("__tostring"), value))

    def metatable(self, value: torch.Tensor) -> Table:
        return metatables[value.dtype]

    def summary(self, value: torch.Tensor) -> str:
        """What ``print`` shows of a tensor in a table."""
        sizes = "x".join(map(str, memory.size_of(value)))
        kind = f"{_types[value.dtype].name}Tensor"
        return f"{kind} - size: {sizes}" if sizes else f"{kind} - empty"


class Storages(Behaviour):
    def index(self, value: Storage, key: Any) -> Any:
        if type(key) is str:
            return index(storage_metatables[value.type.dtype], key)
        return _storage_index(value, key)

    def set_index(self, value: Storage, key: Any, new: Any) -> None:
        _storage_set(value, key, new)

    def method(self, value: Storage, name: str, args: tuple[Any, ...]) -> Any:
        return call(index(storage_metatables[value.type.dtype], name), value, *args)

    def equal(self, left: Any, right: Any) -> bool:
        return bool(left == right)

    def length(self, value: Storage) -> Any:
        return len(value)

    def text(self, value: Storage) -> str:
        return str(method_of("Storage.__tostring")(value))

    def metatable(self, value: Storage) -> Table:
        return storage_metatables[value.type.dtype]

    def summary(self, value: Storage) -> str:
        return f"{value.type.name}Storage - size: {len(value)}"


# Constructors


def _measure(t: Table, depth: int, sizes: list[int], out: list[float]) -> None:
    """The sizes of a nested table of numbers, checked; fills ``out`` in order."""
    entries = t.array_
    if len(sizes) <= depth:
        sizes.append(len(entries))
    elif sizes[depth] != len(entries):
        raise fail(
            f"invalid table: the rows of dimension {depth + 1} have {sizes[depth]} and {len(entries)} entries"
        )
    if entries and isinstance(entries[0], Table):
        for entry in entries:
            if not isinstance(entry, Table):
                raise fail("invalid table: numbers beside tables")
            _measure(entry, depth + 1, sizes, out)
        return
    if len(sizes) > depth + 1:
        raise fail("invalid table: numbers at several depths")
    for entry in entries:
        value = read_number(entry) if type(entry) is str else entry
        if type(value) is not int and type(value) is not float:
            raise fail(f"invalid table: a {kind_of(entry)} where a number was expected")
        out.append(value)


def _from_table(number_type: types.NumberType, t: Table, as_storage: bool = False) -> torch.Tensor:
    sizes: list[int] = []
    values: list[float] = []
    _measure(t, 0, sizes, values)
    if not values:
        return torch.empty(0, dtype=number_type.dtype)
    if as_storage:
        if len(sizes) > 1:
            raise fail("a storage is made of a table of numbers")
        sizes = [len(values)]
    return torch.tensor(values, dtype=torch.float64).to(number_type.dtype, copy=True).reshape(sizes)


def _publish_type(number_type: types.NumberType, torch_table: Table) -> None:
    new_tensor, new_storage = function_of("__new"), function_of("__new_storage")
    code, dtype = number_type.code, number_type.dtype
    tensor_name, storage_name = number_type.tensor, number_type.storage

    def construct(*arguments: Any) -> Any:
        if arguments and isinstance(arguments[0], Table):
            return _from_table(number_type, arguments[0])
        # the original looks no further than a tensor, so x:new(3) is x:new()
        if arguments and isinstance(arguments[0], torch.Tensor) and arguments[0].dtype == dtype:
            return new_tensor(code, arguments[0])
        return new_tensor(code, *arguments)

    def construct_storage(*arguments: Any) -> Any:
        if arguments and isinstance(arguments[0], Table):
            if not arguments[0].array_:
                return new_storage(code, 0)
            return memory.storage_of(_from_table(number_type, arguments[0], as_storage=True))
        return new_storage(code, *arguments)

    mt, st = classes.ClassTable(), classes.ClassTable()
    metatables[dtype], storage_metatables[dtype] = mt, st
    mt.rawset_("__factory", lambda *_: torch.empty(0, dtype=dtype))
    for operator in ("add", "sub", "mul", "div", "mod", "pow", "unm"):
        if f"__{operator}" in operations:
            mt.rawset_(f"__{operator}__", function_of(f"__{operator}"))
            mt.rawset_(f"__{operator}", classes.OPERATORS[f"__{operator}"])
    _operators(mt, behaviours[torch.Tensor], method_of("__len"), method_of("__tostring"))
    _operators(st, behaviours[Storage], method_of("Storage.size"), method_of("Storage.__tostring"))
    st.rawset_("__eq", lambda a=None, b=None, *_: a == b)
    for name, meta, make in ((tensor_name, mt, construct), (storage_name, st, construct_storage)):
        meta.rawset_("__typename", name)
        classes.registered[name] = meta
        meta.rawset_("new", make)
        made = classes.constructors[name] = classes.constructor_table(meta, make)
        torch_table.rawset_(name.removeprefix("torch."), made)


def _operators(mt: Table, behaviour: Behaviour, length: Callable[..., Any], text: Callable[..., Any]) -> None:
    def get(x: Any = None, key: Any = None, *_: Any) -> Any:
        value = behaviour.index(x, key)
        return value, value is not None

    def put(x: Any = None, key: Any = None, value: Any = None, *_: Any) -> Any:
        behaviour.set_index(x, key, value)
        return True

    mt.rawset_("__len", classes.OPERATORS["__len"])
    mt.rawset_("__len__", length)
    mt.rawset_("__tostring", text)
    mt.rawset_("__tostring__", text)
    mt.rawset_("__index__", get)
    mt.rawset_("__newindex__", put)


def publish(torch_table: Table) -> None:
    """Put the constructors, and all operations as functions and methods, into the table ``torch``."""
    for number_type in types.NUMBER_TYPES:
        _publish_type(number_type, torch_table)
    for name, operation in operations.items():
        if name.startswith("Storage."):
            for st in storage_metatables.values():
                st.rawset_(name.removeprefix("Storage."), method_of(name))
        elif not name.startswith("__") and "." not in name:
            torch_table.rawset_(name, function_of(name))
            if operation.has_method:
                method = method_of(name)
                for mt in metatables.values():
                    mt.rawset_(name, method)


behaviours[torch.Tensor] = behaviours[torch.nn.Parameter] = Tensors()
behaviours[Storage] = Storages()
