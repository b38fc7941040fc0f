"""What HDF5 files hold, as tensors."""

from __future__ import annotations

import torch


def tensor_of(array):
    """An array from a file as a tensor; whole numbers as Torch7 has them: bytes without a sign, others with one."""
    if array.dtype.kind in "iu":
        array = array.view("u1" if array.itemsize == 1 else f"i{array.itemsize}")
    return torch.from_numpy(array)
