"""Parts that repeat become classes, each made several times; outputs and gradients stay the same."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

import torch7py
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.translate.example_input import example_of
from torch7py.translate.files import translate_file
from torch7py.translate.layers.helpers import DERIVED
from torch7py.translate.model import ModelSource, layer_of, translate_model
from torch7py.translate.verify import load, native_input, verify_model

MAKERS = """
require 'nn'
local C, B = nn.SpatialConvolution, nn.SpatialBatchNormalization
function S(...) local s = nn.Sequential() for _, m in ipairs {...} do s:add(m) end return s end
function residual(main, short) return S(nn.ConcatTable():add(main):add(short), nn.CAddTable(true), nn.ReLU(true)) end
function shortcut(n, m, s)
   return (n ~= m or s ~= 1) and S(C(n, m, 1, 1, s, s), B(m)) or nn.Identity()
end
function basic(n, m, s)
   return residual(S(C(n, m, 3, 3, s, s, 1, 1), B(m), nn.ReLU(true), C(m, m, 3, 3, 1, 1, 1, 1), B(m)),
      shortcut(n, m, s))
end
function bottleneck(n, m, s)
   return residual(S(C(n, m, 1, 1), B(m), nn.ReLU(true), C(m, m, 3, 3, s, s, 1, 1), B(m), nn.ReLU(true),
      C(m, 4 * m, 1, 1), B(4 * m)), shortcut(n, 4 * m, s))
end
function stage(block, n, m, count, s, wide)
   local found = nn.Sequential()
   for i = 1, count do found:add(block(i == 1 and n or m * wide, m, i == 1 and s or 1)) end
   return found
end
function resnet(block, wide, counts)
   local model = S(C(3, 4, 3, 3, 1, 1, 1, 1), B(4), nn.ReLU(true))
   local n = 4
   for i, count in ipairs(counts) do
      model:add(stage(block, n, 2 * 2 ^ i, count, i == 1 and 1 or 2, wide))
      n = 2 * 2 ^ i * wide
   end
   local side = 32 / 2 ^ (#counts - 1)
   return model:add(nn.SpatialAveragePooling(side, side, 1, 1)):add(nn.View(n):setNumInputDims(3))
      :add(nn.Linear(n, 10)):add(nn.LogSoftMax())
end
"""


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    shared = Runtime()
    shared.execute(MAKERS)
    yield shared
    shared.close()


def translated(runtime: Runtime, source: str) -> tuple[Any, ModelSource, Any]:
    model = runtime.execute(f"torch.manualSeed(1) return {source}")
    x = example_of(model, layer_of(model))
    return model, translate_model(model, example=x), x


def classes(source: ModelSource) -> list[str]:
    found = re.findall(r"^class (\w+)\(", source.code, re.MULTILINE)
    return [name for name in found if name not in DERIVED]


@pytest.mark.parametrize(
    ("source", "found", "lines"),
    [
        ("resnet(basic, 1, {2, 3, 2})", ["Block", "Block2", "Model"], 69),
        ("resnet(basic, 1, {2, 2, 2, 2})", ["Block", "Block2", "Model"], 71),
        ("resnet(bottleneck, 4, {3, 4, 6, 3})", ["Block", "Block2", "Model"], 84),
    ],
    ids=["14 layers", "18 layers", "50 layers"],
)
def test_a_residual_network(runtime: Runtime, source: str, found: list[str], lines: int) -> None:
    model, page, x = translated(runtime, source)
    assert classes(page) == found
    assert page.code.count("\n") < lines
    assert verify_model(model, page, x).largest < 1e-9


def test_pages_of_files_are_formatted_and_free_of_lint(runtime: Runtime, tmp_path: Path) -> None:
    """With shapes in docstrings and comments, and with classes for parts."""
    for number, source in enumerate(
        (
            "resnet(basic, 1, {2, 3, 2})",
            "S(nn.SpatialConvolution(3, 4, 3, 3), nn.ReLU(), nn.SpatialAveragePooling(6, 6), nn.View(-1), nn.Tanh())",
            "S(nn.JoinTable(2), nn.Linear(6, 8), nn.Reshape(2, 4), nn.Transpose({2, 3}), nn.Reshape(8), nn.Tanh())",
        )
    ):
        torch7py.save(runtime.execute(f"return {source}"), tmp_path / "model.t7")
        page = translate_file(tmp_path / "model.t7").code
        assert "batch, " in page
        tmp_path.joinpath(f"page{number}.py").write_text(page)
    tmp_path.joinpath("ruff.toml").write_text("line-length = 110\n")
    for command in (["check", "--output-format", "concise"], ["format", "--diff"]):
        found = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "."],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert found.returncode == 0, found.stdout


def test_what_a_part_looks_like(runtime: Runtime) -> None:
    _, page, _ = translated(runtime, "resnet(basic, 1, {2, 3, 2})")
    assert (
        """\
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)  # nn.SpatialConvolution
        self.bn1 = BatchNorm2d(channels)  # nn.SpatialBatchNormalization
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)  # nn.SpatialConvolution
        self.bn2 = BatchNorm2d(channels)  # nn.SpatialBatchNormalization

    def forward(self, x):
        h = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(h)) + x)
"""
        in page.code
    )
    assert "self.blocks2 = nn.Sequential(Block2(4, 8), Block(8), Block(8))" in page.code
    assert {"blocks2.0.conv3.weight", "blocks1.1.bn2.running_var"} <= set(page.weights)


def test_weights_go_to_their_own_part(runtime: Runtime) -> None:
    model, page, x = translated(runtime, "resnet(basic, 1, {2, 3, 2})")
    native = load(page.code, "Model")().double()
    native.load_state_dict(page.weights, strict=True)
    model.set_evaluate()
    native.eval()
    expected = model.torch7_forward(x)
    assert torch.allclose(native(native_input(page.classes[0].inputs, x)), expected, rtol=1e-10)
    first, second = (page.weights[f"blocks1.{n}.conv1.weight"] for n in (0, 1))
    assert not torch.equal(first, second)


def test_parts_with_other_numbers_get_them(runtime: Runtime) -> None:
    """Several parts in a row that are the same are written once."""
    model, page, x = translated(
        runtime,
        """(function()
            local model = S(nn.Linear(6, 8))
            for i = 1, 4 do model:add(S(nn.Linear(8, 5 + i), nn.Tanh(), nn.Dropout(0.5), nn.Linear(5 + i, 8))) end
            for i = 1, 3 do model:add(S(nn.Linear(8, 5), nn.Tanh(), nn.Dropout(0.5), nn.Linear(5, 8))) end
            return model
        end)()""",
    )
    assert verify_model(model, page, x).largest < 1e-10
    assert "def __init__(self, features):" in page.code
    assert "*(Block(5) for _ in range(3))" in page.code


def test_branches_of_a_table(runtime: Runtime) -> None:
    model, page, x = translated(
        runtime,
        """(function()
            local function branch(n)
               return S(nn.Linear(n, 5), nn.Tanh(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2))
            end
            return S(nn.ParallelTable():add(branch(3)):add(branch(7)):add(branch(4)), nn.JoinTable(2))
        end)()""",
    )
    assert classes(page) == ["Block", "Model"]
    assert [part.shape for part in x] == [(3, 3), (3, 7), (3, 4)]
    assert verify_model(model, page, x).largest < 1e-10


SHARED = """(function()
    local l = nn.Linear(4, 4)
    local function part() return S(l, nn.Tanh(), nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 4)) end
    local a, b, c = part(), part(), part()
    return S(nn.ConcatTable():add(a):add(b):add(c), nn.JoinTable(2))
end)()"""
OTHER = "S(nn.Linear(4, 4), nn.{}(), nn.Linear(4, 4))"


@pytest.mark.parametrize(
    "source",
    [
        "S(S(nn.Linear(4, 4), nn.Tanh()), S(nn.Linear(4, 4), nn.Tanh()))",
        f"S({OTHER.format('Tanh')}, {OTHER.format('Sigmoid')}, {OTHER.format('ReLU')})",
    ],
    ids=["small", "different"],
)
def test_what_stays_in_one_class(runtime: Runtime, source: str) -> None:
    model, page, x = translated(runtime, source)
    assert classes(page) == ["Model"]
    assert verify_model(model, page, x).largest < 1e-10


def test_layers_that_are_shared_between_parts_stay_one(runtime: Runtime) -> None:
    _, page, _ = translated(runtime, SHARED)
    assert classes(page) == ["Model"]
    assert page.code.count("nn.Linear(") == 7


def test_a_part_that_gives_a_table_is_none(runtime: Runtime) -> None:
    model, page, x = translated(
        runtime,
        """(function()
            local function part()
               local both = nn.ConcatTable():add(nn.Linear(4, 4)):add(nn.Linear(4, 4))
               return S(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 4), both)
            end
            return S(part(), nn.CAddTable(), part(), nn.CAddTable())
        end)()""",
    )
    assert verify_model(model, page, x).largest < 1e-10


def test_an_empty_sequence_hands_on(runtime: Runtime) -> None:
    model, page, x = translated(
        runtime, "S(nn.Linear(4, 3), nn.Sequential(), nn.Sequential():add(nn.Sequential()))"
    )
    assert "return self.linear(x)" in page.code
    assert verify_model(model, page, x).largest < 1e-10
