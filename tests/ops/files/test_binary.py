"""Numbers of binary files: every type, in either byte order, against struct and numpy."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from torch7py.ops import types
from torch7py.ops.errors import TorchError
from torch7py.ops.files import DiskFile, MappedFile

LONG = types.BY_NAME["Long"]


def opened(path: Path, little: bool, mode: str = "r", cls: type[DiskFile] = DiskFile) -> DiskFile:
    file = cls(path, mode)
    file.binary = True
    file.set_order(little)
    return file


@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("number_type", types.NUMBER_TYPES, ids=lambda t: t.name)
def test_numbers_lie_as_numpy_writes_them(
    tmp_path: Path, number_type: types.NumberType, little: bool
) -> None:
    values = torch.tensor([1, 2, 3, 100]).to(number_type.dtype)
    file = opened(tmp_path / "a", little, "w")
    file.write_numbers(values)
    file.write_number(number_type, 7)
    file.close()
    wanted = np.append(values.numpy(), values.numpy().dtype.type(7))
    assert (tmp_path / "a").read_bytes() == wanted.astype(
        wanted.dtype.newbyteorder("<" if little else ">")
    ).tobytes()
    file = opened(tmp_path / "a", little)
    assert torch.equal(file.read_numbers(number_type, 4), values)
    assert file.read_number(number_type) == 7
    assert file.remaining() == 0
    file.close()


@pytest.mark.parametrize("little", [True, False])
def test_longs_of_four_bytes(tmp_path: Path, little: bool) -> None:
    file = opened(tmp_path / "a", little, "w")
    file.set_long_size(4)
    file.write_numbers(torch.tensor([-1, 2**31 - 1]))
    file.write_number(LONG, 5)
    file.close()
    assert (tmp_path / "a").read_bytes() == struct.pack("<>"[not little] + "iii", -1, 2**31 - 1, 5)
    file = opened(tmp_path / "a", little)
    file.set_long_size(4)
    assert file.read_numbers(LONG, 3).tolist() == [-1, 2**31 - 1, 5]
    file.close()


def test_large_blocks_are_mapped_where_they_lie_at_a_multiple_of_their_size(tmp_path: Path) -> None:
    """What is written to the tensor does not come into the file; other blocks are copied and as right."""
    values = torch.arange(100_000, dtype=torch.float64)
    for gap, mapped in ((0, True), (8, True), (4, False)):
        (tmp_path / "a").write_bytes(bytes(gap) + values.numpy().tobytes())
        file = opened(tmp_path / "a", True, cls=MappedFile)
        file.skip(gap)
        found = file.read_numbers(types.BY_NAME["Double"], len(values))
        file.close()
        assert torch.equal(found, values)
        if mapped:
            assert found.data_ptr() % mmap.ALLOCATIONGRANULARITY == gap
        found.zero_()
        assert (tmp_path / "a").read_bytes()[gap:] == values.numpy().tobytes()


def test_numbers_that_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(20))
    file = opened(tmp_path / "a", True)
    with pytest.raises(TorchError, match="read 2 blocks instead of 1000000000"):
        file.read_numbers(LONG, 10**9)
    file.close()
