"""npy4th: tensors in NumPy's files."""

from __future__ import annotations

import zipfile
from typing import Any

import numpy as np
import torch

from torch7py.ops.dispatch.file_names import to_file_name
from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.one_writer import by_one
from torch7py.packages.registry import function

__all__ = ["load", "load_all", "save", "save_all"]

# Types that Torch7 does not have become the next larger one.
WIDER = {"bool": np.uint8, "uint16": np.int32, "uint32": np.int64, "uint64": np.int64}


def _tensor(array: Any, name: str) -> torch.Tensor:
    array = np.asarray(array, dtype=array.dtype.newbyteorder("="))
    if array.dtype.name == "uint64" and (array > np.iinfo(np.int64).max).any():
        raise TorchError(f"npy4th: {name} holds numbers that no tensor holds")
    if array.dtype.name in WIDER:
        array = array.astype(WIDER[array.dtype.name])
    if array.dtype.kind not in "iuf" or array.dtype.itemsize > 8:
        raise TorchError(f"npy4th: {name} holds values of type {array.dtype}, of which there are no tensors")
    return torch.from_numpy(np.array(array, ndmin=1, order="C"))


def _read(name: str) -> Any:
    try:
        return np.load(to_file_name(name), allow_pickle=False)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise TorchError(f"npy4th: cannot read {name}: {error}") from None


def _array(tensor: Any, name: str) -> Any:
    if not isinstance(tensor, torch.Tensor):
        raise ArgumentError(f"npy4th.{name}: a tensor expected")
    return tensor.detach().cpu().numpy()


@function("npy4th.loadnpy")
def load(name: str) -> torch.Tensor:
    """``npy4th.loadnpy(file)``: the tensor in a .npy file; a single number has one element."""
    content = _read(name)
    if not isinstance(content, np.ndarray):
        raise TorchError(f"npy4th.loadnpy: {name} holds several arrays; npy4th.loadnpz reads it")
    return _tensor(content, name)


@function("npy4th.savenpy")
@by_one
def save(name: str, tensor: torch.Tensor) -> None:
    """``npy4th.savenpy(file, tensor)``"""
    values = _array(tensor, "savenpy")
    with open(to_file_name(name), "wb") as file:
        np.save(file, values)


@function("npy4th.loadnpz")
def load_all(name: str) -> dict[str, torch.Tensor]:
    """``npy4th.loadnpz(file)``: the tensors in a .npz file by their names."""
    content = _read(name)
    if isinstance(content, np.ndarray):
        raise TorchError(f"npy4th.loadnpz: {name} holds one array; npy4th.loadnpy reads it")
    with content:
        return {key: _tensor(content[key], f"{key} of {name}") for key in content.files}


@function("npy4th.savenpz")
@by_one
def save_all(name: str, tensors: dict[str, torch.Tensor]) -> None:
    """``npy4th.savenpz(file, {name = tensor, ...})``"""
    if not isinstance(tensors, dict):
        raise ArgumentError("npy4th.savenpz: a table of tensors by name expected")
    arrays = {str(key): _array(value, "savenpz") for key, value in tensors.items()}
    with open(to_file_name(name), "wb") as file:
        np.savez(file, **arrays)
