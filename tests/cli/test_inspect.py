"""``torch7py inspect``: the tree and the JSON of a file, at once whatever its size."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

from click.testing import CliRunner, Result

import torch7py
from tests import python_process
from tests.t7.golden_files import described, is_binary, t7_names, unpack
from tests.together import together
from torch7py import nn
from torch7py.cli.main import main
from torch7py.t7.outline import outline
from torch7py.t7.outline_text import as_data, as_lines


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["inspect", *map(str, arguments)])


def test_a_model(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    model[2].bias.data = model[0].bias.data[1:3]
    torch7py.save({"model": model, "rate": 0.5, "name": "a b"}, tmp_path / "m.t7")
    result = run(tmp_path / "m.t7")
    assert result.exit_code == 0
    size = (tmp_path / "m.t7").stat().st_size
    assert (
        result.output.splitlines()[0]
        == f"{tmp_path}/m.t7: {size / 1000:.1f} KB, binary, little-endian, longs of 8 bytes"
    )
    assert result.output.splitlines()[3:] == [
        "table of 3",
        "  model: nn.Sequential: 26 parameters",
        "    1: nn.Linear: 16 parameters",
        "      weight: DoubleTensor 4x3",
        "      bias: DoubleTensor 4 (storage 1)",
        "    2: nn.Tanh",
        "    3: nn.Linear: 10 parameters",
        "      weight: DoubleTensor 2x4",
        "      bias: DoubleTensor 2 (storage 1)",
        "  rate: 0.5",
        "  name: 'a b'",
        "",
        "shared storages:",
        "  1: DoubleStorage of 4: model.modules[1].bias, model.modules[3].bias",
    ]
    assert "gradWeight: DoubleTensor 4x3" in run("--all", tmp_path / "m.t7").output
    assert "1: nn.Linear" not in run("--depth", 1, tmp_path / "m.t7").output


@together("name", [name for name in t7_names() if name.partition(".")[0] in described()])
def test_every_golden_file_has_a_tree_and_its_data(tmp_path: Path, name: str) -> None:
    path = unpack(tmp_path, name)
    found = outline(path)
    assert all(list(as_lines(found, everything=everything)) for everything in (False, True))
    data = json.loads(json.dumps(as_data(found)))
    assert data["format"] == ("binary" if is_binary(name) else "ascii")
    wanted = described()[name.partition(".")[0]]
    tensors = [item for item in data["objects"] if item["kind"] == "tensor"]
    expected: dict[int, list[int]] = {}

    def collect(value: object) -> None:
        if isinstance(value, dict) and "ref" not in value:
            if "size" in value:
                expected[value["id"]] = value["size"]
            for pair in value.get("items", ()):
                for part in pair:
                    collect(part)

    collect(wanted)
    assert sorted(item["size"] for item in tensors) == sorted(expected.values())


def test_two_gigabytes_take_no_longer(tmp_path: Path) -> None:
    """A table of a tensor of 2 GB, of which the file system stores nothing, and a string."""
    count = 500_000_000
    begin = struct.pack("<iii", 3, 1, 2) + struct.pack("<ii1s", 2, 1, b"w")
    begin += struct.pack("<iii3si17s", 4, 2, 3, b"V 1", 17, b"torch.FloatTensor")
    begin += struct.pack("<iqqq", 1, count, 1, 1)
    begin += struct.pack("<iii3si18sq", 4, 3, 3, b"V 1", 18, b"torch.FloatStorage", count)
    end = struct.pack("<ii1s", 2, 1, b"n") + struct.pack("<ii3s", 2, 3, b"end")
    with open(tmp_path / "big.t7", "wb") as file:
        file.write(begin)
        file.seek(4 * count, 1)
        file.write(end)
    start = time.process_time()
    result = run(tmp_path / "big.t7")
    assert time.process_time() - start < 1
    assert result.output.splitlines()[1:] == [
        "1 storage with 2.0 GB of numbers",
        "",
        "table of 2",
        "  w: FloatTensor 500000000",
        "  n: 'end'",
    ]


def test_what_is_no_t7_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.t7").write_bytes(b"PK\x03\x04" + bytes(100))
    result = run(tmp_path / "a.t7")
    assert result.exit_code == 1
    assert (
        "the file is no .t7 file: it looks like a zip file (PyTorch's .pt, perhaps); "
        "offset 0: 67324752 is no kind of value" in result.output
    )
    assert (
        run(tmp_path / "b.t7").output == f"torch7py: cannot open {tmp_path}/b.t7: No such file or directory\n"
    )


def test_cycles_and_deep_tables_end(tmp_path: Path) -> None:
    root = inner = torch7py.Table()
    for _ in range(3000):
        inner["x"] = torch7py.Table()
        inner = inner["x"]
    inner["root"] = root
    torch7py.save(root, tmp_path / "deep.t7")
    assert run(tmp_path / "deep.t7").output.endswith("  " * 30 + "x: table of 1 ...\n")
    assert "table, the same as the whole" in run("--depth", 4000, tmp_path / "deep.t7").output
    data = json.loads(run("--json", tmp_path / "deep.t7").output)
    assert len(data["objects"]) == 3001


def test_the_standard_input(tmp_path: Path) -> None:
    for name in ("ascii", "binary"):
        torch7py.save({"a": 1}, tmp_path / name, format=name)
    arguments = ["-m", "torch7py", "inspect", "-"]
    redirected = python_process.run(arguments, input=(tmp_path / "ascii").read_text())
    assert redirected.stdout.splitlines()[-2:] == ["table of 1", "  a: 1"]
    command = [sys.executable, *arguments]
    piped = subprocess.run(command, input=(tmp_path / "binary").read_bytes(), capture_output=True, check=True)
    assert piped.stdout.decode().splitlines()[-2:] == ["table of 1", "  a: 1"]


def test_a_reader_that_has_seen_enough_is_no_failure_to_speak_of(tmp_path: Path) -> None:
    torch7py.save({"a": 1}, tmp_path / "a.t7")
    read, write = os.pipe()
    os.close(read)
    with open(write, "wb") as closed:
        ended = subprocess.run(
            [sys.executable, "-m", "torch7py", "inspect", tmp_path / "a.t7"],
            stdout=closed,
            stderr=subprocess.PIPE,
        )
    assert (ended.returncode, ended.stderr) == (1, b"")
