"""``torch7py convert``: one file, directories, and what it says."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import load_file

import torch7py
from tests.t7.golden_files import unpack
from torch7py import nn
from torch7py.cli.convert_directory import Conversion
from torch7py.cli.main import main


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["convert", *map(str, arguments)])


@pytest.mark.parametrize("ending", ["safetensors", "pt", "npz"])
def test_the_format_goes_by_the_name(tmp_path: Path, ending: str) -> None:
    path = unpack(tmp_path, "nn_linear.ascii.t7")
    result = run(path, tmp_path / f"out.{ending}")
    assert result.exit_code == 0
    size = (tmp_path / f"out.{ending}").stat().st_size
    assert result.output.startswith(f"{path} -> {tmp_path}/out.{ending}: ")
    assert result.output.endswith(f", {size:,} bytes\n")


def test_a_part_of_a_file(tmp_path: Path) -> None:
    torch7py.save({"a": {"b": nn.Linear(2, 2)}, "c": torch.ones(3)}, tmp_path / "m.t7")
    assert run(tmp_path / "m.t7", tmp_path / "m.safetensors", "--entry", "a.b").exit_code == 0
    assert load_file(tmp_path / "m.safetensors").keys() == {"weight", "bias"}
    result = run(tmp_path / "m.t7", tmp_path / "m.safetensors", "--entry", "a.x")
    assert result.exit_code == 1
    assert "there is no entry 'x'" in result.output


def test_a_directory(tmp_path: Path) -> None:
    (tmp_path / "in" / "deeper").mkdir(parents=True)
    torch7py.save(nn.Linear(2, 2), tmp_path / "in" / "a.t7")
    torch7py.save(nn.Linear(2, 3), tmp_path / "in" / "deeper" / "b.t7")
    (tmp_path / "in" / "bad.t7").write_bytes(b"<html>")
    (tmp_path / "in" / "other.txt").write_bytes(b"")
    result = run(tmp_path / "in", tmp_path / "out", "--to", "safetensors")
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert lines[0].startswith(f"a.t7 -> {tmp_path}/out/a.safetensors: 2 tensors, ")
    reason = (
        f"{tmp_path}/in/bad.t7: the file is no .t7 file: it looks like a web page; "
        "offset 0: 1836345404 is no kind of value"
    )
    assert lines[1] == f"FAILED {reason}"
    assert lines[2].startswith(f"deeper/b.t7 -> {tmp_path}/out/deeper/b.safetensors: 2 tensors, ")
    assert lines[3] == "2 converted, 1 failed"
    assert lines[4] == f"  {reason}"
    assert load_file(tmp_path / "out" / "deeper" / "b.safetensors")["weight"].shape == (3, 2)


def test_a_directory_in_several_processes_and_again(tmp_path: Path) -> None:
    """A line of JSON for each file; what is done is left out the next time, unless the file is newer."""
    (tmp_path / "in" / "deeper").mkdir(parents=True)
    torch7py.save(nn.Linear(2, 2), tmp_path / "in" / "a.t7")
    torch7py.save(nn.Linear(2, 3), tmp_path / "in" / "deeper" / "b.t7")
    (tmp_path / "in" / "bad.t7").write_bytes(b"<html>")
    command = (tmp_path / "in", tmp_path / "out", "--to", "safetensors", "--jobs", 2)
    result = run(*command)
    assert result.exit_code == 1
    lines = {line["file"]: line for line in map(json.loads, result.output.splitlines())}
    assert lines.keys() == {"a.t7", "bad.t7", "deeper/b.t7"}
    assert lines["a.t7"].items() >= {"to": f"{tmp_path}/out/a.safetensors", "holds": "2 tensors"}.items()
    assert lines["a.t7"]["bytes"] == (tmp_path / "out/a.safetensors").stat().st_size
    assert "is no .t7 file: it looks like a web page" in lines["bad.t7"]["error"]
    assert load_file(tmp_path / "out" / "deeper" / "b.safetensors")["weight"].shape == (3, 2)

    (tmp_path / "in" / "bad.t7").unlink()
    result = run(*command)
    assert result.exit_code == 0
    assert [json.loads(line) for line in result.output.splitlines()] == [
        {"file": name, "to": f"{tmp_path}/out/{name.removesuffix('t7')}safetensors", "skipped": True}
        for name in ("a.t7", "deeper/b.t7")
    ]


def test_a_newer_file_is_converted_again(tmp_path: Path) -> None:
    order = Conversion(tmp_path / "a.t7", "a.t7", tmp_path / "a.pt", "", ())
    order.source.touch()
    assert not order.is_done()
    order.target.touch()
    assert order.is_done()
    os.utime(order.source, ns=(0, order.target.stat().st_mtime_ns + 1))
    assert not order.is_done()


def test_requests_that_make_no_sense(tmp_path: Path) -> None:
    path = unpack(tmp_path, "nn_linear.binary.t7")
    result = run(path, tmp_path / "out.xyz")
    assert result.exit_code == 2
    assert "its ending names no format, which is one of .safetensors, .pt" in result.output
    assert run(tmp_path, tmp_path / "out").exit_code == 2
    (tmp_path / "empty").mkdir()
    result = run(tmp_path / "empty", tmp_path / "out", "--to", "pt")
    assert result.exit_code == 1
    assert "no files *.t7" in result.output
    result = run(path, tmp_path / "missing" / "out.pt")
    assert result.exit_code == 1
    assert "No such file or directory" in result.output


def test_onnx_without_a_size_or_without_onnx_says_what_is_missing(tmp_path: Path) -> None:
    result = run(unpack(tmp_path, "nn_linear.binary.t7"), tmp_path / "out.onnx")
    assert result.exit_code == 1
    assert "--input" in result.output or "-m pip install" in result.output


@pytest.mark.parametrize("ending", ["safetensors", "npz"])
def test_an_expanded_tensor_with_more_numbers_than_the_disk_has_room_for(tmp_path: Path, ending: str) -> None:
    torch7py.save({"t": torch.zeros(1).expand(1 << 50)}, tmp_path / "m.t7")
    result = run(tmp_path / "m.t7", tmp_path / f"m.{ending}")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.endswith(f"m.{ending}: No space left on device\n")
    assert [path.name for path in tmp_path.iterdir()] == ["m.t7"]
