"""dataload's loaders of images, of files made here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError

Image = pytest.importorskip("PIL.Image")


def save(path: Path, value: int, size: int = 4) -> None:
    """An image of one grey."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((size, size), value, dtype=np.uint8)).save(path)


@pytest.fixture
def lua(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("DEEP_DATA_PATH", str(tmp_path / "data"))
    monkeypatch.setenv("DEEP_SAVE_PATH", str(tmp_path / "save"))
    start = """local dl = require 'dataload'
    local function joined(t) return table.concat(t:mul(1):view(-1):totable(), ' ') end
    local function greys(x) return joined(x:view(x:size(1), -1):mean(2):mul(255):add(0.5):floor()) end
    """
    return lambda text: Runtime().execute(start + text)


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    for name, value in (("cat/1.png", 10), ("cat/2.png", 20), ("dog/1.png", 30), ("dog/skip/x.png", 99)):
        save(tmp_path / "set" / name, value)
    return tmp_path / "set"


class TestImageClass:
    MADE = "local loader = dl.ImageClass('%s', {1, 4, 4}, nil, nil, nil, false%s) "

    def test_classes_and_files(self, lua, classes):
        text = self.MADE % (classes, ", nil, '*/skip/*'")
        found = lua(
            text
            + "return loader:size(), loader:size('cat'), loader:size(2), table.concat(loader.classes, ' '),"
            " loader.iclasses.dog, joined(loader.imageClass), loader.nsample"
        )
        assert found == (3, 2, 1, "cat dog", 2, "1 1 2", 3)
        assert lua(self.MADE % (classes, ", 'X.*'") + "return loader:size()") == 3
        assert lua(self.MADE % (classes, "") + "return loader:size()") == 4

    def test_batches(self, lua, classes):
        text = self.MADE % (classes, ", nil, '*/skip/*'")
        found = lua(
            text + "local inputs, targets, names = loader:index(torch.LongTensor{3, 1}) "
            "return greys(inputs), joined(targets), names[1], table.concat(inputs:size():totable(), 'x')"
        )
        assert found == ("30 10", "2 1", f"{classes}/dog/1.png", "2x1x4x4")
        drawn = lua(
            text
            + "torch.manualSeed(1) local inputs, targets = loader:sample(40) return greys(inputs), joined(targets)"
        )
        pairs = set(zip(*(values.split() for values in drawn), strict=True))
        assert pairs == {("10", "1"), ("20", "1"), ("30", "2")}
        assert 10 < drawn[1].split().count("2") < 30  # a class is drawn first

    def test_parts_of_images(self, lua, tmp_path):
        ramp = np.arange(64, dtype=np.uint8).reshape(8, 8)
        (tmp_path / "set" / "a").mkdir(parents=True)
        Image.fromarray(ramp).save(tmp_path / "set" / "a" / "1.png")
        made = f"local loader = dl.ImageClass('{tmp_path}/set', {{1, 8, 8}}, {{1, 3, 3}}, nil, nil, false) "
        tested = lua(
            made + "local x = loader:sub(1, 1, nil, nil, 'sampleTest'):mul(255):add(0.5):floor() "
            "local s = {} for i = 1, 10 do s[i] = joined(x[i][1]:clone()) end return table.concat(s, '|')"
        )
        parts = [np.array(list(map(int, part.split()))).reshape(3, 3) for part in tested.split("|")]
        for i, (x, y) in enumerate(((3, 3), (0, 0), (5, 0), (0, 5), (5, 5))):
            assert np.array_equal(parts[2 * i], ramp[y : y + 3, x : x + 3])
            assert np.array_equal(parts[2 * i + 1], parts[2 * i][:, ::-1])
        trained = lua(
            made + "torch.manualSeed(2) local s = {} for i = 1, 20 do "
            "s[i] = joined(loader:sub(1, 1, nil, nil, 'sampleTrain')[1][1]:mul(255):add(0.5):floor()) end "
            "return table.concat(s, '|')"
        )
        turned = set()
        for text in trained.split("|"):
            part = np.array(list(map(int, text.split()))).reshape(3, 3)
            turned.add(bool(part[0, 0] > part[0, 1]))
            part = np.sort(part, axis=1)
            y, x = divmod(int(part[0, 0]), 8)
            assert np.array_equal(part, ramp[y : y + 3, x : x + 3])
        assert turned == {True, False}

    def test_refusals(self, lua, tmp_path):
        (tmp_path / "set" / "empty").mkdir(parents=True)
        with pytest.raises(LuaError, match="Class has zero samples: empty"):
            lua(self.MADE % (tmp_path / "set", ""))


class TestMultiImageSequence:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for name, count in (("a", 2), ("b", 1)):
            for i in range(1, count + 1):
                value = 10 * i + (100 if name == "b" else 0)
                save(tmp_path / "set" / name / f"input{i}.png", value)
                save(tmp_path / "set" / name / f"target{i}.png", value + 1)
        return tmp_path / "set"

    def made(self, folder: Path) -> str:
        return (
            f"local loader = dl.MultiImageSequence('{folder}', 1, {{{{1, 4, 4}}, {{1, 4, 4}}}}, "
            "{1, 4, 4}, nil, false) "
            "loader.inputpattern, loader.targetpattern = 'input%d.png', 'target%d.png' "
        )

    def test_sequences_with_zeros_between(self, lua, folder):
        text = "return loader:size(), greys(loader:sub(1, 6)), greys((select(2, loader:sub(1, 3)))), loader.nframe"
        size, inputs, targets, frames = lua(self.made(folder) + text)
        assert (size, frames) == (5, 3)
        assert inputs == "0 10 20 0 110 0"
        assert targets == "11 21 0"  # goes on in the sequence that has begun

    def test_the_index_in_a_file(self, lua, folder, tmp_path):
        text = (
            self.made(folder)
            + f"loader:buildIndex('{tmp_path}/index') return loader:size(), loader.seqdirs[1][1]"
        )
        assert lua(text) == lua(text) == (5, "a")
        assert (tmp_path / "index").is_file()

    def test_parts_of_both_images_are_the_same(self, lua, tmp_path):
        ramp = np.arange(64, dtype=np.uint8).reshape(8, 8)
        (tmp_path / "set" / "a").mkdir(parents=True)
        for name in ("input1", "target1"):
            Image.fromarray(ramp).save(tmp_path / "set" / "a" / f"{name}.png")
        text = f"""local loader = dl.MultiImageSequence('{tmp_path}/set', 1, {{{{1, 8, 8}}, {{1, 8, 8}}}}, {{1, 3, 3}},
            'sampleTrain', false)
        loader.inputpattern, loader.targetpattern = 'input%d.png', 'target%d.png'
        local inputs, targets = loader:sub(1, 10)
        return (inputs - targets):abs():max(), inputs[2]:max() > 0, table.concat(loader:tsize(), 'x')"""
        assert lua(text) == (0, True, "1x3x3")

    def test_sizes_that_vary(self, lua, folder):
        text = self.made(folder) + "loader.samplesize, loader.varyloadsize = {{1, 2, 2}, {1, 2, 2}}, true "
        assert lua(text + "return greys(loader:sub(1, 4))") == "0 10 20 0"


def test_imagenet(lua, tmp_path):
    for part in ("train", "val"):
        for name, value in (("class10", 50), ("class2", 40)):
            save(tmp_path / f"ILSVRC2012_img_{part}" / name / "1.png", value, 6)
    text = f"""local train, valid = dl.loadImageNet('{tmp_path}', 2, {{1, 6, 6}}, {{1, 4, 4}}, false)
    local seen = {{}}
    for k, inputs, targets in valid:subiter(1, 2) do seen[k] = greys(inputs) .. ':' .. joined(targets) end
    return train:size(), table.concat(train.dataset.classes, ' '), seen[1]"""
    assert lua(text) == (2, "class2 class10", " ".join(["40"] * 10) + ":" + " ".join(["1"] * 10))
