"""The Python functions that the bridge's Lua files call, by name. Lua reaches nothing else of Python."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import weakref
from collections.abc import Iterator
from typing import Any

import torch

from torch7py.bridge.calls import LuaCallback, LuaReference, decode
from torch7py.bridge.dispatch import encode_results
from torch7py.bridge.errors import LuaError
from torch7py.bridge.handles import STEP
from torch7py.bridge.lua_values import PythonFunction
from torch7py.bridge.runtime_interface import RuntimeInterface
from torch7py.bridge.table_view import ObjectView, TableView
from torch7py.bridge.value_conversion import conversion_functions, to_latin1
from torch7py.ops import memory, overlap, state, types
from torch7py.ops.dispatch.kinds import Kind
from torch7py.ops.error_messages import message_of
from torch7py.ops.errors import TorchError
from torch7py.ops.registry import classes, operations

__all__ = ["host_functions"]

MAX_DIMS = 8  # what the header in shared memory has room for
FIRST_SIZE, FIRST_STRIDE = 3, 3 + MAX_DIMS
SHARED_WORDS = FIRST_STRIDE + MAX_DIMS  # of the memory that Lua reads a header from
# What stands in Python for a value that stays in Lua.
REFERENCES: dict[str, type[LuaReference]] = {
    "function": LuaCallback,
    "fields": TableView,
    "object": ObjectView,
}


def _let_go(error: BaseException) -> None:
    """Clear the frames of failed calls: Lua's values must not outlive the coroutine that passed them."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        traceback = link.__traceback__
        while traceback is not None:
            frame = traceback.tb_frame
            if str(frame.f_globals.get("__name__")).startswith("torch7py."):
                with contextlib.suppress(RuntimeError):  # of a frame that is running
                    frame.clear()
            traceback = traceback.tb_next
        link = link.__cause__ or link.__context__


def host_functions(runtime: RuntimeInterface) -> dict[str, Any]:
    """The functions that have nothing to do with modules (those are in ``module_proxies.py``)."""
    handles = runtime.handles
    objects = handles.objects
    lua_contents = handles.lua_contents
    give_new = handles.give_new
    shared = runtime.shared
    class_names = {cls: name for name, cls in classes.items()}

    # -- errors -------------------------------------------------------------------------------------------

    def describe_error(error: Any) -> tuple[int | None, str | None, bool]:
        """The number of the thrown value in Lua, else the text to throw; and whether no pcall may catch it."""
        text = (
            message_of(error) if isinstance(error, BaseException) else ""
        )  # while the frames have their variables
        if isinstance(error, BaseException):
            _let_go(error)
        if isinstance(error, LuaError) and error.thrown is not None and error.thrown.runtime() is runtime:
            return error.thrown.number, "", False
        if not isinstance(error, BaseException):
            return None, None, False
        runtime.last_exception = error, text
        return None, to_latin1(text), not isinstance(error, Exception)

    # -- tables -------------------------------------------------------------------------------------------

    def new_table(is_map: bool) -> int:
        return handles.give({} if is_map else [], Kind.TABLE)

    def start_list(handle: int, n: int) -> None:
        lua_contents[handle] = []
        objects[handle].clear()

    def extend_list(handle: int, mask: int, *values: Any) -> None:
        items = decode(handles, int(mask), values)
        objects[handle].extend(items)
        lua_contents[handle] += items

    def new_list(mask: int, *values: Any) -> int:
        """Create a list of these values; returns its handle."""
        items = decode(handles, int(mask), values)
        handle = give_new(items, Kind.TABLE)
        lua_contents[handle] = tuple(items)
        return handle

    def fill_list(handle: int, mask: int, *values: Any) -> None:
        """Replace the content of a list."""
        objects[handle][:] = items = decode(handles, int(mask), values)
        lua_contents[handle] = tuple(items)

    def whole_list(handle: int, most: int) -> tuple[Any, ...]:
        """The length of a list, and its first entries."""
        held = objects[handle]
        lua_contents[handle] = tuple(held)
        return len(held), *encode_results(handles, tuple(held[:most]))

    def start_map(handle: int) -> None:
        lua_contents[handle] = {}
        objects[handle].clear()

    def set_entry(handle: int, mask: int, key: Any, value: Any) -> None:
        key, value = decode(handles, mask, (key, value))
        objects[handle][key] = lua_contents[handle][key] = value

    def list_part(handle: int, at: int, count: int) -> tuple[Any, ...]:
        return encode_results(handles, tuple(objects[handle][at - 1 : at - 1 + count]))

    unread: dict[
        int, Iterator[tuple[Any, Any]]
    ] = {}  # the entries of maps that Lua is reading, from where it is

    def first_entries(handle: int, count: int) -> tuple[Any, ...]:
        """Start reading a map: keys and values, alternating, of its first ``count`` entries."""
        lua_contents[handle] = dict(objects[handle])
        unread[handle] = iter(list(objects[handle].items()))  # a Table holds both 1 and true
        return more_entries(handle, count)

    def more_entries(handle: int, count: int) -> tuple[Any, ...]:
        """The next ``count`` entries, or fewer at the end."""
        entries = list(itertools.islice(unread[handle], count))
        if len(entries) < count:
            del unread[handle]
        return encode_results(handles, tuple(itertools.chain.from_iterable(entries)))

    program_objects: weakref.WeakValueDictionary[int, ObjectView] = weakref.WeakValueDictionary()

    def known_object(number: int) -> int | None:
        """A handle for an object of a program's class, if Python has it still."""
        known = program_objects.get(number)
        return None if known is None else handles.give(known, Kind.OBJECT)

    def new_reference(number: int, what: str) -> tuple[int, int | None]:
        """A handle for a value that stays in Lua, and the number of a value that Lua may now release."""
        reference = REFERENCES[what](runtime, number)
        if isinstance(reference, ObjectView):
            program_objects[number] = reference
        return handles.give(reference, Kind.OBJECT), runtime.dropped.pop() if runtime.dropped else None

    # -- tensors ------------------------------------------------------------------------------------------

    def header(handle: int) -> None:
        tensor = objects[handle]
        if isinstance(tensor, memory.Storage):
            untyped, size = tensor.untyped, len(tensor)
            shared[1] = untyped.data_ptr() if untyped.device.type == "cpu" else 0
            shared[2], shared[FIRST_SIZE], shared[FIRST_STRIDE] = 1 if size else 0, size, 1
            return
        sizes = tensor.shape
        shared[2] = dims = len(sizes) if tensor.numel() else 0
        if dims > MAX_DIMS:  # Lua asks for its geometry
            shared[1] = 0
            return
        shared[1] = tensor.data_ptr() if tensor.is_cpu else 0
        if dims:  # numbers one by one, which takes half the time of slices
            for place, size in enumerate(sizes, FIRST_SIZE):
                shared[place] = size
            for place, stride in enumerate(tensor.stride(), FIRST_STRIDE):
                shared[place] = stride

    def geometry(handle: int) -> tuple[int, ...]:
        """The number of dimensions, then the size and the stride of each."""
        tensor = objects[handle]
        if not tensor.numel():
            return (0,)
        pairs = zip(tensor.shape, tensor.stride(), strict=True)
        return (tensor.dim(), *(number for pair in pairs for number in pair))

    def part(handle: int, offset: int, shape: tuple[int, ...]) -> torch.Tensor:
        """A view of a tensor: ``offset`` counts from its first element, ``shape`` alternates sizes and strides."""
        tensor: torch.Tensor = objects[handle]
        return tensor.as_strided(shape[::2], shape[1::2], tensor.storage_offset() + offset)

    def view(handle: int, offset: int, *shape: int) -> int:
        return give_new(part(handle, offset, shape), handle & (STEP - 1))

    # The same for the usual numbers of dimensions, at half the price.
    def view1(handle: int, offset: int, n: int, s: int) -> int:
        x = objects[handle]
        return give_new(x.as_strided((n,), (s,), x.storage_offset() + offset), handle & (STEP - 1))

    def view2(handle: int, offset: int, n1: int, s1: int, n2: int, s2: int) -> int:
        x = objects[handle]
        return give_new(x.as_strided((n1, n2), (s1, s2), x.storage_offset() + offset), handle & (STEP - 1))

    def alias(handle: int) -> int:
        return give_new(objects[handle].detach(), handle & (STEP - 1))

    def adopt(kind: int, address: int, *sizes: int) -> tuple[int, int]:
        """Move elements from Lua's memory into a new tensor, empty without sizes; returns its handle and address."""
        tensor = torch.empty(sizes or (0,), dtype=types.NUMBER_TYPES[kind].dtype)
        moved = tensor.data_ptr()
        ctypes.memmove(moved, address, tensor.nbytes)
        return give_new(tensor, kind), moved

    def cuda_view(handle: int, offset: int, *shape: int) -> int:
        """``view`` for a tensor of a CUDA type."""
        return handles.give_cuda_view(part(handle, offset, shape))

    def fill_view(handle: int, offset: int, value: float, *shape: int) -> None:
        target = part(handle, offset, shape)
        target.fill_(types.of(target).cast(value))

    def copy_view(handle: int, offset: int, source: int, *shape: int) -> None:
        target = part(handle, offset, shape)
        overlap.copy(target, objects[source])

    def element(handle: int, offset: int) -> float:
        return part(handle, offset, ()).item()

    def resolve(name: str, method: bool, kinds: str, cuda: bool = False) -> tuple[Any, int]:
        operation = operations.get(name)
        if operation is None:
            raise TorchError(f"'{name}' is not supported")
        adapter = runtime.dispatcher.resolve(operation, method, [ord(c) - 65 for c in kinds], cuda)
        runtime.adapters.append(adapter.function)
        return adapter.function, adapter.mode

    def give_new_tensor(tensor: torch.Tensor, number_type: types.NumberType) -> int:
        return handles.give_cuda(tensor) if number_type.is_cuda else handles.give_tensor(tensor)

    def empty_tensor(code: int) -> int:
        number_type = types.BY_CODE[code]
        return give_new_tensor(
            torch.empty(0, dtype=number_type.dtype, device=state.current().device), number_type
        )

    def tensor_from_buffer(code: int, address: int, count: int, *sizes: int) -> int:
        """Create a tensor from doubles that Lua wrote into its own memory."""
        buffer = (ctypes.c_double * count).from_address(int(address))
        number_type = types.BY_CODE[code]
        values = torch.frombuffer(buffer, dtype=torch.float64).to(number_type.dtype, copy=True)
        tensor = values.reshape([int(n) for n in sizes]).to(state.current().device)
        return give_new_tensor(tensor, number_type)

    def tensor_from_list(code: int, values: int, *sizes: int) -> int:
        """Create a tensor from a list, for an engine without FFI."""
        number_type = types.BY_CODE[code]
        tensor = torch.tensor(objects[values], dtype=torch.float64).to(number_type.dtype)
        tensor = tensor.reshape([int(n) for n in sizes]).to(state.current().device)
        return give_new_tensor(tensor, number_type)

    def pointer(handle: int) -> int:
        obj = objects[handle]
        return obj.pointer() if isinstance(obj, memory.Storage) else id(obj)

    # -- elements -----------------------------------------------------------------------------------------

    def flat(handle: int) -> int:
        """All elements of a tensor or storage as a vector, on the same memory if possible."""
        obj = objects[handle]
        return handles.give_view(obj.tensor() if isinstance(obj, memory.Storage) else obj.reshape(-1))

    def elements(handle: int, at: int, count: int) -> tuple[float, ...]:
        return tuple(objects[handle][at : at + count].tolist())

    def put_elements(handle: int, at: int, *values: float) -> None:
        target = objects[handle][at : at + len(values)]
        target.copy_(torch.tensor(values, dtype=torch.float64))

    def order_matters(handle: int, *others: int) -> bool:
        """Whether writing elements of a tensor changes elements of it or of the others that are read later."""
        target = objects[handle]
        return overlap.repeats(target) or overlap.order_matters(target, *(objects[other] for other in others))

    def copy_elements(handle: int, source: int) -> None:
        if objects[handle].data_ptr() != objects[source].data_ptr() or objects[handle].device.type == "meta":
            memory.copy(objects[handle], objects[source])

    # -- objects ------------------------------------------------------------------------------------------

    def object_class(handle: int) -> tuple[str, int | None]:
        """The Torch7 class of an object; for a Lua function or table also its number in Lua."""
        obj = objects[handle]
        if isinstance(obj, LuaReference):
            return "function", obj.number
        if isinstance(obj, PythonFunction):
            return "function", None
        for cls in type(obj).__mro__:
            if cls in class_names:
                return class_names[cls], None
        return type(obj).__name__, None

    def object_classes() -> tuple[str, ...]:
        """The names of the registered classes, each followed by its parent's name or "". Parents come first."""
        listed: list[str] = []
        for name, cls in sorted(classes.items(), key=lambda item: len(item[1].__mro__)):
            parents = [class_names[base] for base in cls.__mro__[1:] if base in class_names]
            listed += [name, parents[0] if parents else ""]
        return tuple(listed)

    def class_methods(name: str) -> tuple[str, ...]:
        return tuple(key[len(name) + 1 :] for key in list(operations) if key.rpartition(".")[0] == name)

    return {
        "release": handles.release,
        "collected": runtime.collected,
        "drop": runtime.drop,
        "describe_error": describe_error,
        "new_table": new_table,
        "is_map": lambda handle: not isinstance(objects[handle], list),
        "start_list": start_list,
        "extend_list": extend_list,
        "new_list": new_list,
        "fill_list": fill_list,
        "whole_list": whole_list,
        "start_map": start_map,
        "set_entry": set_entry,
        "list_part": list_part,
        "first_entries": first_entries,
        "more_entries": more_entries,
        "known_object": known_object,
        "new_reference": new_reference,
        "header": header,
        "geometry": geometry,
        "view": view,
        "view1": view1,
        "view2": view2,
        "alias": alias,
        "adopt": adopt,
        "cuda_view": cuda_view,
        "fill_view": fill_view,
        "copy_view": copy_view,
        "element": element,
        "resolve": resolve,
        "empty_tensor": empty_tensor,
        "tensor_from_buffer": tensor_from_buffer,
        "flat": flat,
        "count": lambda handle: objects[handle].numel(),
        "elements": elements,
        "put_elements": put_elements,
        "order_matters": order_matters,
        "copy_elements": copy_elements,
        "isatty": os.isatty,
        "class_methods": class_methods,
        "object_class": object_class,
        "object_classes": object_classes,
        "pointer": pointer,
        "same_storage": lambda a, b: objects[a] == objects[b],
        "tensor_from_list": tensor_from_list,
        "advance": runtime.advance,
    } | conversion_functions(runtime)
