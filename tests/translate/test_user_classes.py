"""Models with layers of a program's classes: ``translate model.t7 --program layers.lua``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import load_file

from tests.html.pages import checked_page
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.cli.main import main
from torch7py.translate.layers.registry import natives, readers, structures
from torch7py.translate.user_classes import definitions_of

PROGRAM = """require 'nn'
require 'optim'

local epochs = tonumber(arg[1]) or 1000000
local start = 0.5

-- Multiplies each column by a number that it learns, then by one that it was told.
local Scale, parent = torch.class('nn.Scale', 'nn.Module')
local function spread(weight, like) return weight:view(1, -1):expandAs(like) end

function Scale:__init(size, factor)
   parent.__init(self)
   self.factor = factor or 1
   self.weight = torch.Tensor(size):fill(start)
   self.gradWeight = torch.zeros(size)
end

function Scale:updateOutput(input)
   self.output = torch.cmul(input, spread(self.weight, input)):mul(self.factor)
   return self.output
end

function Scale:updateGradInput(input, gradOutput)
   self.gradInput = torch.cmul(gradOutput, spread(self.weight, gradOutput)):mul(self.factor)
   return self.gradInput
end

function Scale:accGradParameters(input, gradOutput, scale)
   self.gradWeight:add((scale or 1) * self.factor, torch.cmul(input, gradOutput):sum(1):view(-1))
end

local Net, base = torch.class('nn.Net', 'nn.Sequential')
function Net:__init(inputs)
   base.__init(self)
   self:add(nn.Linear(inputs, 4)):add(nn.Scale(4, 3)):add(nn.Tanh()):add(nn.Scale(4))
end

local net = nn.Net(2)
local function train()
   for epoch = 1, epochs do net:forward(torch.randn(5, 2)) end
end
error('this is not to be run')
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "layers.lua"
    path.write_text(PROGRAM)
    return path


def save(folder: Path, source: str, model: str) -> Path:
    """A model of the classes of a program, with weights as after training."""
    path = folder / "model.t7"
    definitions = definitions_of(source.encode(), "layers.lua").decode()
    with Runtime() as runtime:
        runtime.execute(definitions)
        runtime.execute(f"""
            local model = {model}
            for _, p in ipairs(type(model.parameters) == 'function' and model:parameters() or {{}}) do
               p:uniform(-1, 1)
            end
            torch.save('{path}', model)""")
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["translate", *map(str, arguments)])


def test_what_defines_is_kept_and_what_does_something_is_not() -> None:
    kept = definitions_of(PROGRAM.encode(), "layers.lua").decode()
    assert kept.count("\n") == PROGRAM.count("\n")
    ours, theirs = kept.splitlines(), PROGRAM.splitlines()
    assert all(mine in ("", line) for mine, line in zip(map(str.rstrip, ours), theirs, strict=True))
    assert ours[5:36] == theirs[5:36]
    assert "local start = 0.5" in kept
    for text in ("epochs", "nn.Net(2)", "randn", "error"):
        assert text not in kept


def test_a_model_with_them_is_translated_and_verified(program: Path, tmp_path: Path) -> None:
    model = save(tmp_path, PROGRAM, "nn.Net(2)")
    registered = [*natives, *readers, *structures]
    result = run(model, "--program", program, "--html")
    assert result.exit_code == 0, result.output
    assert "nn.Scale" in checked_page(model.with_suffix(".html").read_text()).one(class_="picture").text
    assert "verified: Model on an input of (3, 2): the largest relative error of outputs and" in result.output
    assert [*natives, *readers, *structures] == registered
    text = model.with_suffix(".py").read_text()
    assert "Multiplies each column by a number that it learns" in text
    assert "self.scale1 = Scale(4, 3)" in text
    assert "self.scale2 = Scale(4)" in text
    weights = load_file(model.with_suffix(".safetensors"))
    assert [*weights] == ["linear.bias", "linear.weight", "scale1.weight", "scale2.weight"]
    names: dict[str, Any] = {"__name__": "page"}
    exec(text, names)
    page = names["Model"]()
    page.double().load_state_dict(weights)
    x = torch.randn(3, 2, dtype=torch.float64)
    with Runtime() as runtime:
        runtime.execute(definitions_of(PROGRAM.encode(), "layers.lua").decode())
        expected = runtime.evaluate(f"return torch.load('{model}')").torch7_forward(x)
    assert torch.allclose(page(x), expected, rtol=1e-12)


def test_without_the_program_it_is_told_that_the_class_has_no_form(tmp_path: Path) -> None:
    model = save(tmp_path, PROGRAM, "{net = nn.Scale(3)}")
    result = run(model)
    assert result.exit_code == 1
    expected = "nn.Scale has no native form without the program that defines it (--program)"
    assert result.stderr == f"torch7py: {model}, net: {expected}\n"


def test_a_file_that_leaves_the_packages_to_another_one(tmp_path: Path) -> None:
    """As those that define layers in projects: the script has required nngraph before it requires them."""
    program = tmp_path / "layers.lua"
    program.write_text(PROGRAM[PROGRAM.index("local start") :])
    graph = "(function() local x = nn.Identity()() return nn.gModule({x}, {nn.Scale(3)(nn.Linear(2, 3)(x))}) end)()"
    model = save(tmp_path, f"require 'nngraph'\n{PROGRAM}", graph)
    result = run(model, "--program", program)
    assert result.exit_code == 0, result.output
    assert "self.scale = Scale(3)" in model.with_suffix(".py").read_text()


def test_several_in_a_table(program: Path, tmp_path: Path) -> None:
    model = save(tmp_path, PROGRAM, "{first = nn.Scale(3), second = nn.Sequential():add(nn.Scale(2, 0.5))}")
    result = run(model, "--program", program)
    assert result.exit_code == 0, result.output
    text = model.with_suffix(".py").read_text()
    assert "class First(nn.Module):" in text
    assert "Scale(2, 0.5)" in text


def test_an_object_that_no_constructor_makes(program: Path, tmp_path: Path) -> None:
    model = save(
        tmp_path, PROGRAM, "(function() local s = nn.Scale(3) s.weight = torch.ones(2, 3) return s end)()"
    )
    result = run(model, "--program", program)
    assert result.exit_code == 1
    assert (
        "nn.Scale: no arguments of its constructor are known that make an object like that" in result.stderr
    )


def test_a_setting_without_a_default(tmp_path: Path) -> None:
    """An object that lacks it is no object like the one in the file."""
    source = """require 'nn'
local Times, parent = torch.class('nn.Times', 'nn.Module')
function Times:__init(factor) parent.__init(self) self.factor = factor end
function Times:updateOutput(input) self.output = input * self.factor return self.output end
function Times:updateGradInput(input, gradOutput) self.gradInput = gradOutput * self.factor return self.gradInput end
"""
    (tmp_path / "layers.lua").write_text(source)
    model = save(tmp_path, source, "nn.Sequential():add(nn.Linear(3, 2)):add(nn.Times(2.5))")
    result = run(model, "--program", tmp_path / "layers.lua")
    assert result.exit_code == 0, result.output
    assert "Times(2.5)" in model.with_suffix(".py").read_text()


ONE_HOT = """require 'nn'
local Rows, parent = torch.class('nn.Rows', 'nn.Module')
function Rows:__init(size) parent.__init(self) self.rows = torch.eye(size) self.size = size end
function Rows:updateOutput(input)
   self.output:resize(input:size(1), self.size)
   self.output:copy(self.rows:index(1, input:long()))
   return self.output
end
"""


def test_tensors_that_do_not_learn_are_those_of_the_constructor(tmp_path: Path) -> None:
    """A page makes them anew, in the type of its weights; one that the program has changed is no such tensor."""
    program = tmp_path / "layers.lua"
    program.write_text(ONE_HOT)
    chain = "nn.Sequential():add(nn.Rows(5)):add(nn.Linear(5, 2))"
    model = save(tmp_path, ONE_HOT, chain)
    result = run(model, "--program", program, "--input-size", "4:5")
    assert result.exit_code == 0, result.output
    assert "verified: Model on an input of (4,)" in result.output
    assert [*load_file(model.with_suffix(".safetensors"))] == ["linear.bias", "linear.weight"]
    other = ONE_HOT.replace("Rows", "Columns")
    program.write_text(other)
    save(tmp_path, other, "(function() local m = nn.Columns(5) m.rows:mul(2) return m end)()")
    result = run(model, "--program", program, "--input-size", "4:5", "--force")
    assert (result.exit_code, "that its constructor does not make: rows" in result.stderr) == (1, True)


def test_a_program_that_lacks_the_class(program: Path, tmp_path: Path) -> None:
    model = save(tmp_path, PROGRAM, "nn.Scale(3)")
    other = tmp_path / "other.lua"
    other.write_text("require 'nn'\nprint(1)\n")
    result = run(model, "--program", other)
    assert result.exit_code == 1
    assert "nn.Scale" in result.stderr
    program.write_text(definitions_of(PROGRAM.encode(), "layers.lua").decode())
    other.write_text("require 'layers'\nnn.Scale(3)\n")
    result = run(model, "--program", other)
    assert result.stderr.endswith(f"{other} does not define the class nn.Scale: name the file that does\n")
    other.write_text("x = = 1\n")
    result = run(model, "--program", other)
    assert (result.exit_code, "other.lua:1:" in result.stderr) == (1, True)


def test_a_class_without_a_translation_names_its_line(tmp_path: Path) -> None:
    source = PROGRAM.replace(
        "   self.factor = factor or 1\n", "   self.factor = factor or 1\n   debug.sethook()\n"
    )
    program = tmp_path / "layers.lua"
    program.write_text(source)
    result = run(save(tmp_path, source, "nn.Scale(3)"), "--program", program)
    assert result.exit_code == 1
    (line,) = [n for n, text in enumerate(source.splitlines(), 1) if "sethook" in text]
    assert f"{program}:{line}: T7-" in result.stderr


def test_a_layer_that_draws_is_not_verified(tmp_path: Path) -> None:
    source = PROGRAM.replace(
        ":mul(self.factor)\n   return self.output", ":add(torch.randn(input:size()))\n   return self.output"
    )
    program = tmp_path / "layers.lua"
    program.write_text(source)
    result = run(save(tmp_path, source, "nn.Scale(3)"), "--program", program, "--input-size", "4x3")
    assert "not verified: Model: a layer of the program's own draws random numbers" in result.output


def test_it_is_for_models(program: Path, tmp_path: Path) -> None:
    result = run(program, "--program", program)
    assert (result.exit_code, result.stderr) == (2, "torch7py: --input-size and --program are for models\n")
