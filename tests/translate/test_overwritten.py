"""What a Torch7 module's output is overwritten with before it is read, or gradients are taken at it: never wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.translate.native.program import Native, translate_script
from torch7py.translate.verify_script import ScriptComparison, verify_script


def translated(source: str, folder: Path) -> tuple[Native, Path]:
    script = folder / "program.lua"
    script.write_text(source)
    return translate_script(source.encode(), str(script)), script


def equal(source: str, folder: Path) -> ScriptComparison:
    page, script = translated(source, folder)
    assert [f"{p.line}: {p}" for p in page.problems] == []
    return verify_script(page, script)


# A recurrent layer inside a recurrent one

NESTED = """require 'rnn'
torch.manualSeed(1)
local step = nn.Sequential()
   :add(nn.ParallelTable():add(nn.LookupTable(4, 3)):add(nn.Linear(3, 3)))
   :add(nn.CAddTable())
   :add(nn.Sigmoid())
{layers}
local model = nn.Sequencer(nn.Sequential():add({cell}):add(nn.Linear(3, 4)):add(nn.LogSoftMax()))
local criterion = nn.SequencerCriterion(nn.ClassNLLCriterion())
local inputs, targets = {{}}, {{}}
for t = 1, 3 do
   inputs[t] = torch.LongTensor{{1, 2}}
   targets[t] = torch.LongTensor{{t, 4}}
end
for turn = 1, 4 do
   model:zeroGradParameters()
   local outputs = model:forward(inputs)
   print(criterion:forward(outputs, targets))
   model:backward(inputs, criterion:backward(outputs, targets))
   model:updateParameters(0.5)
end
"""
RECURRENCE = "nn.Recurrence(step, 3, 0)"


@pytest.mark.parametrize("cell", ["nn.FastLSTM(3, 3)", "nn.GRU(3, 3)"])
def test_the_last_layer_of_a_recurrence_may_be_recurrent(cell, tmp_path):
    found = equal(NESTED.format(layers=f"step:add({cell})", cell=RECURRENCE), tmp_path)
    assert found.numbers == 4
    assert found.layers >= 8
    assert found.largest < 1e-12


@pytest.mark.parametrize("behind", ["nn.Linear(3, 3)", "nn.FastLSTM(3, 3)", "nn.Square()"])
def test_one_with_a_layer_behind_it_is_refused(behind, tmp_path):
    page, _ = translated(
        NESTED.format(layers=f"step:add(nn.FastLSTM(3, 3)):add({behind})", cell=RECURRENCE), tmp_path
    )
    assert {p.code for p in page.problems} == {"T7-229"}


@pytest.mark.parametrize("places", ["nn.FastLSTM(3, 3), nn.Linear(3, 3)", "nn.Identity(), nn.FastLSTM(3, 3)"])
def test_one_inside_recurrent_is_refused(places, tmp_path):
    program = NESTED.format(layers="", cell=f"nn.LookupTable(4, 3)):add(nn.Recurrent(3, {places})")
    page, _ = translated(program, tmp_path)
    assert "T7-229" in {p.code for p in page.problems}


# What is drawn while the packages are loaded is no program's


def test_a_program_that_seeds_before_its_packages(tmp_path):
    program = """torch.manualSeed(1)
require 'rnn'
print(torch.LongTensor(5):random(7):sum(), torch.random(3))
"""
    assert equal(program, tmp_path).numbers == 2


# A module called again while the program still has what it gave before

CALLED_AGAIN = """require 'nn'
torch.manualSeed(1)
local net = nn.Sequential():add(nn.Linear(3, 2)):add(nn.Tanh())
local criterion = nn.MSECriterion()
local x1, x2, y = torch.randn(4, 3), torch.randn(4, 3), torch.randn(4, 2)
local xs = {x1, x2}
"""
READ_TOO_LATE = {
    "a variable": "local a = net:forward(x1)\nlocal b = net:forward(x2)\nprint(a:sum(), b:sum())",
    "an output that is called": "local a = net(x1)\nnet(x2)\nprint(a:sum())",
    "a view": "local a = net:forward(x1):view(-1)\nnet:forward(x2)\nprint(a:sum())",
    "a row": "local a = net:forward(x1)[1]\nnet:forward(x2)\nprint(a:sum())",
    "a change in place": "local a = net:forward(x1):exp()\nnet:forward(x2)\nprint(a:sum())",
    "another name": "local a = net:forward(x1)\nlocal b = a\na = net:forward(x2)\nprint(b:sum())",
    "a choice": "local a = net:forward(x1) or x1\nnet:forward(x2)\nprint(a:sum())",
    "a field": "local s = {}\ns.a = net:forward(x1)\ns.b = net:forward(x2)\nprint(s.a:sum())",
    "an item": "local s = {net:forward(x1), x1}\nnet:forward(x2)\nprint(s[1]:sum())",
    "a table over turns": (
        "local outs = {}\nfor t = 1, 2 do outs[t] = net:forward(xs[t]) end\nfor t = 1, 2 do print(outs[t]:sum()) end"
    ),
    "appended": (
        "local outs = {}\nfor _, x in ipairs(xs) do table.insert(outs, net:forward(x)) end\nprint(outs[1]:sum())"
    ),
    "over a loop": (
        "local outs = {}\nfor _, x in ipairs(xs) do table.insert(outs, net:forward(x)) end\n"
        "for _, out in ipairs(outs) do print(out:sum()) end"
    ),
    "stored in one branch": (
        "local s = {}\nfor t = 1, 2 do s[t] = net:forward(xs[t]) end\n"
        "if x1[1][1] > 99 then s[1] = x1 end\nprint(s[1]:sum())"
    ),
    "joined": (
        "local outs = {}\nfor t = 1, 2 do outs[t] = net:forward(xs[t]) end\n"
        "print(nn.JoinTable(1):forward(outs):sum())"
    ),
    "the turn before": (
        "local h\nfor t = 1, 2 do\n   local before = h\n   h = net:forward(xs[t])\n"
        "   if before then print((h - before):norm()) end\nend"
    ),
    "the best": (
        "local most, best = -math.huge, nil\nfor _, x in ipairs(xs) do\n   local o = net:forward(x)\n"
        "   if o:sum() > most then\n      most = o:sum()\n      best = o\n   end\nend\nprint(best:sum())"
    ),
    "two arguments": "print(criterion:forward(net:forward(x1), net:forward(x2)))",
    "a sum": "print((net:forward(x1) - net:forward(x2)):norm())",
    "a function": "local function f(x) return net:forward(x) end\nlocal a = f(x1)\nlocal b = f(x2)\nprint(a:sum())",
    "a parameter": (
        "local function again(a) net:forward(x2)\nreturn a:sum() end\nprint(again(net:forward(x1)))"
    ),
    "a module as parameter": (
        "local function f(m, x) return m:forward(x) end\nlocal a = f(net, x1)\nf(net, x2)\nprint(a:sum())"
    ),
    "a global of a function": (
        "local last\nlocal function f(x) last = net:forward(x) end\nf(x1)\nlocal kept = last\nf(x2)\nprint(kept:sum())"
    ),
    "a branch": "local a = net:forward(x1)\nif x1[1][1] > -9 then net:forward(x2) end\nprint(a:sum())",
    "a function that is given": (
        "local a = net:forward(x1)\npcall(function() net:forward(x2) end)\nprint(a:sum())"
    ),
    "a part of a model": (
        "local first = nn.Linear(3, 3)\nlocal all = nn.Sequential():add(first):add(nn.Tanh())\n"
        "local a = first:forward(x1)\nall:forward(x2)\nprint(a:sum())"
    ),
    "its own input": "local f = nn.Tanh()\nlocal a = f:forward(x1)\nlocal b = f:forward(a)\nprint(a:sum(), b:sum())",
    "a layer that passes": (
        "local a = nn.View(-1):forward(net:forward(x1))\nnet:forward(x2)\nprint(a:sum())"
    ),
    "another size": "local a = net:forward(x1)\nnet:forward(torch.randn(2, 3))\nprint(a:size(1))",
    "two passes": (
        "local a = net:forward(x1)\nlocal b = net:forward(x2)\nnet:zeroGradParameters()\n"
        "criterion:forward(a, y)\nnet:backward(x1, criterion:backward(a, y))\nprint(b:sum())"
    ),
    "the field output": "net:forward(x1)\nlocal a = net.output\nnet:forward(x2)\nprint(a:sum())",
    "the field gradInput": "criterion:forward(x1, x2)\ncriterion:backward(x1, x2)\nprint(criterion.gradInput:sum())",
    "what backward gave": (
        "local a = net:forward(x1)\ncriterion:forward(a, y)\n"
        "local g = net:backward(x1, criterion:backward(a, y))\nnet:backward(x2, y)\nprint(g:sum())"
    ),
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", READ_TOO_LATE)
def test_an_output_that_is_read_after_the_next_call_has_that_calls_numbers(name, tmp_path):
    page, script = translated(CALLED_AGAIN + READ_TOO_LATE[name] + "\n", tmp_path)
    codes = {"T7-225", "T7-226", "T7-230", "T7-307"}
    assert codes & {problem.code for problem in (*page.problems, *page.reasons)}
    if page.problems:
        assert name == "the field gradInput"
        return
    assert verify_script(page, script).largest < 1e-9


READ_IN_TIME = {
    "the field output": "net:forward(x1)\nnet:forward(x2)\nprint(net.output:sum())",
    "a part that is not the last": (
        "local first = nn.Linear(3, 3)\nlocal all = nn.Sequential():add(first):add(nn.Tanh())\n"
        "local a = all:forward(x1)\nfirst:forward(x2)\nprint(a:sum())"
    ),
    "read before": "local a = net:forward(x1)\nprint(a:sum())\nlocal b = net:forward(x2)\nprint(b:sum())",
    "a copy": "local a = net:forward(x1):clone()\nlocal b = net:forward(x2)\nprint(a:sum(), b:sum())",
    "a number": "local a = net:forward(x1):sum()\nlocal b = net:forward(x2)\nprint(a, b:sum())",
    "an element": "local a = net:forward(x1)[1][2]\nlocal b = net:forward(x2)\nprint(a, b:sum())",
    "something computed": "local a = net:forward(x1) * 2\nlocal b = net:forward(x2)\nprint(a:sum(), b:sum())",
    "assigned anew": "local a = net:forward(x1)\nprint(a:sum())\na = net:forward(x2)\nprint(a:sum())",
    "each turn": "for t = 1, 2 do\n   local a = net:forward(xs[t])\n   print(a:sum())\nend",
    "a table in its turn": (
        "local outs = {}\nfor t = 1, 2 do\n   outs[t] = net:forward(xs[t])\n   print(outs[t]:sum())\nend"
    ),
    "a table for each pass": (
        "for turn = 1, 2 do\n   local outs = {}\n   outs[1] = net:forward(xs[turn])\n   print(outs[1]:sum())\nend"
    ),
    "a state": (
        "local cell = nn.Sequential():add(nn.JoinTable(2)):add(nn.Linear(5, 2)):add(nn.Tanh())\n"
        "local h = torch.zeros(4, 2)\nfor t = 1, 3 do\n   h = cell:forward({x1, h})\n   print(h:sum())\nend"
    ),
    "two modules": (
        "local other = nn.Linear(3, 2)\nlocal a = net:forward(x1)\nlocal b = other:forward(x2)\nprint(a:sum(), b:sum())"
    ),
    "two from one function": (
        "local function make() return nn.Sequential():add(nn.Linear(3, 2)):add(nn.Tanh()) end\n"
        "local one, two = make(), make()\nlocal a = one:forward(x1)\nlocal b = two:forward(x2)\n"
        "print(a:sum(), b:sum())"
    ),
    "one after the other": (
        "local head = nn.Linear(2, 2)\nfor t = 1, 2 do\n   local a = net:forward(xs[t])\n"
        "   print(head:forward(a):sum(), a:sum())\nend"
    ),
    "a module for each step": (
        "local nets, outs = {}, {}\nfor t = 1, 2 do nets[t] = nn.Linear(3, 2) end\n"
        "for t = 1, 2 do outs[t] = nets[t]:forward(xs[t]) end\nfor t = 1, 2 do print(outs[t]:sum()) end"
    ),
    "training and test": (
        "for turn = 1, 2 do\n   local out = net:forward(x1)\n   print(criterion:forward(out, y))\n"
        "   net:zeroGradParameters()\n   net:backward(x1, criterion:backward(out, y))\n   net:updateParameters(0.1)\n"
        "   local guess = net:forward(x2)\n   print(guess:sum())\nend"
    ),
}


@pytest.mark.parametrize("name", READ_IN_TIME)
def test_an_output_that_is_read_in_time_is_native_and_equal(name, tmp_path):
    assert equal(CALLED_AGAIN + READ_IN_TIME[name] + "\n", tmp_path).largest < 1e-12


# Inputs that a module's first layer writes over

IN_PLACE = """require 'nn'
local net = nn.Sequential():add(nn.%s):add(nn.Linear(3, 2))
local x = torch.randn(2, 3)
"""


@pytest.mark.usefixtures("without_objects")
@pytest.mark.parametrize(
    ("layer", "use", "refused"),
    [
        ("ReLU(true)", "net:forward(x) print(x:sum())", True),
        ("ReLU(true)", "local xs = {x} for i = 1, 2 do print(net:forward(xs[i])) end", True),
        ("MulConstant(2, true)", "for i = 1, 2 do print(net:forward(x)) end", True),
        (
            "ReLU(true)",
            "for i = 1, 2 do print(net:forward(x), x:size(1)) net:backward(x, torch.ones(2, 2)) end",
            True,
        ),
        ("ReLU()", "net:forward(x) print(x:sum())", False),
        ("MulConstant(2, true)", "for i = 1, 2 do print(net:forward(x:clone()), x) end", False),
    ],
)
def test_inputs_that_a_module_writes_over(layer: str, use: str, refused: bool, tmp_path: Path) -> None:
    source = IN_PLACE % layer + use
    if not refused:
        assert equal(source, tmp_path).largest < 1e-12
        return
    page, _ = translated(source, tmp_path)
    assert [p.code for p in page.problems] == ["T7-230"]


@pytest.mark.usefixtures("without_objects")
@pytest.mark.parametrize(
    ("nodes", "seen"),
    [
        ("local input = nn.Identity()()\nlocal output = nn.CAddTable()({nn.ReLU(true)(input), input})", True),
        ("local input = nn.ReLU(true)()\nlocal output = nn.Linear(3, 2)(input)", True),
        ("local input = nn.Identity()()\nlocal output = nn.ReLU(true)(nn.Linear(3, 2)(input))", False),
    ],
)
def test_inputs_that_a_graph_writes_over(nodes: str, seen: bool, tmp_path: Path) -> None:
    graph = f"require 'nngraph'\n{nodes}\nlocal net = nn.gModule({{input}}, {{output}})\n"
    page, _ = translated(f"{graph}local x = torch.randn(2, 3)\nnet:forward(x) print(x:sum())\n", tmp_path)
    assert [p.code for p in page.problems] == ["T7-230"] * seen
