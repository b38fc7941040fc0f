"""matio: MATLAB's files, by SciPy (versions 4 to 7) and h5py (7.3, which are HDF5 files)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from torch7py.ops.dispatch.file_names import to_file_name
from torch7py.ops.errors import ArgumentError, TorchError
from torch7py.ops.support import restricted
from torch7py.packages.optional_libraries import import_library
from torch7py.packages.registry import function, on_require

__all__ = ["load", "save"]

restricted("matio.load", "cells, structures and texts of MATLAB 7.3 are an error")
restricted("matio.save", "tensors, numbers and strings; no tables inside")
TYPES = {"uint16": np.int32, "uint32": np.int64, "bool": np.uint8}
LONGEST = np.iinfo(np.int64).max


@on_require("matio")
def _scipy() -> Any:
    return import_library("scipy.io", "MATLAB's files")


def _number(value: Any, name: str) -> torch.Tensor:
    """A tensor with MATLAB's dimensions, of the type of the numbers."""
    if value.dtype.kind == "c":
        raise TorchError(f"matio.load: {name} holds complex numbers, of which there are no tensors")
    if value.dtype.name == "uint64":
        if (value > LONGEST).any():
            raise TorchError(f"matio.load: {name} holds numbers that no tensor holds")
        value = value.astype(np.int64)
    value = value.astype(TYPES.get(value.dtype.name, value.dtype.newbyteorder("=")))
    return torch.from_numpy(np.array(value, order="C"))


def _lua(value: Any, name: str, strings: bool) -> Any:
    """The value for Lua: tensors; strings, or tensors of their characters; tables for cells and structures."""
    if isinstance(value, str):
        value = np.array([value])
    if value.dtype.names is not None:  # a structure, or a list of them
        items = [
            {field: _lua(item[field], f"{name}.{field}", strings) for field in value.dtype.names}
            for item in value.flatten(order="F")
        ]
        return items[0] if len(items) == 1 else items
    if value.dtype.kind == "O":
        return [_lua(item, f"{name}{{{n}}}", strings) for n, item in enumerate(value.flatten(order="F"), 1)]
    if value.dtype.kind in "US":
        lines = [str(line) for line in value.flatten()]
        if strings:
            text = lines[0] if len(lines) == 1 else "\n".join(lines)
            return text.encode().decode("latin1")
        rows = [list(line.encode("latin1", "replace")) for line in lines]
        return (
            torch.tensor(rows, dtype=torch.uint8).to(torch.int8)
            if any(rows)
            else torch.empty(0, dtype=torch.int8)
        )
    if value.dtype.kind not in "biufc":
        raise TorchError(f"matio.load: {name} holds values of type {value.dtype}, which are not read")
    return _number(value, name)


def _content(file: str, requested: list[str] | None) -> dict[str, Any]:
    io = _scipy()
    try:
        contents = io.loadmat(
            to_file_name(file), variable_names=requested, squeeze_me=False, struct_as_record=True
        )
    except NotImplementedError:
        return _hdf5(file, requested)
    except (OSError, ValueError, TypeError) as error:
        raise TorchError(f"matio.load: cannot read {file}: {error}") from None
    return {name: value for name, value in contents.items() if not name.startswith("__")}


def _hdf5(file: str, requested: list[str] | None) -> dict[str, Any]:
    h5py = import_library("h5py", "files of MATLAB 7.3")
    with h5py.File(to_file_name(file), "r") as opened:
        names = [
            name for name in opened if not name.startswith("#") and (requested is None or name in requested)
        ]
        contents = {}
        for name in names:
            item = opened[name]
            kind = item.attrs.get("MATLAB_class", b"double")
            if not isinstance(item, h5py.Dataset) or kind in (b"cell", b"struct", b"char"):
                raise TorchError(
                    f"matio.load: {name} of {file} is a {kind.decode()}, which is not read from files of MATLAB 7.3"
                )
            contents[name] = np.asarray(item).T
        return contents


@function("matio._load")
def load(file: str, names: list[str] | str | None = None, strings: bool = False) -> Any:
    """A table of a file's variables; of some of them; the one that is named by a string."""
    requested = [names] if isinstance(names, str) else names
    contents = _content(file, requested)
    for name in requested or ():
        if name not in contents:
            raise TorchError(f"matio.load: there is no variable {name} in {file}")
    converted = {name: _lua(value, name, strings) for name, value in contents.items()}
    return converted[names] if isinstance(names, str) else converted


@function("matio._save")
def save(file: str, values: Any) -> None:
    """Write tensors, numbers and strings by their names."""
    if not isinstance(values, dict) or not values:
        raise ArgumentError("matio.save: a tensor, or a table of tensors by name, expected")
    arrays: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, torch.Tensor):
            arrays[str(name)] = value.detach().cpu().numpy()
        elif isinstance(value, (int, float, str)):
            arrays[str(name)] = value
        else:
            raise ArgumentError(f"matio.save: {name} is no tensor, number or string")
    try:
        _scipy().savemat(to_file_name(file), arrays, appendmat=False, oned_as="column")
    except (OSError, ValueError) as error:
        raise TorchError(f"matio.save: cannot write {file}: {error}") from None
