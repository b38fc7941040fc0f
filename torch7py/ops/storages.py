"""Storages: ``torch.DoubleStorage`` and the like, and their methods."""

from __future__ import annotations

import ctypes
import mmap
import os
import weakref
from functools import partial
from pathlib import Path
from typing import Any

import torch

from torch7py.ops import state, types
from torch7py.ops.convert import to_type
from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.memory import Storage
from torch7py.ops.printing import storage_to_string
from torch7py.ops.registry import Form, operation
from torch7py.ops.support import restricted
from torch7py.ops.types import NumberType

__all__: list[str] = []

_libc = ctypes.CDLL(None)

# -- constructors ------------------------------------------------------------------------------------------


@operation("__new_storage", "code:int size:int=0", Form.FUNCTION, returns="object")
def _new(code: int, size: int) -> Storage:
    """``torch.DoubleStorage([size])``. The elements are 0; the original left them undetermined."""
    if size < 0:
        raise ArgumentError(f"a storage cannot have {size} elements")
    return Storage.of_size(types.BY_CODE[code], size, state.current().device)


@operation("__new_storage", "code:int storage:storage offset:int=1 size:int=None", returns="object")
def _new_view(code: int, storage: Storage, offset: int, size: int | None) -> Storage:
    """``torch.DoubleStorage(storage [, offset [, size]])``: a part of another storage's memory."""
    number_type = types.BY_CODE[code]
    if storage.type is not number_type:
        raise ArgumentError(f"expecting {number_type.storage}, got {storage.type.storage}")
    if not 1 <= offset <= len(storage):
        raise TorchError(f"offset {offset} out of bounds of a storage of size {len(storage)}")
    rest = len(storage) - offset + 1
    size = rest if size is None else size
    if not 1 <= size <= rest:
        raise TorchError(f"size {size} out of bounds: {rest} elements from offset {offset}")
    start = (offset - 1) * number_type.size
    return Storage(number_type, storage.untyped[start : start + size * number_type.size])


@operation("__new_storage", "code:int size:int address:int", returns="object")
def _new_at(code: int, size: int, address: int) -> Storage:
    """``torch.DoubleStorage(size, pointer)``: memory that belongs to somebody else and must outlive this."""
    number_type = types.BY_CODE[code]
    if size < 1:
        raise ArgumentError(f"a storage on given memory cannot have {size} elements")
    if not _is_mapped(address, size * number_type.size):
        raise ArgumentError(f"the process has no memory for {size} elements at address {address}")
    raw = (ctypes.c_byte * (size * number_type.size)).from_address(address)
    return Storage(number_type, torch.frombuffer(raw, dtype=number_type.dtype).untyped_storage())


def _is_mapped(address: int, size: int) -> bool:
    """Whether all pages of a block of memory are the process's."""
    start = address - address % mmap.PAGESIZE
    if start <= 0 or address + size >= 1 << 63:
        return False
    nothing_more = ctypes.c_int(1)  # MS_ASYNC: msync then only looks whether the pages are there
    return bool(
        _libc.msync(ctypes.c_void_p(start), ctypes.c_size_t(address + size - start), nothing_more) == 0
    )


@operation(
    "__new_storage",
    "code:int filename:string shared:bool=False size:int=0 shared_memory:bool=False",
    returns="object",
)
def _new_mapped(code: int, filename: str, shared: bool, size: int, shared_memory: bool) -> Storage:
    """``torch.CharStorage(filename [, shared [, size [, sharedMem]]])``: a file mapped to memory.

    With ``shared`` changes go to the file, which is made or extended to ``size`` elements if need be. With
    ``sharedMem`` too, ``filename`` is the name of a block of shared memory, which lasts as long as the storage.
    """
    number_type = types.BY_CODE[code]
    path = os.fsdecode(filename.encode("latin1"))
    if shared and shared_memory:
        return _named_memory(number_type, path, size)
    if not (shared and size > 0):
        try:
            available = os.path.getsize(path) // number_type.size
        except OSError as error:
            raise TorchError(f"unable to open file <{filename}>: {error.strerror}") from None
        if size > available:
            raise TorchError(f"file <{filename}> has {available} elements, not {size}")
        size = size or available
    if size == 0:
        return Storage.of_size(number_type, 0, torch.device("cpu"))
    mapped: Any = torch.UntypedStorage.from_file(path, shared, size * number_type.size)
    return Storage(number_type, mapped)


def _named_memory(number_type: NumberType, name: str, size: int) -> Storage:
    """A block of shared memory under a name, made if there is none; the name goes when the storage does."""
    folder = Path("/dev/shm")  # where Linux keeps what the original's shm_open makes
    if not folder.is_dir():
        raise TorchError(
            "storages in shared memory (sharedMem) need /dev/shm, which this system does not have"
        )
    if not name.strip("/") or "/" in name.strip("/"):
        raise ArgumentError(f"shared memory cannot have the name '{name}'")
    path = folder / name.strip("/")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        available = os.fstat(descriptor).st_size
        wanted = size * number_type.size or available
        if wanted == 0:
            path.unlink()
            raise TorchError(f"shared memory '{name}' is new and needs a size")
        if wanted > available:
            os.ftruncate(descriptor, wanted)
        block = mmap.mmap(descriptor, wanted)
    finally:
        os.close(descriptor)
    weakref.finalize(block, path.unlink, missing_ok=True)
    return Storage(number_type, torch.frombuffer(block, dtype=number_type.dtype).untyped_storage())


# -- methods -----------------------------------------------------------------------------------------------


def _position(storage: Storage, index: float) -> int:
    position = int(index) - 1
    if not 0 <= position < len(storage):
        raise TorchError(f"index {int(index)} out of bounds of a storage of size {len(storage)}")
    return position


@operation("__storage_index", "storage:storage index:number", Form.FUNCTION, returns="value")
def _get(storage: Storage, index: float) -> float:
    """``s[index]``: an element, counted from 1."""
    return storage.tensor()[_position(storage, index)].item()


@operation("__storage_newindex", "storage:storage index:number value:number", Form.FUNCTION, returns="value")
def _set(storage: Storage, index: float, value: float) -> None:
    """``s[index] = value``: an element changed, the number cast to the storage's type."""
    storage.tensor()[_position(storage, index)] = storage.type.cast(value)


operation("Storage.size", "storage:storage", Form.METHOD, returns="value", about="How many elements.")(len)
operation(
    "Storage.elementSize",
    "storage:storage",
    Form.METHOD,
    returns="value",
    about="The bytes that an element takes.",
)(lambda s: s.type.size)


def _nothing(storage: Storage) -> None:
    """Nothing: what was counted by hand Lua's collector does."""


for _name in ("retain", "free"):
    operation(
        f"Storage.{_name}",
        "storage:storage",
        Form.METHOD,
        returns="value",
    )(_nothing)
    restricted(f"torch.Storage:{_name}", "changes nothing: memory lives as long as it is used")
operation(
    "Storage.__tostring",
    "storage:storage",
    Form.METHOD,
    returns="value",
    about="What ``print`` shows: an element a line, then type and size.",
)(lambda s: storage_to_string(s.tensor(), s.type.storage))


@operation("Storage.fill", "storage:storage value:number", Form.METHOD, returns="self")
def _fill(storage: Storage, value: float) -> None:
    """``s:fill(value)``: every element becomes the number."""
    storage.tensor().fill_(storage.type.cast(value))


@operation("Storage.copy", "storage:storage src:storage", Form.METHOD, returns="self")
def _copy(storage: Storage, src: Storage) -> None:
    """``s:copy(src)``: as many elements, cast to this storage's type."""
    if len(storage) != len(src):
        raise TorchError(f"size mismatch: {len(src)} elements copied to a storage of {len(storage)}")
    storage.tensor().copy_(src.tensor())


@operation(
    "Storage.resize",
    "storage:storage size:int keepContent:bool=True",
    Form.METHOD,
    returns="self",
    moves=True,
)
def _resize(storage: Storage, size: int, keepContent: bool) -> None:
    """``s:resize(size[, keepContent])``: in place; the elements stay in any case, new ones are undetermined.

    Of a tensor that looks beyond the new end the elements there are 0 from now on.
    """
    if size < 0:
        raise ArgumentError(f"a storage cannot have {size} elements")
    storage.resize(size)


@operation("Storage.string", "storage:storage", Form.METHOD, returns="value")
def _get_string(storage: Storage) -> str:
    """``s:string()``: the bytes of a ByteStorage or CharStorage as a string."""
    return bytes(_bytes_of(storage).tensor().cpu().view(torch.uint8).tolist()).decode("latin1")


@operation("Storage.string", "storage:storage text:string", returns="self")
def _set_string(storage: Storage, text: str) -> None:
    """``s:string(text)``: resized to the string's length and filled with its bytes."""
    data = text.encode("latin1")
    _bytes_of(storage).resize(len(data))
    if data:
        storage.tensor().view(torch.uint8).copy_(torch.frombuffer(bytearray(data), dtype=torch.uint8))


def _bytes_of(storage: Storage) -> Storage:
    if storage.type.host.name not in ("Byte", "Char"):
        raise TorchError(f"string: only ByteStorage and CharStorage have it, not {storage.type.storage}")
    return storage


# -- types -------------------------------------------------------------------------------------------------


def _to_type(storage: Storage, number_type: NumberType) -> Storage:
    if storage.type is number_type:
        return storage
    return Storage.of_values(number_type, to_type(storage.tensor(), number_type))


def _type_named(name: str) -> NumberType:
    for number_type in types.BY_CODE.values():
        if number_type.storage == name:
            return number_type
    raise ArgumentError(f"'{name}' is not a storage type")


operation(
    "Storage.type",
    "storage:storage",
    Form.METHOD,
    returns="value",
    about="The name of the storage's type; with a name the storage in that type: itself if it has it, else a copy.",
)(lambda s: s.type.storage)
operation("Storage.type", "storage:storage name:string", returns="object")(
    lambda s, name: _to_type(s, _type_named(name))
)
operation(
    "Storage.typeAs",
    "storage:storage other:storage",
    Form.METHOD,
    returns="object",
    about="``s:type(other:type())``.",
)(lambda s, other: _to_type(s, other.type))
operation(
    "Storage.real",
    "storage:storage",
    Form.METHOD,
    returns="object",
    about="The storage in the default tensor type's type of number.",
)(lambda s: _to_type(s, state.current().default_type))

for _type in types.NUMBER_TYPES:
    operation(
        f"Storage.{_type.name.lower()}",
        "storage:storage",
        Form.METHOD,
        returns="object",
        about=f"``s:type('{_type.storage}')``.",
    )(partial(_to_type, number_type=_type))
