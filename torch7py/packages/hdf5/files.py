"""HDF5 files for Torch7's hdf5 package, by h5py. Lua refers to a file by a number, and to an object in it by its
path.

Files are flushed after each change: a program that ends by ``os.exit`` leaves complete files.
"""

from __future__ import annotations

import itertools
import os
from typing import Any

import numpy as np
import torch

from torch7py.ops.dispatch.file_names import to_file_name
from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.one_writer import open_for_writing, written
from torch7py.packages.optional_libraries import import_library
from torch7py.packages.registry import function, on_require

__all__ = [
    "append_data",
    "close_file",
    "kind_of",
    "names_in",
    "open_file",
    "partial",
    "size_of",
    "type_of",
    "write",
]

_files: dict[int, Any] = {}
_numbers = itertools.count(1)

# The tensor type for HDF5 numbers of a class and a size; unsigned ones are reinterpreted, as in the original.
TYPES = {
    ("i", 1): np.uint8,
    ("i", 2): np.int16,
    ("i", 4): np.int32,
    ("i", 8): np.int64,
    ("f", 4): np.float32,
    ("f", 8): np.float64,
}
CLASSES = {"O": "STRING", "S": "STRING", "V": "COMPOUND", "b": "ENUM", "c": "COMPOUND"}


@on_require("hdf5")
def _h5py() -> Any:
    return import_library("h5py", "HDF5 files")


def _file(number: int) -> Any:
    if number not in _files:
        raise TorchError("this HDF5 file has been closed")
    return _files[number]


def _reason(error: OSError | ValueError) -> str:
    """The system's reason where it is one; HDF5's own words for it take three lines."""
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)


@function("hdf5._open")
def open_file(name: str, mode: str) -> int:
    """Open a file; its number."""
    try:
        if mode == "r":
            file = _h5py().File(to_file_name(name), mode)
        else:
            file = open_for_writing(to_file_name(name), lambda path: _h5py().File(path, mode), mode != "w")
    except (OSError, ValueError) as error:
        raise TorchError(f"hdf5.open: cannot open {name} in mode '{mode}': {_reason(error)}") from None
    number = next(_numbers)
    _files[number] = file
    return number


@function("hdf5._close")
def close_file(number: int) -> None:
    file = _file(number)
    name, writes = str(file.filename), file.mode != "r"
    file.close()
    del _files[number]
    if writes:
        written(name)


@function("hdf5._kind")
def kind_of(number: int, path: str) -> str | None:
    """``group``, ``dataset``, or None if the path does not exist."""
    item = _file(number).get(path)
    if item is None:
        return None
    return "dataset" if isinstance(item, _h5py().Dataset) else "group"


@function("hdf5._names")
def names_in(number: int, path: str) -> list[str]:
    return list(_file(number)[path])


@function("hdf5._make_group")
def make_group(number: int, path: str) -> None:
    try:
        _file(number).create_group(path)
    except (OSError, ValueError, TypeError) as error:
        raise TorchError(f"hdf5: cannot make the group {path}: {error}") from None


def _dataset(number: int, path: str) -> Any:
    item = _file(number).get(path)
    if item is None:
        raise TorchError(f"hdf5: there is no {path}")
    return item


def _type(dataset: Any) -> type[Any]:
    dtype = dataset.dtype
    kind = "i" if dtype.kind == "u" else dtype.kind
    element_type = TYPES.get((kind, dtype.itemsize))
    if element_type is None or dataset.dtype.metadata:
        if kind in "if" and not dataset.dtype.metadata:
            word = "integer" if kind == "i" else "float"
            raise TorchError(f"Cannot support reading {word} data with size = {dtype.itemsize} bytes")
        raise TorchError(f"Reading data of class {CLASSES.get(dtype.kind, dtype.kind)} is unsupported")
    if dataset.shape is None or dataset.shape == ():
        raise TorchError("hdf5: a dataset without dimensions cannot be read as a tensor")
    return element_type


@function("hdf5._type")
def type_of(number: int, path: str) -> str:
    """The type of the tensor that a dataset is read as."""
    return {
        np.uint8: "torch.ByteTensor",
        np.int16: "torch.ShortTensor",
        np.int32: "torch.IntTensor",
        np.int64: "torch.LongTensor",
        np.float32: "torch.FloatTensor",
        np.float64: "torch.DoubleTensor",
    }[_type(_dataset(number, path))]


@function("hdf5._size")
def size_of(number: int, path: str) -> list[int]:
    return list(_dataset(number, path).shape or ())


@function("hdf5._partial")
def partial(number: int, path: str, starts: list[float], ends: list[float]) -> torch.Tensor:
    """The part of a dataset between a start and an end in each dimension, counted from 1; all of it by default."""
    dataset = _dataset(number, path)
    element_type = _type(dataset)
    ranges = []
    for start, end, size in zip(starts, ends, dataset.shape, strict=False):
        if not 1 <= start <= end <= size:
            raise ArgumentError(
                f"HDF5DataSet:partial() - {start:g} to {end:g} is no range of {size} elements"
            )
        ranges.append(slice(int(start) - 1, int(end)))
    try:
        values = dataset[tuple(ranges)]
    except OSError as error:
        raise TorchError(f"hdf5: cannot read {path}: {error}") from None
    values = np.ascontiguousarray(values.astype(values.dtype.newbyteorder("="), copy=False))
    return torch.from_numpy(values.view(element_type)).clone()  # numpy's own memory could not grow


def _array(tensor: torch.Tensor, path: str) -> np.ndarray[Any, Any]:
    if tensor.dtype not in (
        torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float32, torch.float64
    ):  # fmt: skip
        raise ArgumentError(f"hdf5: {path}: Cannot find hdf5 file type for {tensor.dtype}")
    if tensor.numel() == 0:
        raise ArgumentError(f"hdf5: {path}: an empty tensor cannot be written")
    array: np.ndarray[Any, Any] = tensor.detach().cpu().clone().contiguous().numpy()
    return array.astype(array.dtype.newbyteorder("<"), copy=False)


@function("hdf5._write")
def write(
    number: int,
    path: str,
    tensor: torch.Tensor,
    chunks: list[float] | None = None,
    level: float | None = None,
) -> None:
    """A new dataset. With ``chunks`` it may grow in its first dimension, with ``level`` it is deflated."""
    values = _array(tensor, path)
    options: dict[str, Any] = {}
    if chunks:
        options.update(chunks=tuple(map(int, chunks)), maxshape=(None, *values.shape[1:]))
    if level is not None:
        if not chunks:
            raise ArgumentError(f"hdf5: {path}: only a chunked dataset can be deflated")
        options.update(compression="gzip", compression_opts=int(level))
    file = _file(number)
    try:
        file.create_dataset(path, data=values, **options)
    except (OSError, ValueError, TypeError) as error:
        raise TorchError(f"Error writing data {path}: {error}") from None
    file.flush()


@function("hdf5._append")
def append_data(number: int, path: str, tensor: torch.Tensor) -> None:
    """More rows for a chunked dataset."""
    dataset = _dataset(number, path)
    values = _array(tensor, path)
    if dataset.shape[1:] != values.shape[1:]:
        raise ArgumentError(
            f"Error extending data {path}: rows of {values.shape[1:]}, not {dataset.shape[1:]}"
        )
    count = dataset.shape[0]
    try:
        dataset.resize(count + values.shape[0], axis=0)
        dataset[count:] = values
    except (OSError, TypeError, ValueError) as error:
        raise TorchError(f"Error extending data {path}: {error}") from None
    _file(number).flush()
