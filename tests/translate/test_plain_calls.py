"""Pages with calls of the pages' library, where plain Python has no form or the kind of a value is not known."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.translate.running import assert_same
from torch7py.translate.api import to_pytorch
from torch7py.translate.native.program import translate_script

SOURCE = """
local word, n = 'a1b22', 3
print(bit.band(n, 6))
local text = string.format('%5.1f|%q', n / 2, word)
print(text, math.ldexp(1.5, n))
for i = 1, 3 do print(bit.lshift(1, i), i) end
if bit.bor(n, 4) == 7 then print('seven') end
local t = {1, 2}
print(#t)
"""


def test_calls_of_the_library_stand_among_plain_python(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(SOURCE)
    found = to_pytorch(path)
    assert found.report.problems == []
    assert found.report.verified is not None
    assert found.report.verified.equal
    assert "\nimport lua_compat\n" in found.code
    assert 'lua_compat.text_function("format", "%5.1f|%q", n / 2, word)' in found.code
    # two prints, the text, the print in the loop and the condition
    assert (found.report.statements, found.report.native, found.report.plain_calls) == (10, 5, 5)


PROGRAMS = Path(__file__).with_name("plain_calls.lua").read_text().split("\n---\n")


@pytest.mark.parametrize("source", PROGRAMS)
def test_programs_with_plain_calls(source: str) -> None:
    """They print what they do in Lua, and say why they have such calls."""
    page = assert_same(source)
    assert page is not None
    assert page.plain_calls > 0
    assert page.native + page.plain_calls == page.statements
    assert page.reasons


@pytest.mark.usefixtures("without_objects")
@pytest.mark.parametrize(
    "source",
    [
        # PyTorch's random stream is another one
        "local x = torch.Tensor(3) x:map(torch.rand(3), function(a, b) return b end)",
        # a layer is no table of Lua's
        "require 'nn' local m = nn.Linear(2, 2) m:something(3)",
    ],
)
def test_what_the_library_cannot_do_stays_untranslated(source: str) -> None:
    page = translate_script(source.encode(), "p.lua")
    assert page.problems
    assert page.plain_calls == 0


def test_a_page_with_plain_calls_learns(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(
        """require 'nn'
torch.manualSeed(1)
local x, y = torch.linspace(-1, 1, 6):view(6, 1), torch.zeros(6, 1)
local i = 0
y:apply(function(...) i = i + 1 return i / 4 end)
local m, c = nn.Sequential():add(nn.Linear(1, 4)):add(nn.Tanh()):add(nn.Linear(4, 1)), nn.MSECriterion()
for step = 1, 5 do
   local loss = c:forward(m:forward(x), y)
   m:zeroGradParameters()
   m:backward(x, c:backward(m.output, y))
   m:updateParameters(0.1)
   print(loss)
end
"""
    )
    report = to_pytorch(path).report
    assert report.problems == []
    assert report.plain_calls == 1
    assert report.verified is not None
    assert report.verified.equal
    assert torch.is_grad_enabled()


def test_the_report_says_why(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text("local a, b = math.modf(2.5)\nprint(a + b)\n")
    report = to_pytorch(path).report
    assert (report.statements, report.native, report.plain_calls) == (2, 1, 1)
    assert report.problems == []
    (why,) = [line for line in report.lines() if "(plain calls)" in line]
    assert why.startswith(f"  {path}:1: T7-211: more names than values")
    assert report.verified is not None
    assert report.verified.equal


def test_what_may_be_a_table_is_one_where_it_is_indexed() -> None:
    """Numbers end a program there, and texts have no fields of the program's, but what Python's have as methods."""
    page = assert_same(
        """local options = {setting = 'size=3,more=4'}
local function parse(text) return {size = #text} end
local function show(args) return args.size end
options.setting = parse(options.setting)
print(options.setting.size, show(options.setting))
local list = 5
if options.setting.size > 2 then list = {1, 2, 3} end
print(list[1], list[3])
local named = 'abc'
if options.setting.size > 2 then named = {a = 2} end
print(named.a, named.count)
"""
    )
    assert page is not None
    assert {problem.line for problem in page.reasons} == {2, 11}
    assert 'lua_compat.index(named, "count")' in page.code


def test_all_weights_as_one_are_no_tensor_that_a_method_tells() -> None:
    """A parameter that is a number or the flat weights: a page has no such vector that a function could change."""
    source = b"""require 'nn'
local w = nn.Linear(2, 2):getParameters()
local function double(x)
   if type(x) == 'number' then return 2 * x end
   x:mul(2)
   return x:sum()
end
print(double(3), double(w))
"""
    page = translate_script(source, "double.lua")
    assert {(problem.code, problem.line) for problem in page.reasons} >= {("T7-307", 5)}


OF_A_CLASS = """require 'nn'
local Counter, parent = torch.class('nn.Counter', 'nn.Module')
function Counter:__init(n) parent.__init(self) self.n, self.calls = n, 0 end
function Counter:updateOutput(input) self.calls = self.calls + 1 self.output = input * self.n return self.output end
function Counter:updateGradInput(input, g) self.gradInput = g * self.n return self.gradInput end
function Counter:resetCalls() self.calls = 0 end
local model = torch.load(arg[1])
model:evaluate()
model:{}()
print(model:forward(torch.ones(2)):sum())
"""


def test_a_model_of_a_file_may_have_the_methods_of_the_programs_classes() -> None:
    page = translate_script(OF_A_CLASS.replace("{}", "resetCalls").encode(), "p.lua")
    assert page.problems == []
    assert 'lua_compat.method(model, "resetCalls")' in page.code
    assert "model(torch.ones(2)).sum()" in page.code  # which is known as before
    page = translate_script(OF_A_CLASS.replace("{}", "rest").encode(), "p.lua")
    assert page.problems != []
