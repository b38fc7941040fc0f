"""Layers of a program's own in plain calls: they learn what they learn in Torch7, with their halves as methods."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.translate.running import same_or_error
from torch7py.translate.kinds import LuaClass
from torch7py.translate.native.classes import Classes
from torch7py.translate.native.problem import Problem
from torch7py.translate.native.program import translate_script
from torch7py.translate.verify_script import TOLERANCE, verify_script

# The loop stands where it is called: a function that takes any net would be in plain calls itself.
LOOP = """
local net, criterion, x, y = NET
for i = 1, 5 do
  local output = net:forward(x)
  local loss = criterion:forward(output, y)
  net:zeroGradParameters()
  net:backward(x, criterion:backward(output, y))
  net:updateParameters(0.05)
  print(loss)
end
"""
PROGRAMS = Path(__file__).with_name("plain_layers.lua").read_text().split("\n---\n")


def with_loops(source: str) -> str:
    lines = []
    for line in source.split("\n"):
        if line.startswith("train("):
            lines.append("do" + LOOP.replace("NET", line[len("train(") : -1]) + "end")
        else:
            lines.append(line)
    return "torch.manualSeed(5)\n" + "\n".join(lines)


OWN_LAYERS = sorted(
    path for path in Path(__file__).with_name("programs").glob("*.lua") if "torch.class" in path.read_text()
)


@pytest.mark.parametrize("source", PROGRAMS, ids=[program.split("\n")[0][3:] for program in PROGRAMS])
def test_a_class_in_plain_calls_learns_the_same(source: str, tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(with_loops(source))
    page = translate_script(path.read_bytes(), "p.lua")
    assert [str(problem) for problem in page.problems] == []
    comparison = verify_script(page, path)
    assert comparison.lines >= 5
    assert comparison.largest < TOLERANCE


@pytest.fixture
def no_idiomatic_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every class of layers declines its idiomatic form."""
    written = Classes.write

    def write(self: Classes, made: LuaClass) -> None:
        if made.instance.kind in ("module", "criterion"):
            raise Problem("T7-243", made.statement.line, "declined")
        written(self, made)

    monkeypatch.setattr(Classes, "write", write)


@pytest.mark.usefixtures("no_idiomatic_layers")
@pytest.mark.parametrize("source", PROGRAMS, ids=[program.split("\n")[0][3:] for program in PROGRAMS])
def test_every_program_learns_the_same_in_plain_calls(source: str, tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(with_loops(source))
    page = translate_script(path.read_bytes(), "p.lua")
    assert [str(problem) for problem in page.problems] == []
    assert any(f"(lua_compat.{base}):" in page.code for base in ("Layer", "Container", "Derived"))
    assert verify_script(page, path).largest < TOLERANCE


@pytest.mark.usefixtures("no_idiomatic_layers")
@pytest.mark.parametrize(("step", "least"), [(4, 8), pytest.param(1, 33, marks=pytest.mark.slow)])
def test_programs_with_layers_in_plain_calls_never_learn_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int, least: int
) -> None:
    """An error is allowed, another number never. What a class needs that the library has not is refused."""
    monkeypatch.chdir(tmp_path)  # where some write files
    assert same_or_error(OWN_LAYERS[::step], translate_script, tmp_path) >= least


@pytest.mark.usefixtures("no_idiomatic_layers")
def test_statements_of_a_class_count_by_what_they_say() -> None:
    """What makes the class a layer of the library is its head and those of its methods, not all that stands in them."""
    source = """
local Square, parent = torch.class('nn.Square', 'nn.Module')

function Square:__init()
   parent.__init(self)
   self.calls = 0
end

function Square:updateOutput(input)
   self.calls = self.calls + 1
   self.output:resizeAs(input):copy(input):pow(2)
   return self.output
end

function Square:updateGradInput(input, gradOutput)
   for i = 1, 1 do
      self.gradInput:resizeAs(input):copy(gradOutput)
      self.gradInput:cmul(input):mul(2)
   end
   return self.gradInput
end

print(nn.Square():forward(torch.ones(2)):sum())
"""
    page = translate_script(source.encode(), "p.lua")
    assert page.problems == []
    assert "class Square(lua_compat.Layer):" in page.code
    heads = 4  # of the class and of its three methods
    with_calls = sum("lua_compat." in line for line in page.code.splitlines()) - 1  # without the head's
    assert page.plain_calls == heads + with_calls
    assert page.native == page.statements - page.plain_calls >= 6
