"""Packages as values: ``nn`` that a function is given, ``nn[name]``, ``require(name)`` of a name that is computed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packages.loadcaffe.test_loadcaffe import Weights, later, older
from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import verify_script

PROGRAMS = {
    "a parameter": """
        local function build(package, kind)
           local net = nn.Sequential():add(package.Linear(3, 4))
           net:add(package[kind]())
           if package == nn then net:add(nn.Linear(4, 2)) end
           return net
        end
        print(build(nn, 'Tanh'):forward(torch.ones(3)):sum())
    """,
    "a name that is joined": """
        for _, name in ipairs{'MSE', 'Abs'} do
           print(nn[name .. 'Criterion']():forward(torch.ones(2), torch.Tensor{0, 3}))
        end
    """,
    "a package that is chosen": """
        local backend = arg[1] or 'nn'
        local package = require(backend)
        local pooling = package.SpatialMaxPooling(2, 2):ceil()
        print(nn.Sequential():add(pooling):add(package.ReLU()):forward(torch.range(1, 9):resize(1, 3, 3)):sum())
    """,
    "a package that is required": """
        local backend = arg[1] or 'nn'
        if backend == 'nn' or backend == 'cudnn' then require(backend) end
        print(nn.Linear(2, 3):forward(torch.ones(2)):sum())
    """,
    "what cudnn says of itself": """
        local version = 'none'
        if arg[1] == 'cudnn' then
           require 'cudnn'
           version = cudnn.version
        end
        print(version)
    """,
    "a layer of the program's": """
        local Twice, parent = torch.class('nn.Twice', 'nn.Module')
        function Twice:updateOutput(input) self.output = input * 2 return self.output end
        function Twice:updateGradInput(_, gradient) self.gradInput = gradient * 2 return self.gradInput end
        local function made(package, name) return package[name]() end
        for _, name in ipairs{'Twice', 'Abs'} do print(made(nn, name):forward(torch.Tensor{-1, 2}):sum()) end
    """,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_package_is_a_value(name: str, tmp_path: Path) -> None:
    path = tmp_path / "program.lua"
    path.write_text(f"require 'nn'\ntorch.manualSeed(1)\n{PROGRAMS[name]}")
    page = translate_script(path.read_bytes(), str(path))
    assert [str(problem) for problem in page.problems] == []
    assert verify_script(page, path).lines == (2 if "ipairs" in PROGRAMS[name] else 1)


@pytest.mark.parametrize("form", [older, pytest.param(later, marks=pytest.mark.slow)])
def test_a_network_of_caffe(form: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``loadcaffe``, of which a program gets the source: it makes layers as the file says."""
    assert callable(form)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.caffemodel").write_bytes(form(Weights()))
    path = tmp_path / "program.lua"
    path.write_text("""
        require 'loadcaffe'
        local cnn = loadcaffe.load('none.prototxt', 'net.caffemodel', 'nn')
        cnn:evaluate()
        local x = torch.range(1, 98):resize(1, 2, 7, 7):div(50)
        print(cnn:forward(x):sum(), cnn.modules[3].output:size(2))
        local net = nn.Sequential()
        for i = 1, #cnn do
           local layer = cnn:get(i)
           if layer.name == 'fc2' then break end
           if torch.type(layer) ~= 'nn.SpatialCrossMapLRN' then net:add(layer) end
        end
        print(net:forward(x):sum(), cnn:get(1).name, torch.type(cnn:get(1)))
    """)
    page = translate_script(path.read_bytes(), str(path))
    assert [str(problem) for problem in page.problems] == []
    assert verify_script(page, path).lines == (5 if form is older else 6)
