"""What programs have around their networks: GPUs, packages in variables, files, timers, logs, weights set by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.translate.running import assert_same, in_page
from torch7py.translate.native.program import Native, translate_script
from torch7py.translate.verify_script import verify_script


def page_of(source: str) -> Native:
    page = translate_script(source.encode(), "program.lua")
    assert [str(problem) for problem in page.problems] == []
    assert page.native == page.statements
    return page


def verified(source: str, tmp_path, lines: int | None = None) -> str:
    page = page_of(source)
    script = tmp_path / "program.lua"
    script.write_text(source)
    comparison = verify_script(page, script, lines=lines)
    assert comparison.lines > 0
    assert comparison.largest < 1e-12
    return page.code


GPU = """require 'nn'
local cmd = torch.CmdLine()
cmd:option('-gpuid', -1, 'which card')
local opt = cmd:parse(arg)
torch.manualSeed(1)
if opt.gpuid >= 0 then
   local ok, cunn = pcall(require, 'cunn')
   local ok2, cutorch = pcall(require, 'cutorch')
   if ok and ok2 then
      print('card ' .. cutorch.getDevice() .. ' of ' .. cutorch.getDeviceCount())
      cutorch.setDevice(opt.gpuid + 1)
      cutorch.manualSeed(1)
   else
      opt.gpuid = -1
   end
end
local net, x = nn.Linear(3, 2), torch.ones(2, 3)
if opt.gpuid >= 0 then
   net = net:cuda()
   x = x:float():cuda()
   cutorch.synchronize()
end
print(net:forward(x))
"""


def test_gpus(tmp_path):
    code = verified(GPU, tmp_path)
    for line in (
        "        ok = torch.cuda.is_available()\n",
        "            torch.cuda.set_device(opt.gpuid)\n",
        "            torch.cuda.manual_seed(1)\n",
        "        net = net.float().cuda()\n",
        "        x = x.float().cuda()\n",
        "        torch.cuda.synchronize()\n",
    ):
        assert line in code


def test_packages_in_variables(tmp_path):
    source = """local nn = require 'nn'
local optim = require 'optim'
local model = nn.Linear(2, 1)
local criterion, x, y = nn.MSECriterion(), torch.ones(3, 2), torch.zeros(3, 1)
local w, g = model:getParameters()
w:fill(0.5)
local s = {learningRate = 0.1}
for i = 1, 3 do
   local _, f = optim.sgd(function()
      g:zero()
      local out = model:forward(x)
      local loss = criterion:forward(out, y)
      model:backward(x, criterion:backward(out, y))
      return loss, g
   end, w, s)
   print(f[1])
end
"""
    assert "torch.optim.SGD(model.parameters(), lr=0.1)" in verified(source, tmp_path)


def test_files_and_timers(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = """require 'lfs'
local timer = torch.Timer()
local f = io.open('a.txt', 'w')
f:write('some text')
f:close()
print(lfs.attributes('a.txt').size, lfs.attributes('a.txt', 'mode'))
torch.save('x.t7', {rate = 0.5, sizes = {3, 4}, x = torch.ones(2)})
local loaded = torch.load('x.t7')
print(loaded.rate, loaded.sizes[2], loaded.x:sum())
print(timer:time().real)
"""
    code = verified(source, tmp_path)
    assert ".st_size" in code
    assert 'loaded = torch.load("x.t7", weights_only=False)\n' in code
    assert "time.perf_counter() - timer" in code


def test_a_log(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = """require 'optim'
local log = optim.Logger('losses.log')
for i = 1, 3 do
   log:add{['loss'] = i / 4, ['rate'] = i}
   log:style{['loss'] = '-'}
   print(i)
end
"""
    verified(source, tmp_path)  # the page's log has replaced the original's
    assert tmp_path.joinpath("losses.log").read_text().splitlines() == [
        "loss\trate\t",
        " 2.5000e-01\t 1.0000e+00\t",
        " 5.0000e-01\t 2.0000e+00\t",
        " 7.5000e-01\t 3.0000e+00\t",
    ]


def test_parts_of_tensors(tmp_path):
    source = """local x = torch.range(1, 12):view(3, 4)
print(x:sub(1, -2))
print(x:sub(2, -1, 2, 3))
print(x[-1][1], x[{-1, -2}])
local parts = x:split(2, 2)
print(#parts, parts[2])
local y = torch.Tensor()
y:index(x, 1, torch.LongTensor{3, 1})
print(y, (#x)[2])
local list = {torch.ones(2), torch.ones(2)}
local first = list[1]
list[1]:zero()
list[2]:copy(torch.Tensor{5, 6})
print(first, list[1], list[2])
local copies = {}
for k, v in pairs(list) do
   copies[k] = v:clone()
   copies[k]:fill(k)
end
print(copies[1], copies[2])
local z = torch.LongTensor():range(1, 6)
z:resize(2, 3)
print(z)
"""
    verified(source, tmp_path)


def test_weights_set_by_hand(tmp_path):
    source = """require 'nn'
local l = nn.Linear(3, 4)
l.bias:zero()
l.bias[{{2, 3}}]:fill(1.5)
l.weight[1][2] = 7
l.weight:narrow(1, 3, 2):mul(0.5)
print(l:forward(torch.ones(2, 3)))
"""
    code = verified(source, tmp_path)
    assert "l_.bias.data[1:3] = 1.5\n" in code  # a lone l looks like 1
    assert "l_.weight.data[0, 1] = 7\n" in code


def test_a_module_wrapped_under_its_own_name(tmp_path):
    source = """require 'rnn'
torch.manualSeed(1)
local net = nn.Sequential():add(nn.FastLSTM(3, 4)):add(nn.Linear(4, 2))
net = nn.Sequencer(net)
local criterion = nn.MSECriterion()
criterion = nn.SequencerCriterion(criterion)
local xs, ys = {}, {}
for t = 1, 3 do
   xs[t] = torch.randn(2, 3)
   ys[t] = torch.randn(2, 2)
end
while true do
   local out = net:forward(xs)
   local loss = criterion:forward(out, ys)
   print(loss)
   net:zeroGradParameters()
   net:backward(xs, criterion:backward(out, ys))
   net:updateParameters(0.1)
end
"""
    assert "nn.LSTM(3, 4)" in verified(source, tmp_path, lines=5)


@pytest.mark.parametrize("wrap", [1, 2])
def test_names_of_nodes(tmp_path, wrap):
    source = f"""require 'nngraph'
torch.manualSeed(1)
local function build(n)
   local x = nn.Identity()()
   local h = x
   for L = 1, n do h = nn.Tanh()(nn.Linear(3, 3)(h):annotate{{name = 'layer_' .. L}}) end
   return nn.gModule({{x}}, {{h}})
end
local m = build({wrap})
for _, node in ipairs(m.forwardnodes) do
   if node.data.annotations.name == 'layer_1' then node.data.module.bias:fill(2) end
end
print(m:forward(torch.ones(1, 3)))
"""
    code = verified(source, tmp_path)
    assert '[-1].name = f"layer_{L}"\n' in code
    assert "for node in m.modules():\n" in code


def test_separated_values(tmp_path):
    """csvigo gives columns of text, and says what it does."""
    tmp_path.joinpath("shoes.csv").write_text('num,name,"size"\n1,"a, b",3\n2,c,4.5\n')
    path = tmp_path / "shoes.csv"
    source = f"""require 'csvigo'
local shoes = csvigo.load('{path}')
local sizes = torch.Tensor(shoes.size)
print(#shoes.name, shoes.name[1], sizes:sum(), shoes.num[2])
for i, row in ipairs(csvigo.load{{path = '{path}', mode = 'raw', verbose = false}}) do print(i, #row, row[3]) end
local numbered = csvigo.load{{path = '{path}', skip = 1, verbose = false}}
print(numbered.var_2[2])
print(csvigo.load{{path = '{path}', header = false, verbose = false}}.var_1[1])
"""
    code = verified(source, tmp_path)
    assert (
        '    sizes = torch.tensor([float(x) for x in shoes["size"]], dtype=torch.get_default_dtype())\n'
        in code
    )
    assert "import csv\n" in code


def test_other_ways_to_read_columns_are_refused():
    source = "require 'csvigo'\nlocal query = csvigo.load{path = 'a.csv', mode = 'query'}\nprint(query)\n"
    assert {problem.code for problem in translate_script(source.encode(), "program.lua").problems} == {
        "T7-203"
    }


def test_weights_drawn_anew(tmp_path):
    source = """require 'nn'
local model = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 2))
local one = nn.LookupTable(4, 3)
print(model:forward(torch.ones(3)):sum(), one:forward(torch.LongTensor{1}):sum())
model:reset()
one:reset()
print(model:forward(torch.ones(3)):sum(), one:forward(torch.LongTensor{1}):sum())
model:reset()
print(model:forward(torch.ones(3)):sum())
"""
    code = verified(source, tmp_path)
    assert '    for layer in model.modules():\n        if hasattr(layer, "reset_parameters"):\n' in code
    assert "    for layer2 in one.modules():\n" in code


@pytest.mark.usefixtures("without_objects")
@pytest.mark.parametrize("text", ["nn.Linear(2, 2):reset(0.1, 2)", "nn.CMul(2):reset()"])
def test_weights_that_pytorch_draws_otherwise(text):
    source = f"require 'nn'\nlocal model = {text.partition(':')[0]}\nmodel:{text.partition(':')[2]}\n"
    assert {problem.code for problem in translate_script(source.encode(), "program.lua").problems} == {
        "T7-202"
    }


def test_a_loop_between_elements(tmp_path):
    source = """local x = torch.Tensor{2.5, 1, 4}
for age = torch.min(x), torch.max(x) do
   x[3] = 10
   print(age)
end
"""
    assert "    while age <= last:\n" in verified(source, tmp_path)


def test_new_tensors_and_results_into_others(tmp_path):
    source = """local x = torch.Tensor{0.5, 1.5, -2.5, 0.49999999999999994, 2.3, -0.1}
print(torch.round(x))
local y = x.new(2, 3):fill(1)
local z = x.new()
z:exp(x)
print(z, y:sum())
x:round()
print(x)
"""
    code = verified(source, tmp_path)
    assert "    y = x.new_empty(2, 3).fill_(1)\n" in code
    assert "    torch.exp(x, out=z)\n" in code
    assert "    print(round_away(x))\n" in code


def test_another_view_of_a_tensor_is_no_new_one():
    page = assert_same("local x = torch.zeros(3)\nlocal y = x:new()\ny:fill(1)\nprint(x:sum())\n")
    assert page is not None
    assert [problem.code for problem in page.reasons] == ["T7-271"]


def test_what_only_tensors_have(tmp_path):
    """A function that nothing calls: what it is given has the methods of tensors, so it is one."""
    source = """local function rows(x, y) return x:size(1), x:nElement() + torch.sum(y) end
print(type(rows))
"""
    page = page_of(source)
    assert "return x.shape[0], x.numel() + y.sum().item()" in page.code


def test_commands_and_what_is_a_tensor(tmp_path):
    source = f"""os.execute('echo here > {tmp_path}/said')
local file = io.open('{tmp_path}/said')
print(file:read('*l'))
file:close()
local x = torch.zeros(2)
print(torch.isTensor(x), torch.isTensor(3))
"""
    code = verified(source, tmp_path)
    assert f'    os.system("echo here > {tmp_path}/said")\n' in code
    assert "torch.is_tensor(x)" in code


def test_packages_of_opencl_are_an_error_where_they_are_loaded(tmp_path):
    source = """local opencl = false
if opencl then
   require 'cltorch'
   require 'clnn'
   cltorch.setDevice(1)
end
print('done')
"""
    code = verified(source, tmp_path)
    assert code.count('raise RuntimeError("PyTorch has no OpenCL")') == 3


def test_a_parameter_that_nobody_gives_is_true_unless_it_is_nil_or_false(tmp_path):
    source = """function copies(list, empty)
   local out = {}
   for k, v in ipairs(list) do
      out[k] = v:clone()
      if empty then out[k]:zero() end
   end
   return out
end
print('made')
"""
    code = verified(source, tmp_path)
    assert "        if empty is not None and empty is not False:\n" in code
    space: dict[str, Any] = {"torch": torch}
    exec(code, space)
    for empty, expected in ((None, 2.0), (False, 2.0), (True, 0.0), (0, 0.0), ("", 0.0)):
        assert space["copies"]([torch.full((1,), 2.0)], empty)[0].item() == expected


def test_what_a_file_gave_is_converted_and_run():
    """A module takes a table as one tuple, and what is asked for its last item is several tensors."""
    source = """require 'nn'
local saved = torch.load('model.t7')
local parts = saved.parts
for name in pairs(parts) do parts[name]:double() end
parts.net:evaluate()
local state = {torch.zeros(1, 3), torch.ones(1, 3)}
local outputs = parts.net:forward{torch.ones(1), unpack(state)}
local kept = {}
for i = 1, 2 do table.insert(kept, outputs[i]) end
local last = outputs[#outputs]
print(#kept, torch.exp(last):sum())
local again = parts.net:forward{unpack(state)}
print(again[#again]:sum())
"""
    code = page_of(source).code
    assert "        parts[name].double()\n" in code
    assert '    outputs = parts["net"]((torch.ones(1), *state))\n' in code
    assert "outputs[i" in code
    assert "    last = outputs[-1]\n" in code
    assert 'parts["net"]((*state,))' in code


def test_what_only_files_progress_bars_and_gpus_are_about(tmp_path):
    source = """require 'rnn'
require 'xlua'
torch.manualSeed(1)
local model = nn.Sequential():add(nn.Linear(3, 2)):add(nn.Tanh())
local log = {best = 10}
log.model = nn.Serial(model)
log.model:mediumSerial()
local best = nn.Sequential()
nn.FastLSTM.usenngraph = true
for i = 1, 3 do
   xlua.progress(i, 3)
   print(model:forward(torch.ones(2, 3)):sum())
   best = model:clone()
   best:clearState()
end
if cutorch then cutorch.synchronize() end
print(best:forward(torch.ones(2, 3)):float():sum() > -10, log.best)
"""
    code = verified(source, tmp_path)
    assert '    log["model"] = model\n' in code
    assert "    if torch.cuda.is_available():\n        torch.cuda.synchronize()\n" in code


def test_a_branch_that_does_nothing_in_python_goes_unless_its_condition_calls_something(tmp_path):
    page = verified(
        "local function seen(i) print('seen ' .. i) return i end\n"
        "for i = 1, 4 do\n"
        "   if i % 2 == 0 then collectgarbage() end\n"
        "   if seen(i) == 2 then collectgarbage() end\n"
        "end\n",
        tmp_path,
    )
    assert "% 2" not in page
    assert "if seen(i) == 2:" in page


def test_a_model_that_begins_with_another_order_looks_up_items(tmp_path):
    source = """require 'rnn'
torch.manualSeed(1)
local lookup = nn.LookupTableMaskZero(5, 3)
lookup.maxOutNorm = -1
local lstm = nn.SeqLSTM(3, 2)
lstm.maskzero = true
local model = nn.Sequential():add(nn.Transpose({1, 2})):add(lookup):add(lstm):add(nn.Select(1, -1))
local gpu = false
local inputs = gpu and torch.CudaTensor() or torch.FloatTensor()
inputs:resize(2, 4):copy(torch.DoubleTensor{{0, 0, 1, 5}, {0, 2, 3, 4}})
print(model:forward(inputs):sum())
inputs:resize(2, 2):copy(torch.DoubleTensor{{0, 0}, {0, 1}})
local outputs = model:forward(inputs)
print(outputs:sum())
"""
    code = verified(source, tmp_path)
    assert "MaskedLSTM(3, 2)" in code
    assert "(inputs.long())" in code


def test_limits_of_a_lookup_table_that_are_used_are_no_matter_of_nothing():
    source = """require 'rnn'
local lookup = nn.LookupTable(5, 3)
lookup.maxOutNorm = 2
lookup:maxParamNorm()
print(lookup:forward(torch.LongTensor{1}):sum())
"""
    assert {problem.code for problem in translate_script(source.encode(), "p.lua").problems} == {"T7-202"}


def test_limits_of_a_lookup_table_go_before_those_of_a_call(tmp_path):
    source = """require 'rnn'
torch.manualSeed(2)
local lookup = nn.LookupTable(5, 3)
lookup.maxOutNorm = 0.7
local net = nn.Sequential():add(lookup):add(nn.Linear(3, 2))
net:maxParamNorm(0.4)
print(net:forward(torch.LongTensor{1, 3}):sum())
"""
    assert ".longest = 0.7" in verified(source, tmp_path)


def test_versions_of_packages_are_no_matter(tmp_path):
    source = """require 'rnn'
assert(nn.NCEModule and nn.NCEModule.version and nn.NCEModule.version >= 4, 'update dpnn')
assert(rnn.version > 1 and (nn.SeqLSTM), 'update rnn')
local size = 3
assert(size >= 3, 'too small')
print(size)
"""
    code = verified(source, tmp_path)
    assert code.count("assert ") == 1
    source = "require 'rnn'\nassert(nn.Unheard, 'update rnn')\n"
    assert translate_script(source.encode(), "p.lua").problems


def test_what_is_on_a_gpu():
    source = """require 'cunn'
require 'cudnn'
cudnn.benchmark, cudnn.fastest = true, true
local net = nn.Sequential():add(nn.Linear(2, 3)):add(cudnn.LogSoftMax())
local model = nn.DataParallelTable(1):add(net, {1}):cuda()
local x, y = torch.CudaTensor(4, 2):fill(1), torch.CudaTensor(4):fill(2)
local w, g = model:getParameters()
print(w:type(), x:getDevice())
local _, best = model:forward(x):max(2)
print(best:cuda():eq(y):sum())
local plain = cudnn.convert(net:clone(), nn):float()
print(x:float():sum())
"""
    page = translate_script(source.encode(), "p.lua")
    assert [str(problem) for problem in page.problems] == []
    for text in (
        "torch.backends.cudnn.benchmark = True\n",
        "torch.empty(4, 2, dtype=torch.float32).cuda().fill_(1)",
        "tensor_type(",
        "x.get_device() + 1",
        "(best.float().cuda() == y.reshape_as(best)).sum()",
        "plain = copy.deepcopy(net).float().cpu()\n",
        "x.float().cpu().sum()",
    ):
        assert text in page.code


@pytest.mark.parametrize(
    ("program", "printed"),
    [
        ("arg[1] = 'x' print(arg[1], #arg) local first = arg[1] or 'none' print(first)", ["x\t1", "x"]),
        ("print(#arg) arg[1] = 5 arg[2] = 'b' print(arg[1] + 1, arg[2])", ["0", "6\tb"]),
        (
            "local function f(...) local arg = {...} arg[1] = 'q' return arg[1] end print(f('z'), #arg)",
            ["q\t0"],
        ),
    ],
)
def test_arguments_that_a_program_gives_itself(program: str, printed: list[str]) -> None:
    page = translate_script(program.encode(), "p.lua")
    assert [str(problem) for problem in page.problems] == []
    assert in_page(page).split("\n") == printed


@pytest.mark.usefixtures("without_objects")
@pytest.mark.parametrize("value", ["arg[i] = 'x'", "arg[1] = nil", "arg[0] = 'x'"])
def test_other_changes_of_the_arguments_are_refused(value: str) -> None:
    page = translate_script(f"for i = 1, 2 do {value} end".encode(), "p.lua")
    assert "T7-303: an assignment into the arguments of the program" in map(str, page.problems)
