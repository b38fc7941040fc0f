"""mnist: both data sets, from files packed and unpacked."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from tests.inner_runtime import lua
from torch7py.bridge.errors import LuaError


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MNIST_DIR", raising=False)
    return tmp_path


class TestMnist:
    def write(self, folder: Path, which: str, values: np.ndarray, packed: bool = False) -> None:
        folder.mkdir(exist_ok=True)
        kind = "images-idx3" if values.ndim == 3 else "labels-idx1"
        data = bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}i", *values.shape)
        data += values.astype(np.uint8).tobytes()
        name = f"{which}-{kind}-ubyte"
        (folder / (name + ".gz" * packed)).write_bytes(gzip.compress(data) if packed else data)

    def test_both_sets(self, place, monkeypatch):
        images = np.arange(3 * 28 * 28).reshape(3, 28, 28) % 251
        self.write(place / "mnist", "train", images)
        self.write(place / "mnist", "train", np.array([7, 0, 9]))
        self.write(place / "other", "t10k", images[:1], packed=True)
        self.write(place / "other", "t10k", np.array([4]), packed=True)
        ask = """
            local set = require('mnist').%sdataset()
            local x = set.data
            assert(torch.type(x) == 'torch.ByteTensor' and x:size(2) == 28 and x:size(3) == 28)
            assert(set.size == x:size(1))
            assert(not pcall(function() return set[set.size + 1] end))
            local last = set[set.size]
            last.x[1][1] = 77
            assert(x[set.size][1][1] == 77 and last.y == set.label[set.size])
            return ('%%d %%d %%d'):format(last.x[2][3], x:size(1), set.label[1])
        """
        assert lua(ask % "train") == f"{images[2, 1, 2]} 3 7"
        monkeypatch.setenv("MNIST_DIR", str(place / "other"))
        assert lua(ask % "test") == f"{images[0, 1, 2]} 1 4"

    def test_files_that_are_not_there_or_not_whole(self, place):
        with pytest.raises(LuaError, match="there is no file train-images-idx3-ubyte"):
            lua("require('mnist').traindataset()")
        self.write(place / "mnist", "train", np.zeros((2, 28, 28)))
        file = place / "mnist" / "train-images-idx3-ubyte"
        file.write_bytes(file.read_bytes()[:-1])
        with pytest.raises(LuaError, match="or it is not whole"):
            lua("require('mnist').traindataset()")
