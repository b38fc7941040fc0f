"""The library's reader of Torch7's files, beside what the original wrote."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

import torch7py
from tests.t7.golden_files import described, t7_names, unpack
from tests.together import together
from torch7py.ops.memory import Storage
from torch7py.t7.objects import Table
from torch7py.translate.page_library.torch7_files import (
    Torch7Object,
    filled_from_file,
    is_torch7_file,
    load,
)

ORIGINALS = [
    name
    for name in t7_names()
    if name.endswith((".binary.t7", ".ascii.t7")) and name.split(".")[0] in described()
]


def same(mine: Any, theirs: Any) -> bool:
    """Whether a value is what the other reader gives, where both have a tensor, a table or a text."""
    if isinstance(theirs, Table):
        theirs = theirs.plain()
    if isinstance(theirs, Storage):
        theirs = theirs.tensor()
    if isinstance(theirs, torch.Tensor):
        return isinstance(mine, torch.Tensor) and torch.equal(
            mine.nan_to_num(), theirs.to(mine.dtype).nan_to_num()
        )
    if isinstance(theirs, dict):
        names = [key for key in theirs if isinstance(key, str)]
        return len(mine) == len(theirs) and all(same(mine[name], theirs[name]) for name in names)
    if isinstance(theirs, list):
        return len(mine) == len(theirs) and all(map(same, mine, theirs))
    if isinstance(theirs, str):
        return bool(mine == theirs.encode("latin1").decode("utf-8", "surrogateescape"))
    if isinstance(theirs, float) and math.isnan(theirs):
        return isinstance(mine, float) and math.isnan(mine)
    return isinstance(mine, Torch7Object) or bool(mine == theirs)


@together("name", ORIGINALS)
def test_the_originals_files(tmp_path: Path, name: str) -> None:
    path = unpack(tmp_path, name)
    assert is_torch7_file(path)
    theirs = torch7py.load(path)
    assert same(load(path), theirs)


@pytest.mark.parametrize("form", ["binary", "ascii"])
@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8]
)
def test_tensors_of_all_types(tmp_path: Path, form: Any, dtype: torch.dtype) -> None:
    x = torch.arange(6).to(dtype).reshape(2, 3)
    value = {
        "x": x,
        "turned": x.t(),
        "parts": ["a", True, 1.5, {"q": [1, 2]}],
        "none": torch.empty(0, dtype=dtype),
    }
    torch7py.save(value, tmp_path / "data.t7", format=form)
    mine = load(tmp_path / "data.t7")
    assert torch.equal(mine["x"], x)
    assert torch.equal(mine["turned"], x.t())
    assert mine["turned"].data_ptr() == mine["x"].data_ptr()
    assert mine["parts"] == value["parts"]
    assert mine["none"].shape == (0,)


def test_what_pytorch_saved_is_pytorchs(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(2)}, tmp_path / "data.t7")
    assert not is_torch7_file(tmp_path / "data.t7")
    assert torch.equal(load(tmp_path / "data.t7")["a"], torch.ones(2))


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_file_that_is_cut_off_is_an_error(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "data.t7"
    torch7py.save({"x": torch.ones(3), "name": "long enough"}, path)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises((ValueError, EOFError)):
        load(path)


def test_a_model_gets_the_weights_and_the_mode_of_the_saved_one(tmp_path: Path) -> None:
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))
    with torch7py.Runtime() as runtime:
        runtime.execute(
            f"require 'nn' m = nn.Sequential():add(nn.Linear(3, 4)):add(nn.BatchNormalization(4)):add(nn.Linear(4, 2))"
            f" m:forward(torch.range(1, 6):view(2, 3)) m:evaluate() torch.save('{tmp_path}/m.t7', m)"
        )
        wanted = runtime.execute("return m:forward(torch.range(3, 8):view(2, 3))").clone()
    filled_from_file(net, load(tmp_path / "m.t7"))
    assert not net.training
    assert torch.allclose(net.double()(torch.arange(3.0, 9).double().view(2, 3)), wanted, atol=1e-6)
    with pytest.raises(ValueError, match="another form"):
        filled_from_file(torch.nn.Linear(3, 4), load(tmp_path / "m.t7"))
