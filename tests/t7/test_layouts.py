"""Every layout that a file may have: binary with its bytes in either order and longs of either size, and text.

The original's files, written again in each layout, must be read as what they were: saved in the original's own layout
they are its files again.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
import torch

import torch7py
from tests.t7.golden_files import files, is_binary, t7_names, unpack
from torch7py.ops import types
from torch7py.ops.files import DiskFile
from torch7py.ops.memory import Storage
from torch7py.t7.files import ReadForm
from torch7py.t7.outline import outline
from torch7py.t7.reader import Reader
from torch7py.t7.writer import Writer

pytestmark = pytest.mark.sampled(12)

LAYOUTS = [(little, size) for little in (True, False) for size in (4, 8)]


def laid_out(folder: Path, name: str, little: bool, long_size: int) -> Path:
    """A golden file in another layout."""
    source = DiskFile(unpack(folder, name))
    source.binary = True
    content = Reader(source).read()
    source.close()
    target = DiskFile(folder / "other.t7", "w")
    target.binary = True
    target.set_order(little)
    target.set_long_size(long_size)
    Writer(target).write(content)
    target.close()
    return folder / "other.t7"


def fits(folder: Path, name: str) -> bool:
    """Whether all longs of a file are ints."""
    file = DiskFile(unpack(folder, name))
    file.binary = True
    reader = Reader(file)
    reader.read()
    file.close()
    held = [value for table in reader.tables for value in table.values() if isinstance(value, Storage)]
    longs = [storage.tensor() for storage in held if storage.type is types.LONG]
    return all(bool((values.abs() < 1 << 31).all()) for values in longs)


BINARY = [name for name in t7_names() if is_binary(name) and "_2015" not in name]


@pytest.mark.parametrize(("little", "long_size"), LAYOUTS)
@pytest.mark.parametrize("name", BINARY)
def test_a_binary_file_in_every_layout(tmp_path: Path, name: str, little: bool, long_size: int) -> None:
    if long_size == 4 and "Reshape" in str(files()[name]) and not fits(tmp_path, name):
        pytest.skip("a long in it does not fit 4 bytes: memory that the original's nn.Reshape never wrote")
    path = laid_out(tmp_path, name, little, long_size)
    torch7py.save(torch7py.load(path), tmp_path / "again.t7")
    assert (tmp_path / "again.t7").read_bytes() == files()[name]
    layout = outline(path).layout
    if b"torch." in files()[name]:  # else there is nothing in the file that says so
        assert (layout.little, layout.long_size) == (little, long_size)


@pytest.mark.parametrize("name", ["tensor_Long.binary.t7", "nn_lookup.binary.t7", "nn_mlp.binary.t7"])
def test_a_format_that_is_named_is_taken(tmp_path: Path, name: str) -> None:
    if name not in files():
        pytest.skip("no such file")
    formats: tuple[tuple[ReadForm, int], ...] = (("b32", 4), ("b64", 8))
    for form, size in formats:
        path = laid_out(tmp_path, name, True, size)
        torch7py.save(torch7py.load(path, format=form), tmp_path / "again.t7")
        assert (tmp_path / "again.t7").read_bytes() == files()[name]


def test_longs_that_make_sense_in_both_sizes_are_those_that_end_with_the_file(tmp_path: Path) -> None:
    """With longs of 8 bytes a size and a stride of 4 are read as one number, which need not be a wild one."""
    for tensor in (torch.zeros(0, dtype=torch.int64), torch.ones(1, dtype=torch.int64), torch.arange(5)):
        target = DiskFile(tmp_path / "a.t7", "w")
        target.binary = True
        target.set_long_size(4)
        Writer(target).write(tensor)
        target.close()
        assert torch.equal(torch7py.load(tmp_path / "a.t7"), tensor)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    data = files()["nn_mlp.binary.t7"]
    for read in (torch7py.load, outline):
        os.mkfifo(tmp_path / "pipe")
        writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(data,))
        writer.start()
        found = read(tmp_path / "pipe")
        writer.join()
        os.unlink(tmp_path / "pipe")
        if read is outline:
            assert found.size == len(data)
        else:
            torch7py.save(found, tmp_path / "again.t7")
            assert (tmp_path / "again.t7").read_bytes() == data
