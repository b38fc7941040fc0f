"""A script beside its translation: what is compared, and where it is said that they part."""

from __future__ import annotations

import ast
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import torch

from torch7py.nn.binding import describe
from torch7py.translate.api import to_pytorch
from torch7py.translate.comparison import original, page
from torch7py.translate.comparison.original import TooLong
from torch7py.translate.native.program import Native, translate_script
from torch7py.translate.verify import Different
from torch7py.translate.verify_script import OF_ROUNDINGS, ScriptComparison, Unforeseen, verify_script

LOOP = """require 'nn'
torch.manualSeed(1)
local net = nn.Linear(2, 1)
local x = torch.ones(3, 2)

print('starts')
for turn = 1, 3 do
   io.write('turn ', turn, ': ')
   print(net:forward(x):sum() * turn)
end
"""
OWN = """require 'nn'
local Scale, parent = torch.class('nn.Scale', 'nn.Module')
function Scale:__init(n)
   parent.__init(self)
   self.weight = torch.Tensor(n):fill(0.5)
   self.gradWeight = torch.zeros(n)
end
function Scale:updateOutput(input)
   self.output = torch.cmul(input, self.weight:view(1, -1):expandAs(input))
   return self.output
end
function Scale:updateGradInput(input, gradOutput)
   self.gradInput = torch.cmul(gradOutput, self.weight:view(1, -1):expandAs(input))
   return self.gradInput
end
function Scale:accGradParameters(input, gradOutput, scale)
   self.gradWeight:add(scale or 1, torch.cmul(input, gradOutput):sum(1):view(-1))
end
local first, second = nn.Scale(2), nn.Scale(2)
local model = nn.Sequential():add(first):add(second)
local criterion = nn.MSECriterion()
local x, y = torch.ones(3, 2), torch.zeros(3, 2)
for turn = 1, 3 do
   model:zeroGradParameters()
   criterion:forward(model:forward(x), y)
   model:backward(x, criterion:backward(model.output, y))
   model:updateParameters(0.5)
end
print('done')
"""


def page_of(source: str, folder: Path, *changes: tuple[str, str]) -> tuple[Native, Path]:
    script = folder / "program.lua"
    script.write_text(source)
    made = translate_script(source.encode(), str(script))
    assert [str(problem) for problem in made.problems] == []
    for old, new in changes:
        assert old in made.code
        made.code = made.code.replace(old, new)
    return made, script


def compared(source: str, folder: Path, *changes: tuple[str, str]) -> ScriptComparison:
    return verify_script(*page_of(source, folder, *changes))


def test_what_parts_is_said_with_the_line_of_the_program_and_how_often_it_was_reached(tmp_path):
    with pytest.raises(
        Different, match=r"they part at program\.lua:8, iteration 2 \(line 3 of the output\) by"
    ):
        compared(LOOP, tmp_path, (".sum().item() * turn", ".sum().item() * (turn if turn != 2 else 5)"))


def test_other_words_are_said_with_the_line_too(tmp_path):
    with pytest.raises(
        Different, match=r"they part at program\.lua:6, iteration 1 .*: 'begins', .* 'starts'"
    ):
        compared(LOOP, tmp_path, ("starts", "begins"))


def test_what_the_translation_does_not_print_is_told(tmp_path):
    with pytest.raises(Different, match=r"2 lines of output, the original has 4; .* of program\.lua:8"):
        compared(LOOP, tmp_path, ("range(1, 4)", "range(1, 2)"))


def test_the_largest_error_is_told_for_each_line_that_prints(tmp_path):
    found = compared(LOOP, tmp_path, (".sum().item() * turn", ".sum().item() * turn * (1 + 1e-11)"))
    assert set(found.printed_at) == {"program.lua:6", "program.lua:8"}
    assert found.printed_at["program.lua:6"] == 0
    assert found.printed_at["program.lua:8"] == pytest.approx(1e-11, rel=0.01)
    assert found.printed == found.printed_at["program.lua:8"]


TESTED = """require 'torch'
local tests, n = {}, 3
local tester = torch.Tester()
function tests.passing() tester:eq(n + 1, 4) end
function tests.failing() tester:assertlt(n, 2, 'more'); print('after') end
function tests.raising() error('no') end
tester:add(tests)
tester:run()
"""


def test_tests_that_fail_are_the_same_ones(tmp_path: Path) -> None:
    assert compared(TESTED, tmp_path).lines == 4


def test_a_test_that_passes_in_one_of_the_two_is_told(tmp_path: Path) -> None:
    with pytest.raises(Different, match="'failing passed', the original has 'failing failed'"):
        compared(TESTED, tmp_path, ("a < b", "a < b + 2"))


def test_weights_of_layers_of_the_program_s_own_are_compared(tmp_path):
    found = compared(OWN, tmp_path)
    assert found.layers == 2
    assert found.weights < 1e-12


def test_those_that_learn_otherwise_are_told(tmp_path):
    with pytest.raises(Different, match=r"the weights of nn\.Scale number 1, weight differ at the end by"):
        compared(OWN, tmp_path, ("lr=0.5", "lr=0.25"))


def test_another_number_of_them_is_told(tmp_path):
    with pytest.raises(Different, match=r"the translation makes 3 layers of nn\.Scale, the original 2"):
        compared(OWN, tmp_path, ('print("done")', 'Scale(2)\n    print("done")'))


def test_a_translation_without_end_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "PATIENCE", 0.3)
    monkeypatch.setattr(page, "FACTOR", 0)
    with pytest.raises(Different, match=r"the translation was stopped: it takes more than"):
        compared(LOOP, tmp_path, ("    for turn", "    while net:\n        pass\n    for turn"))


ON_AND_ON = """local n = 0
while true do
   n = n + 1
   io.write('step ')
   print(n)
end
"""


@pytest.mark.parametrize(
    "source",
    [ON_AND_ON, "io.write('a ') print(1) io.write('b ') print(2) io.write('c ') while true do end"],
    ids=["it prints on", "it is stuck"],
)
def test_a_program_without_end_is_compared_as_far_as_it_came(tmp_path, source):
    script = tmp_path / "on.lua"
    script.write_text(source)
    native = translate_script(source.encode(), "on.lua")
    found = verify_script(native, script, time_limit=0.2)
    assert found.stopped
    assert found.lines == found.numbers >= 2
    native.code = native.code.replace("+= 1", "+= 2").replace("print(1)", "print(3)")
    with pytest.raises(Different, match=r"they part at on\.lua:"):
        verify_script(native, script, time_limit=0.2)


def test_a_program_that_prints_nothing_in_its_time_is_not_compared(tmp_path):
    script = tmp_path / "on.lua"
    script.write_text("while true do end")
    with pytest.raises(TooLong, match="it has printed nothing in"):
        verify_script(translate_script(script.read_bytes(), "on.lua"), script, time_limit=0.2)


def test_a_slow_page_is_compared_as_far_as_it_came(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "WITHIN", 0.2)
    script = tmp_path / "on.lua"
    script.write_text(ON_AND_ON)
    native = translate_script(script.read_bytes(), "on.lua")
    native.code = native.code.replace("n += 1", "n += 1\n        sum(range(1_000_000))")
    found = verify_script(native, script, time_limit=0.2)
    assert found.stopped
    assert 1 <= found.lines < 200


def test_sizes_are_compared(tmp_path):
    source = "require 'nn'\nlocal x = torch.zeros(3, 2)\nprint(x:size())\n"
    assert compared(source, tmp_path).numbers == 2
    with pytest.raises(Different, match=r"'<sizes 3 4>', the original has '<sizes 3 2>'"):
        compared(source, tmp_path, ("zeros(3, 2)", "zeros(3, 4)"))


def test_masks_of_other_sizes_are_told(tmp_path):
    source = """require 'nn'
local net = nn.Sequential():add(nn.Dropout(0.5))
print(net:forward(torch.ones(3, 2)):sum())
"""
    assert compared(source, tmp_path).numbers == 1
    with pytest.raises(
        Different, match=r"draws a mask of \(3, 4\) where the original draws none of its size"
    ):
        compared(source, tmp_path, ("ones(3, 2)", "ones(3, 4)"))


NORMALIZED = """require 'nn'
require 'optim'
torch.manualSeed(77)
local net = nn.Sequential():add(nn.Linear(6, 16)):add(nn.BatchNormalization(16)):add(nn.ReLU()):add(nn.Linear(16, 1))
local weights, gradients = net:getParameters()
local criterion, x, y, state = nn.MSECriterion(), torch.randn(30, 6), torch.randn(30, 1), {learningRate = 0.01}
for _ = 1, 40 do
   optim.adam(function()
      gradients:zero()
      local output = net:forward(x)
      local loss = criterion:forward(output, y)
      net:backward(x, criterion:backward(output, y))
      return loss, gradients
   end, weights, state)
end
print(criterion:forward(net:forward(x), y))
"""


JOINED = (
    NORMALIZED.replace(
        "nn.Sequential():add(nn.Linear(6, 16))",
        "nn.Sequential():add(nn.ConcatTable():add(nn.Linear(6, 16)):add(nn.Identity())):add(nn.JoinTable(2))",
    )
    .replace("BatchNormalization(16)", "BatchNormalization(22)")
    .replace("Linear(16, 1)", "Linear(22, 1)")
)


def test_a_bias_that_is_normalized_away_beside_others_is_not_compared(tmp_path: Path) -> None:
    path = tmp_path / "net.lua"
    path.write_text(JOINED)
    assert verify_script(translate_script(path.read_bytes(), path.name), path).layers == 6


@pytest.mark.parametrize("end", ["", "net:clearState()\n"], ids=["with outputs", "without"])
def test_a_bias_that_is_normalized_away_is_not_compared(tmp_path: Path, end: str) -> None:
    """Its gradient is rounding alone, of which Adam makes steps as long as of any other."""
    path = tmp_path / "net.lua"
    path.write_text(NORMALIZED + end)
    page = translate_script(path.read_bytes(), path.name)
    comparison = verify_script(page, path)
    assert (comparison.lines, comparison.layers) == (
        1,
        6,
    )  # of 8 tensors, without that bias and its running mean
    page.code = page.code.replace("nn.Linear(16, 1)", "nn.Linear(16, 1, bias=False)")
    with pytest.raises(Different):
        verify_script(page, path)


BRANCHES = """require 'nn'
local function small(x)
   if x > 2 then
      print('large')
      return false
   end
   return true
end

local function unused()
   print('never')
end

local found = 0
for i = 1, 2 do
   if small(i) then
      found = found + 1
   else
      unused()
   end
end
while found > 5 do
   found = found - 1
end
print(found)
"""


def not_run(source: str, tmp_path: Path) -> tuple[list[str], list[str], ScriptComparison]:
    """The page's lines that are said not to have run, and those that a trace of the interpreter does not see."""
    path = tmp_path / "program.lua"
    path.write_text(source)
    page = translate_script(path.read_bytes(), path.name)
    comparison = verify_script(page, path)
    lines = page.code.splitlines()
    told = [lines[n - 1] for each in comparison.not_run for a, b in each.lines for n in range(a, b + 1)]
    seen: set[int] = set()

    def trace(frame: types.FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename == "page":
            seen.add(frame.f_lineno)
        return trace

    names: dict[str, object] = {"__name__": "page"}
    code = compile(page.code, "page", "exec")
    exec(code, names)
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        names["main"]()  # type: ignore[operator]
    finally:
        sys.settrace(before)
        torch.set_default_dtype(torch.float32)
    statements = [
        node.lineno
        for each in ast.walk(ast.parse(page.code))
        if isinstance(each, ast.FunctionDef)
        for node in ast.walk(each)
        if isinstance(node, ast.stmt) and node is not each and not isinstance(node, ast.Nonlocal)
    ]
    return told, [lines[n - 1] for n in sorted(set(statements) - seen)], comparison


def test_what_did_not_run(tmp_path: Path) -> None:
    told, unseen, comparison = not_run(BRANCHES, tmp_path)
    assert told == unseen
    assert [line.strip() for line in told] == [
        'print("large")',
        "return False",
        'print("never")',
        "unused()",
        "found -= 1",
    ]
    assert str(comparison.not_run[0]).startswith("lines ")
    assert str(comparison.not_run[0]).endswith(" of program.py")
    assert sum(page.statements for page in comparison.not_run) == 5
    told, unseen, comparison = not_run("print(1)\n", tmp_path)
    assert (told, unseen, comparison.not_run) == ([], [], [])


def test_a_file_that_the_original_made_is_not_there_for_the_translation_before_it_has_made_it(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    source = """require 'paths'
if not paths.filep('squares.t7') then
   print('makes them')
   torch.save('squares.t7', torch.range(1, 4):pow(2))
   local note = io.open('note.txt', 'w')
   note:write('made')
   note:close()
end
print(torch.load('squares.t7'):sum(), paths.filep('squares.t7'), paths.filep('note.txt'))
"""
    assert compared(source, tmp_path).lines == 2  # with what is kept made new
    with pytest.raises(
        Unforeseen
    ) as caught:  # and with what the first run left, which it has not saved itself
        compared(source, tmp_path)
    page = translate_script(source.encode(), "program.lua", caught.value.observed)
    assert verify_script(page, tmp_path / "program.lua").lines == 1


def test_a_directory_shows_what_the_page_has_saved_in_it(tmp_path: Path) -> None:
    source = f"""require 'paths'
local folder = '{tmp_path}/saved'
paths.mkdir(folder)
torch.save(paths.concat(folder, 'squares.t7'), torch.ones(2))
for file in paths.iterfiles(folder) do
   print(file)
   os.remove(paths.concat(folder, file))
end
paths.rmdir(folder)
print(paths.dirp(folder))
"""
    assert compared(source, tmp_path).lines == 2


NAMED_LIKE_HELPERS = """local Adam = {}
Adam.__index = Adam
function Adam.new(name) return setmetatable({name = name}, Adam) end
function Adam:greet(loud)
   if loud then
      return self.name:upper()
   end
   return self.name
end
local function element(x)
   if x > 3 then
      return 'large'
   end
   return 'small'
end
print(Adam.new('eve'):greet(), element(1))
"""


def test_what_did_not_run_of_the_programs_own_that_is_called_like_a_helper(tmp_path: Path) -> None:
    told, unseen, _ = not_run(NAMED_LIKE_HELPERS, tmp_path)
    assert told == unseen
    assert [line.strip() for line in told] == ["return self.name.upper()", 'return "large"']


ONE_ROW = """require 'nn'
local net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Maxout(4, 2, 2)):add(nn.BatchNormalization(2, 1e-5, 0.5))
local params, grads = net:getParameters()
local data = torch.randn(5, 3)
for i = 1, 5, 2 do
   local x = data:narrow(1, i, math.min(2, 5 - i + 1))
   grads:zero()
   local out = net:forward(x)
   net:backward(x, out)
   params:add(-0.1, grads)
   print(out:sum())
end
"""


def test_a_batch_of_one_example_is_normalized_by_the_running_statistics(tmp_path: Path) -> None:
    """That the last batch has one is known only from a run; a first dimension of 1 tells it, too."""
    path = tmp_path / "rows.lua"
    path.write_text(ONE_ROW)
    with pytest.raises(Unforeseen):
        verify_script(translate_script(ONE_ROW.encode(), "rows.lua"), path)
    translation = to_pytorch(path)
    assert translation.report.verified is not None
    assert translation.report.verified.equal
    assert "class SingleBatchNorm1d(nn.BatchNorm1d):" in translation.code
    told = ONE_ROW.replace("local params", "print(net:forward(torch.ones(1, 3)))\nlocal params")
    path.write_text(told)
    assert verify_script(translate_script(told.encode(), "rows.lua"), path).largest < 1e-9


def test_watching_a_program_changes_nothing_of_what_its_classes_have() -> None:
    before = describe("nn", {"torch"})
    with original._recorded_constructors([]):
        assert describe("nn", {"torch"}) == before
    assert describe("nn", {"torch"}) == before


ENLARGING = """require 'nn'
torch.manualSeed(1)
local net = nn.Linear(8, 1)
local x, y = torch.randn(40, 8), torch.randn(40, 1)
local criterion = nn.MSECriterion()
local w, g = net:getParameters()
local z = w:norm() * 0.3
for turn = 1, 60 do
   g:zero()
   criterion:forward(net:forward(x), y)
   net:backward(x, criterion:backward(net.output, y))
   w:add(-0.05, g)
   z = 3.9 * z * (1 - z)
end
print(z)
"""


def test_a_difference_that_roundings_explain_says_so(tmp_path: Path) -> None:
    """A map without order: the last digits of where it began are the first of where it is by and by."""
    change = ("* 0.3", "* 0.3 * (1 + 2e-14)")
    with pytest.raises(Different, match=OF_ROUNDINGS) as caught:
        compared(ENLARGING.replace("turn = 1, 60", "turn = 1, 30"), tmp_path, change)
    assert caught.value.comparison is not None
    assert 1e-9 < caught.value.comparison.largest < 1e-4
    with pytest.raises(Different) as caught:  # more than that is not told from a fault
        compared(ENLARGING, tmp_path, change)
    assert OF_ROUNDINGS not in str(caught.value)


def test_roundings_of_what_a_program_draws(tmp_path: Path) -> None:
    """Weights that the program draws anew begin some roundings away as well, and so does all else that it draws."""
    drawn = ENLARGING.replace("turn = 1, 60", "turn = 1, 30").replace(
        "local z = w", "w:uniform(-0.4, 0.4)\nlocal z = w"
    )
    with pytest.raises(Different, match=OF_ROUNDINGS):
        compared(drawn, tmp_path, ("* 0.3", "* 0.3 * (1 + 2e-14)"))


def test_a_difference_of_that_size_that_roundings_do_not_explain(tmp_path: Path) -> None:
    with pytest.raises(Different) as caught:
        compared(
            ENLARGING.replace("print(z)", "print(w:norm())"), tmp_path, ("alpha=-0.05", "alpha=-0.0500001")
        )
    assert OF_ROUNDINGS not in str(caught.value)


def test_where_a_page_has_failed_is_told_by_the_program_and_its_line(tmp_path: Path) -> None:
    path = tmp_path / "program.lua"
    (tmp_path / "sizes.lua").write_text(
        "return function(x, k)\n   local s = torch.LongStorage(x)\n   s[k] = 7\n   return s\nend\n"
    )
    path.write_text("local sizes = require 'sizes'\nprint(sizes({1, 2}, 1)[1])\nprint(sizes(2, 2)[2])\n")
    with pytest.raises(Different, match=r"^the translation fails: TypeError: .* \(sizes\.lua:3\)$"):
        verify_script(translate_script(path.read_bytes(), str(path)), path)
