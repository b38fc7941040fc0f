"""Numbers of texts: as C's printf writes them, and what scanf takes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from torch7py.ops import types
from torch7py.ops.errors import TorchError
from torch7py.ops.files import DiskFile

DOUBLE, FLOAT, LONG, BYTE = (types.BY_NAME[name] for name in ("Double", "Float", "Long", "Byte"))


def written(path: Path, values: torch.Tensor) -> bytes:
    file = DiskFile(path, "w")
    file.write_numbers(values)
    file.close()
    return path.read_bytes()


def test_numbers_as_c_prints_them(tmp_path: Path) -> None:
    values = torch.tensor([0.1, -0.0, 1e300, float("inf"), 3], dtype=torch.float64)
    assert written(tmp_path / "a", values) == b"0.10000000000000001 -0 1.0000000000000001e+300 inf 3\n"
    assert written(tmp_path / "a", torch.tensor([0.1, 16777216.0])) == b"0.100000001 16777216\n"
    assert written(tmp_path / "a", torch.tensor([-7, 2**40])) == b"-7 1099511627776\n"
    assert written(tmp_path / "a", torch.tensor([65, 10, 0], dtype=torch.uint8)) == b"A\n\0\n"
    assert written(tmp_path / "a", torch.tensor([float("nan")])) in (b"nan\n", b"-nan\n")


def test_what_is_taken_for_numbers(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b" 1  0x1p3\t1e999\n-inf nan(12) .5\n42\n")
    file = DiskFile(tmp_path / "a")
    found = file.read_numbers(DOUBLE, 6).tolist()
    assert found[:4] == [1, 8, float("inf"), float("-inf")]
    assert found[4] != found[4]
    assert found[5] == 0.5
    assert file.read_number(LONG) == 42
    file.close()


@pytest.mark.parametrize("text", [b"1_0 2\n", b"abc\n", b"", b"1\n"])
def test_what_is_not(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "a").write_bytes(text)
    file = DiskFile(tmp_path / "a")
    with pytest.raises(TorchError, match="read error"):
        file.read_numbers(LONG, 2)
    file.close()


def test_a_whole_number_must_fit_its_type(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"70000 1\n")
    file = DiskFile(tmp_path / "a")
    with pytest.raises(TorchError, match="does not fit the type Short"):
        file.read_numbers(types.BY_NAME["Short"], 2)
    file.close()


def test_lines_are_counted_without_being_parsed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1 2 3\n4\n5 6\n7")
    file = DiskFile(tmp_path / "a")
    file.skip_numbers(FLOAT, 3)
    file.skip_numbers(FLOAT, 1)
    file.skip_numbers(FLOAT, 1)  # of a line of two
    assert file.read_numbers(FLOAT, 2).tolist() == [6, 7]
    file.close()
