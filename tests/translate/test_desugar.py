"""Lua that is written out in simpler Lua: what of it, and what stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.translate.native.desugar import added_statements, written_out
from torch7py.translate.native.program import translate_script
from torch7py.translate.parse import parse
from torch7py.translate.verify_script import verify_script


def test_a_trainer_is_a_class_on_the_line_of_the_first_statement() -> None:
    source = b"-- a trainer\nrequire 'nn'\nlocal trainer = nn.StochasticGradient(net, criterion)\n"
    result = written_out(source, "train.lua")
    parse(result, "train.lua")
    lines = result.split(b"\n")
    assert [lines[0], *lines[2:]] == [source.split(b"\n")[0], *source.split(b"\n")[2:]]
    assert lines[1].startswith(b"local StochasticGradient = torch.class(")
    assert lines[1].endswith(b" end require 'nn'")


def test_layers_of_other_packages() -> None:
    source = """require 'fbnn'
local inn = require 'inn'
local last = nn.LinearNB(4, 3)
local drawn = nn.Sequential():add(inn.SpatialStochasticPooling(2, 2))
local cut = nn.LinearNoBackprop(3, 2)
print(last:forward(torch.ones(4)), cut, drawn)
"""
    page = translate_script(source.encode(), "net.lua")
    assert "last = nn.Linear(4, 3, bias=False)" in page.code
    assert [str(problem) for problem in page.problems if problem.line in (4, 5)] == [
        "T7-223: inn.SpatialStochasticPooling has no native form",
        "T7-223: nn.LinearNoBackprop has no native form",
    ]


def test_a_package_that_nobody_has_is_not_there() -> None:
    source = """local ok, p = pcall(require, 'fbcunn')
if not ok then
   local x = 1
   print(x)
else
   print(p.version)
end
ok = pcall(require, 'fbnn') -- asked again
if ok then print('yes') end
"""
    found = written_out(source.encode(), "train.lua").decode()
    parse(found.encode(), "train.lua")
    assert (
        found
        == """local ok, p = false, nil
do
local x = 1
   print(x) end



ok = false -- asked again

"""
    )
    other = source.replace("fbcunn", "cunn").replace("fbnn", "cudnn")
    assert written_out(other.encode(), "train.lua").decode() == other


SHARER = """function M.shareGradients(net, opt)
   local cache = {}
   local function key(m) return torch.type(m) .. (m.mark or '') end
   net:apply(function(m)
      if torch.isTensor(m.gradInput) then
         cache[key(m)] = cache[key(m)] or torch.FloatStorage(1)
         m.gradInput = torch.FloatTensor(cache[key(m)], 1, 0)
      end
   end)
   for i, m in ipairs(net:findModules('nn.ConcatTable')) do m.gradInput = torch.FloatTensor() end
end
"""


def machine(source: str) -> list[str]:
    found = written_out(source.encode(), "net.lua").decode()
    parse(found.encode(), "net.lua")
    lines = found.split("\n")
    assert len(lines) == len(source.split("\n"))
    return [line.strip() for line in lines if line.strip()]


def test_what_is_about_the_machine_goes() -> None:
    assert machine(
        f"local M = {{}}\nif opt.share then\n   M.shareGradients(net, opt)\nend\n{SHARER}return M\n"
    ) == [
        "local M = {}",
        "return M",
    ]
    mode = "net:apply(function(m) if m.setMode then m:setMode(1, 1, 1) end end)\n"
    assert machine(mode) == ["cudnn.deterministic = true"]
    assert machine(mode.replace("1, 1, 1", "0, 3, 0")) == []
    assert machine("if cudnn.version >= 4000 then\n  m.bias = nil -- gone\nelse\n  m.bias:zero()\nend\n") == [
        "m.bias = nil"
    ]
    assert machine("if cudnn.version > 3000 then local a = 1 f(a) end\nlocal a = 2\n") == [
        "do local a = 1 f(a) end",
        "local a = 2",
    ]
    workers = """local fast, tune = cudnn.fastest, cudnn.benchmark
local cards = nn.DataParallelTable(1, true, true)
   :add(net, {1, 2})
   :threads(function()
      local cudnn = require 'cudnn'
      cudnn.fastest, cudnn.benchmark = fast, tune
   end)
"""
    assert machine(workers) == ["local cards = nn.DataParallelTable(1, true, true)", ":add(net, {1, 2})"]


@pytest.mark.parametrize(
    "source",
    [
        SHARER.replace("local cache = {}", "local cache = {}\n   net.shared = true"),
        SHARER.replace("torch.FloatTensor()", "torch.ones(3)"),
        SHARER.replace("local cache = {}", "local cache = {}\n   net:zeroGradParameters()"),
        f"{SHARER}net = M.shareGradients(net, opt)\n",
        f"{SHARER}M.shareGradients(made(), opt)\n",
        "net:apply(function(m) if m.setMode then m:setMode(1, 1, 1) m:reset() end end)\n",
        "net:apply(function(m) if m.weight then m:setMode(1, 1, 1) end end)\n",
        "made():apply(function(m) if m.setMode then m:setMode(1, 1, 1) end end)\n",
        "if cudnn.version >= 7000 then m.bias = nil end\n",
        "local t = nn.DataParallelTable(1):add(net, {1}):threads(function() seen = true end)\n",
        "local t = pool:threads(function() require 'cudnn' end)\n",
    ],
)
def test_what_does_more_than_that_is_left(source: str) -> None:
    assert written_out(source.encode(), "net.lua") == source.encode()


COPIER = """local function twin(t)
   local made = {}
   for key, field in pairs(t) do
      if type(field) == 'table' then
         made[key] = twin(field)
      else
         made[key] = field
      end
   end
   if torch.typename(t) then
      torch.setmetatable(made, torch.typename(t))
   end
   return made
end
"""


def test_a_copy_by_fields() -> None:
    assert machine(
        f"{COPIER}local small = twin(net):float():clearState()\ntorch.save('a', twin(nets[1]):double())\n"
    ) == [
        "local small = net:clone():float():clearState()",
        "torch.save('a', nets[1]:clone():double())",
    ]


@pytest.mark.parametrize(
    "source",
    [
        f"{COPIER}local other = twin(net)\nother.weight:zero()\n",  # which is the first one's weight
        f"{COPIER}local f = twin\nf(net):float()\n",
        COPIER.replace("made[key] = field", "made[key] = field:clone()") + "twin(net):float()\n",
        COPIER.replace("== 'table'", "~= 'table'") + "twin(net):float()\n",
        COPIER.replace("made[key] = twin(field)", "made[key] = field") + "twin(net):float()\n",
        COPIER.replace("torch.typename(t))\n", "'nn.Sequential')\n") + "twin(net):float()\n",
        COPIER.replace("return made", "return t") + "twin(net):float()\n",
    ],
)
def test_other_copies_are_left(source: str) -> None:
    assert written_out(source.encode(), "save.lua") == source.encode()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("x = cutorch.createCudaHostTensor(3, n)", "x = torch.FloatTensor(3, n)"),
        ("x = cutorch.createCudaHostDoubleTensor()", "x = torch.DoubleTensor()"),
        ("x = cutorch.createCudaHostHalfTensor()", "x = torch.FloatTensor():type('torch.HalfTensor')"),
        ("x = torch[opt.kind:match('torch.(%a+)')]()", "x = torch.FloatTensor():type(opt.kind)"),
        ("x = x or (torch.CudaLongTensor and torch.CudaLongTensor())", "x = x or (torch.CudaLongTensor())"),
        ("assert(params:storage() == net:parameters()[1]:storage())", ""),
        # and what is left
        ("x = torch[opt.kind:match('torch.(%a+)')](3)", None),  # has the type's own numbers
        ("x = torch[opt.kind:match('(%a+)Tensor')]()", None),
        ("x = torch.CudaLongTensor or torch.LongTensor", None),
        ("same = params:storage() == net:parameters()[1]:storage()", None),
        ("assert(params:storage() == nil)", None),
    ],
)
def test_memory_of_gpus(source: str, found: str | None) -> None:
    made = written_out(source.encode(), "net.lua").decode()
    assert made.strip() == (source if found is None else found)


BLOCKS = """local function block(...)
   local arg = {...}
   net:add(nn.SpatialConvolution(...)):add(nn.SpatialBatchNormalization(arg[2]))
end
block(3, 4, 5, 5, 1, 1, 2, 2)
block(4, 2, 1, 1)
"""


def test_what_a_function_hands_to_a_layer_has_the_layers_names() -> None:
    names = "nInputPlane, nOutputPlane, kW, kH, dW, dH, padW, padH"
    assert machine(BLOCKS) == [
        f"local function block({names})",
        "local arg = {nInputPlane, nOutputPlane, kW, kH}",
        f"net:add(nn.SpatialConvolution({names})):add(nn.SpatialBatchNormalization(arg[2]))",
        "end",
        "block(3, 4, 5, 5, 1, 1, 2, 2)",
        "block(4, 2, 1, 1, 1, 1, 0, 0)",
    ]
    pool = "local function pool(...) net:add(nn.SpatialMaxPooling(...)) end\npool(2, 2, 2, 2)\npool(3, n)\n"
    assert machine(pool) == [
        "local function pool(kW, kH, dW, dH) net:add(nn.SpatialMaxPooling(kW, kH, dW, dH)) end",
        "pool(2, 2, 2, 2)",
        "pool(3, n, 3, n)",
    ]


@pytest.mark.parametrize(
    "source",
    [
        BLOCKS.replace("arg[2]", "#arg"),
        BLOCKS.replace("arg[2]", "arg[5]"),  # which one of the calls does not give
        BLOCKS.replace("block(4, 2, 1, 1)", "block(4, size())"),
        BLOCKS.replace("block(4, 2, 1, 1)", "each(block)"),
        BLOCKS.replace("block(4, 2, 1, 1)", "local kW = 1"),
        BLOCKS.replace("nn.SpatialBatchNormalization(arg[2])", "nn.SpatialMaxPooling(...)"),
        "local function look(...) net:add(nn.LookupTable(...)) end\nlook(2, 2, 2, 2)\nlook(3, 3)\n",
    ],
)
def test_other_varargs_are_left(source: str) -> None:
    assert written_out(source.encode(), "net.lua") == source.encode()


CHOICE = """local act, norm = nil, opt.norm and nn.BatchNormalization or nn.Identity
if opt.elu then act = nn.ELU
else act = nn.ReLU end
local net = nn.Sequential():add(norm(4)):add(act())
"""


def test_a_variable_with_one_of_several_classes_is_a_function() -> None:
    norm = (
        "function(nOutput) return nn.BatchNormalization(nOutput) end or function(_1) return nn.Identity() end"
    )
    assert machine(CHOICE) == [
        f"local act, norm = nil, opt.norm and {norm}",
        "if opt.elu then act = function() return nn.ELU() end",
        "else act = function() return nn.ReLU() end end",
        "local net = nn.Sequential():add(norm(4)):add(act())",
    ]


@pytest.mark.parametrize(
    "source",
    [
        "local act = nn.ReLU\nprint(act())\n",
        "act = nn.ELU\nif elu then act = nn.ELU end\nprint(act())\n",
        "act = nn.ReLU\nif elu then act = nn.ELU end\nnet = build(act)\n",
        "act = nn.ReLU\nif elu then act = nn.ELU end\nprint(act(true), act())\n",
        "act = nn.ReLU\nif elu then act = other() end\nprint(act())\n",
    ],
)
def test_other_classes_in_variables_are_left(source: str) -> None:
    assert written_out(source.encode(), "net.lua") == source.encode()


def test_a_tester_has_the_checks_that_a_program_calls() -> None:
    source = (
        b"local t = torch.Tester()\nlocal tests = torch.TestSuite()\nfunction tests.one() t:eq(1, 1) end\n"
    )
    result = written_out(source, "test.lua")
    assert len(parse(result, "test.lua").statements) == 3 + added_statements(result)
    lines = result.split(b"\n")
    assert lines[1] == b"local tests = {}"
    for name, is_there in {
        "eq": True,
        "alike": True,
        "assert": True,
        "run": False,
        "asserteq": False,
    }.items():
        assert (b"function Tester:%s(" % name.encode() in lines[0]) is is_there


ONE_OUTPUT = """require 'nngraph'
torch.manualSeed(4)
local function net(n)
   local inputs = {}
   local outputs = {};
   table.insert(inputs, nn.Identity()())
   table.insert(inputs, nn.Identity()())
   table.insert(outputs, nn.Tanh()(nn.CAddTable()({nn.Linear(3, n)(inputs[1]), nn.Linear(3, n)(inputs[2])})))
   return nn.gModule(inputs, outputs)
end
local function other()
   local x = nn.Identity()()
   local y = nn.Tanh()(nn.Linear(3, 2)(x))
   local outs = {y}
   return nn.gModule({x}, outs)
end
local a, b, x = net(4), other(), torch.randn(2, 3)
print(a:forward({x, x}):sum(), b:forward(x):sum(), a:forward({x, x}):size(2))
"""


def test_a_list_with_the_one_output_of_a_graph_is_that_node(tmp_path: Path) -> None:
    lines = written_out(ONE_OUTPUT.encode(), "p.lua").decode().split("\n")
    assert lines[4].strip() == ""
    assert lines[7].startswith("   local outputs = nn.Tanh()(nn.CAddTable()(")
    assert lines[8] == "   return nn.gModule(inputs, {outputs})"
    assert lines[13:15] == ["   local outs = y", "   return nn.gModule({x}, {outs})"]
    path = tmp_path / "p.lua"
    path.write_text(ONE_OUTPUT)
    page = translate_script(path.read_bytes(), "p.lua")
    assert (page.problems, page.plain_calls) == ([], 0)
    assert verify_script(page, path).lines == 1


@pytest.mark.parametrize(
    "source",
    [
        "local o = {} table.insert(o, x) table.insert(o, y) return nn.gModule({x}, o)",
        "local o = {} for i = 1, n do table.insert(o, x) end return nn.gModule({x}, o)",
        "local o = {} table.insert(o, x) print(#o) return nn.gModule({x}, o)",
        "local o = {} table.insert(o, both(x)) return nn.gModule({x}, o)",  # which may be two values
        "local o = {both(x)} return nn.gModule({x}, o)",
        "local o = {} if n then table.insert(o, x) end return nn.gModule({x}, o)",
        "local o = {} local g = nn.gModule({x}, o) table.insert(o, x) return g",
        "local o = {} table.insert(o, x) o = {y} return nn.gModule({x}, o)",
    ],
)
def test_lists_of_outputs_that_may_be_others_are_left(source: str) -> None:
    source = f"local x, y = nn.Identity()(), nn.Identity()()\n{source}\n"
    assert written_out(source.encode(), "p.lua") == source.encode()


@pytest.mark.parametrize(
    ("source", "becomes"),
    [
        ("local _, g = f(w)", "local _, g = f(w), d"),
        ("do local d = 3 local _, g = f(w) end", None),  # another variable of that name
        ("local l = f(w)", None),
        ("f = other\nlocal _, g = f(w)", None),
    ],
)
def test_gradients_that_a_function_for_optim_returns(source: str, becomes: str | None) -> None:
    head = "local w, d = net:getParameters()\nlocal f = function() return 1, d end\noptim.sgd(f, w)\n"
    assert written_out((head + source).encode(), "p.lua").decode() == head + (becomes or source)
