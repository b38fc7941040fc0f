"""The functions that cutorch adds to tensors: conversions to the CUDA types, and the device of a CUDA tensor."""

from __future__ import annotations

from functools import partial

import torch

from torch7py.ops import memory, types
from torch7py.ops.convert import to_type
from torch7py.ops.memory import Storage
from torch7py.ops.registry import Form, operation
from torch7py.packages.cutorch.settings import gpu, settings
from torch7py.packages.registry import function

__all__ = ["conversions"]


def _method_name(number_type: types.NumberType) -> str:
    """``cuda`` for torch.CudaTensor, ``cudaLong`` for torch.CudaLongTensor."""
    return number_type.name[0].lower() + number_type.name[1:]


conversions = tuple(map(_method_name, types.CUDA_TYPES))

for _name, _type in zip(conversions, types.CUDA_TYPES, strict=True):
    operation(f"cutorch.{_name}", "x:any", Form.METHOD, returns="typed")(partial(to_type, number_type=_type))


def _device_of(device: torch.device) -> int:
    return settings().device if gpu() is None else 1 + (device.index or 0)


@operation("cutorch.getDevice", "x:any", Form.METHOD, returns="value")
def _device(x: torch.Tensor) -> int:
    """``x:getDevice()``: the device that a CUDA tensor lies on, from 1; 0 for a tensor without memory."""
    return _device_of(x.device) if x.untyped_storage().nbytes() else 0


@operation("cutorch.getDevice", "storage:storage", returns="value")
def _storage_device(storage: Storage) -> int:
    """``storage:getDevice()``"""
    return _device_of(storage.untyped.device)


@operation("cutorch.copyAsync", "x:any src:any", Form.METHOD, returns="self")
def _copy_async(x: torch.Tensor, src: torch.Tensor) -> None:
    """``x:copyAsync(src)``: copy, done when it returns."""
    memory.copy(x, src)


@function("cutorch.__types")
def _types() -> list[list[object]]:
    """The table of CUDA types for ``cutorch.lua``: name, code, C type and size of each, and its host type's name."""
    return [[t.name, t.code, t.ctype, t.size, t.host.name, _method_name(t)] for t in types.CUDA_TYPES]
