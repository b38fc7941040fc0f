"""Files that want to do harm, or are none: each gives a T7Error that says where, what was there, what it looks like."""

from __future__ import annotations

import gzip
import io
import pickle
import random
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

import torch7py
from tests.t7.fuzz import HEADROOM, attempts, limited_memory, run
from tests.t7.golden_files import files, unpack
from torch7py import T7Error
from torch7py.t7.outline import outline


def error_of(path: Path, has_outline: bool = False, **options: Any) -> T7Error:
    """The error that both readers give, within memory of the size of the file and 64 MB.

    ``has_outline``: only the one that makes layers gives it.
    """
    size = path.stat().st_size
    with limited_memory(size + HEADROOM), pytest.raises(T7Error) as caught:
        torch7py.load(path, **options)
    if has_outline:
        outline(path, **options)
    else:
        with pytest.raises(T7Error) as also:
            outline(path, **options)
        assert also.value.offset == caught.value.offset
    assert caught.value.offset is not None
    assert str(caught.value).startswith(f"{path}: the file ")
    assert f"; offset {caught.value.offset}: " in str(caught.value)
    return caught.value


@pytest.fixture(scope="module", autouse=True)
def _warm(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is loaded with the first file does not count."""
    torch7py.load(unpack(tmp_path_factory.mktemp("warm"), "nn_gmodule.binary.t7"))


# -- builders: a value of the binary format each -----------------------------------------------------------


def integer(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)


def long(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}q", *values)


def text(value: bytes) -> bytes:
    return integer(len(value)) + value


def string(value: bytes) -> bytes:
    return integer(2) + text(value)


def head(index: int, name: bytes) -> bytes:
    return integer(4, index) + text(b"V 1") + text(name)


def storage(index: int, count: int, data: bytes = b"", name: bytes = b"torch.DoubleStorage") -> bytes:
    return head(index, name) + long(count) + data


def tensor(index: int, sizes: list[int], strides: list[int], offset: int, inner: bytes) -> bytes:
    return head(index, b"torch.DoubleTensor") + integer(len(sizes)) + long(*sizes, *strides, offset) + inner


TWO = storage(2, 2, struct.pack("<dd", 1, 2))

HOSTILE = {
    "no kind": (integer(9), "9 is no kind of value"),
    "a kind below 0": (integer(-1), "-1 is no kind of value"),
    "an index of 0": (integer(3, 0, 0), "0 is no index of an object"),
    "an index below 0": (integer(3, -7, 0), "-7 is no index"),
    "an index of another kind": (
        integer(3, 1, 1) + string(b"a") + integer(4, 1),
        "the object 1 is of kind 3, not 4",
    ),
    "a table of 10^9 entries": (integer(3, 1, 10**9), "a count of 1000000000, and 0 bytes are left"),
    "a table of fewer than no entries": (integer(3, 1, -1), "a count of -1"),
    "a string of 2 GB": (integer(2, 2**31 - 1), "a count of 2147483647"),
    "a string of less than nothing": (integer(2, -5), "a count of -5"),
    "a function of 10^9 bytes": (integer(8, 1, 10**9), "a count of 1000000000"),
    "a storage of 10^9 elements": (
        storage(1, 10**9),
        "a storage of 1000000000 elements, and 0 bytes are left",
    ),
    "a storage of 2^62 elements": (storage(1, 2**62, bytes(80)), "a storage of 4611686018427387904 elements"),
    "a storage of less than nothing": (storage(1, -1), "a storage of -1 elements"),
    "a tensor of 10^9 dimensions": (
        head(1, b"torch.DoubleTensor") + integer(10**9),
        "a tensor of 1000000000 dimensions",
    ),
    "a tensor of -1 dimensions": (head(1, b"torch.DoubleTensor") + integer(-1), "a tensor of -1 dimensions"),
    "a tensor beyond its storage": (tensor(1, [3], [1], 1, TWO), "ends at element 3 of a storage of 2"),
    "a tensor before its storage": (tensor(1, [2], [1], -5, TWO), "negative sizes, strides or offset"),
    "a stride that leads out": (tensor(1, [2, 2], [2**40, 1], 1, TWO), "of a storage of 2"),
    "a stride that overflows": (tensor(1, [2, 2], [2**63 - 1, 2**63 - 1], 1, TWO), "of a storage of 2"),
    "a size below 0": (tensor(1, [-2], [1], 1, TWO), "negative sizes"),
    "a stride below 0": (tensor(1, [2], [-1], 2, TWO), "negative sizes, strides"),
    "more elements than there are numbers for": (
        tensor(1, [2**32, 2**32], [0, 0], 1, TWO),
        "a tensor of 18446744073709551616 elements",
    ),
    "a tensor that is its own storage": (tensor(1, [2], [1], 1, integer(4, 1)), ""),
    "a tensor on a table": (
        integer(3, 9, 1) + string(b"t") + tensor(1, [2], [1], 1, integer(4, 9)),
        "the storage of a torch.DoubleTensor is the object 9",
    ),
    "a tensor on numbers of another type": (
        tensor(1, [2], [1], 1, storage(2, 2, bytes(16), b"torch.LongStorage")),
        "a torch.DoubleTensor without its torch.DoubleStorage",
    ),
    "a tensor on a string": (tensor(1, [2], [1], 1, string(b"abc")), "without its torch.DoubleStorage"),
    "sizes without a storage": (
        tensor(1, [2], [1], 1, integer(0)),
        "a tensor of 1 dimensions without a storage",
    ),
    "nil as a key": (integer(3, 1, 1) + integer(0) + string(b"x"), "nil or nan as the key"),
    "nan as a key": (
        integer(3, 1, 1, 1) + struct.pack("<d", float("nan")) + string(b"x"),
        "nil or nan as the key",
    ),
    "a class without a name": (head(1, b""), "'' is no name of a class"),
    "a class with a name of control characters": (head(1, b"nn.\0\x01"), "is no name of a class"),
    "a class with an endless name": (head(1, b"n" * 5000), "is no name of a class"),
    "a hash of 10^9 entries": (head(1, b"tds.Hash") + long(10**9), "a count of 1000000000"),
    "half a number": (integer(1) + bytes(3), "read"),
}


STRANGE_LAYERS = {
    "modules that are none": (
        head(1, b"nn.Sequential") + integer(3, 2, 1) + string(b"modules") + integer(3, 3, 1) + string(b"a"),
        "modules is not a table of modules",
    ),
    "a weight that is none": (
        head(1, b"nn.Linear") + integer(3, 2, 1) + string(b"weight"),
        "its weight is not a tensor",
    ),
}


@pytest.mark.parametrize("name", STRANGE_LAYERS)
def test_a_layer_with_fields_of_another_kind(tmp_path: Path, name: str) -> None:
    data, message = STRANGE_LAYERS[name]
    (tmp_path / "a.t7").write_bytes(data + integer(5, 1))
    assert message in str(error_of(tmp_path / "a.t7", has_outline=True))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_wild_value(tmp_path: Path, name: str) -> None:
    data, message = HOSTILE[name]
    (tmp_path / "a.t7").write_bytes(data)
    assert message in str(error_of(tmp_path / "a.t7", format="b64"))


@pytest.mark.parametrize(
    "name",
    [
        "nn_gmodule.binary.t7",
        "nn_seq_lstm.binary.t7",
        "table_mixed.ascii.t7",
        "tensor_Half.ascii.t7",
        "nn_mlp.ascii.t7",
    ],
)
def test_a_file_that_ends_too_early(tmp_path: Path, name: str) -> None:
    data = files()[name]
    path = tmp_path / "cut.t7"
    lengths = random.Random(name).sample(range(1, len(data) - 1), min(25, len(data) - 2))
    for length in lengths:
        path.write_bytes(data[:length])
        error = error_of(path)
        assert 0 <= (error.offset or 0) <= length
        assert "it is damaged or cut short" in str(error)


def _zip() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("data.pkl", b"x" * 100)
    return made.getvalue()


def _old_pickle() -> bytes:
    made = io.BytesIO()
    torch.save({"a": torch.ones(3)}, made, _use_new_zipfile_serialization=False)
    return made.getvalue()


class Harm:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("this must not run",)


STRANGERS = {
    "zip": (_zip(), "a zip file"),
    "PyTorch's old format": (_old_pickle(), "a Python pickle"),
    "pickle": (pickle.dumps(Harm()), "a Python pickle"),
    "web page": (b"\n<!DOCTYPE html><html><body>404 Not Found</body></html>", "a web page"),
    "web page without a type": (b"<html>sign in</html>", "a web page"),
    "git-lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 5\n", "a git-lfs pointer"),
    "text": (b"weights are at the usual place\n", "a text"),
    "json": (b'{"message": "rate limit exceeded"}', "JSON"),
    "gzip": (gzip.compress(files()["nn_linear.binary.t7"]), "a gzip file"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(200), "an HDF5 file"),
    "numpy": (b"\x93NUMPY\x01\x00" + bytes(200), "a numpy file"),
    "PNG": (b"\x89PNG\r\n\x1a\n" + bytes(50), "a PNG image"),
    "safetensors": (struct.pack("<Q", 60) + b'{"weight":{"dtype":"F32","shape":[1]}}', "a safetensors file"),
    "Lua's bytecode": (b"\x1bLJ\x02" + bytes(50), "compiled Lua"),
    "nothing": (b"", "an empty file"),
    "noise": (bytes(range(200, 256)) * 3, "begins with the bytes c8 c9 ca cb"),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_a_file_of_another_kind(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    data, looks = STRANGERS[name]
    (tmp_path / "a.t7").write_bytes(data)
    error = error_of(tmp_path / "a.t7")
    assert error.offset == 0
    assert f"the file is no .t7 file: it {'' if name == 'noise' else 'looks like '}{looks}" in str(error)
    assert capsys.readouterr().out == ""


def _nested(levels: int, inner: bytes = integer(0)) -> bytes:
    made = [integer(3, number + 1, 1) + string(b"x") for number in range(levels)]
    return b"".join(made) + inner


def test_tables_inside_each_other_without_end(tmp_path: Path) -> None:
    (tmp_path / "a.t7").write_bytes(_nested(60_000))
    assert "more than 50000 objects inside each other" in str(error_of(tmp_path / "a.t7", format="b64"))


def test_deep_tables_can_be_read_copied_and_saved(tmp_path: Path) -> None:
    data = _nested(20_000)
    (tmp_path / "a.t7").write_bytes(data)
    found = torch7py.load(tmp_path / "a.t7")
    found.plain()
    torch7py.save(found, tmp_path / "b.t7")
    # what is nil is no entry
    assert (tmp_path / "b.t7").read_bytes() == _nested(19_999, integer(3, 20_000, 0))


def test_layers_inside_each_other_without_end(tmp_path: Path) -> None:
    """Each a container of one; the innermost has nothing."""
    levels = 4_000
    made = [
        head(3 * n + 1, b"nn.Sequential")
        + integer(3, 3 * n + 2, 1)
        + string(b"modules")
        + integer(3, 3 * n + 3, 1, 1)
        + struct.pack("<d", 1)
        for n in range(levels)
    ]
    (tmp_path / "a.t7").write_bytes(
        b"".join(made) + head(3 * levels + 1, b"nn.Tanh") + integer(3, 3 * levels + 2, 0)
    )
    with limited_memory(len(b"".join(made)) * 30 + HEADROOM):
        found = torch7py.load(tmp_path / "a.t7")
    assert found.class_name == "nn.Sequential"


def test_objects_that_hold_themselves(tmp_path: Path) -> None:
    (tmp_path / "a.t7").write_bytes(
        head(1, b"nn.Sequential")
        + integer(3, 2, 1)
        + string(b"modules")
        + integer(3, 3, 1, 1)
        + struct.pack("<d", 1)
        + integer(4, 1)
    )
    found = torch7py.load(tmp_path / "a.t7")
    assert found[0] is found
    torch7py.save(found, tmp_path / "b.t7")
    assert (tmp_path / "b.t7").read_bytes() == (tmp_path / "a.t7").read_bytes()
    (tmp_path / "c.t7").write_bytes(integer(3, 1, 1) + integer(3, 1) + integer(3, 1))
    table = torch7py.load(tmp_path / "c.t7")
    assert table[table] is table


def test_an_upgrade_does_not_blow_up_a_small_tensor(tmp_path: Path) -> None:
    """An old batch normalization whose running_std is one number, seen 10^12 times."""
    data = head(1, b"nn.BatchNormalization") + integer(3, 2, 1) + string(b"running_std")
    data += tensor(3, [10**6, 10**6], [0, 0], 1, storage(4, 1, struct.pack("<d", 1)))
    (tmp_path / "a.t7").write_bytes(data)
    with limited_memory(HEADROOM), pytest.raises(T7Error, match="running_std"):
        torch7py.load(tmp_path / "a.t7")


def test_a_text_of_numbers_takes_their_memory_and_no_more(tmp_path: Path) -> None:
    count = 2_000_000
    numbers = b" ".join([b"0.5"] * count)
    (tmp_path / "a.t7").write_bytes(b"4\n1\n3\nV 1\n19\ntorch.DoubleStorage\n%d\n%b\n" % (count, numbers))
    with limited_memory(8 * count + 3 * len(numbers) + (16 << 20)):
        found = torch7py.load(tmp_path / "a.t7")
    assert found.tensor().sum() == count / 2


def test_300_damaged_files(tmp_path: Path) -> None:
    """They are read, or refused with a T7Error, and nothing else; within the memory they may have."""
    assert 0 < run(300, 0, tmp_path) < 150


@pytest.mark.slow
def test_100000_damaged_files(tmp_path: Path) -> None:
    assert 0 < run(100_000, 0, tmp_path) < 50_000


def test_the_damage_is_the_same_each_time() -> None:
    assert list(attempts(20, 5)) == list(attempts(20, 5))
