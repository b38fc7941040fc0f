"""The simulated GPU that a comparison gives a page: where its tensors are, and what it refuses."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from torch7py.translate.comparison.simulated_gpu import changes
from torch7py.translate.native.device_transfer import read_as_methods
from torch7py.translate.native.program import translate_script
from torch7py.translate.parse import parse
from torch7py.translate.patching import patched
from torch7py.translate.verify import Different
from torch7py.translate.verify_script import verify_script


@pytest.fixture
def gpu() -> Iterator[None]:
    with patched(changes(True)):
        yield


def test_where_tensors_are(gpu: None) -> None:
    x = torch.ones(2, 3)
    on_gpu = x.float().cuda()
    assert not x.is_cuda
    assert on_gpu.is_cuda
    assert (on_gpu * 2).t().is_cuda
    assert not on_gpu.cpu().is_cuda
    assert on_gpu.cuda() is on_gpu
    assert on_gpu.get_device() == 0
    assert (x.type(), on_gpu.type(), on_gpu.max(1).indices.is_cuda) == (
        "torch.FloatTensor",
        "torch.cuda.FloatTensor",
        True,
    )
    on_gpu[0] = x[1]  # copies come from anywhere
    on_gpu.add_(1)
    assert x.sum() == 6
    assert on_gpu.cpu().sum() == 12
    with pytest.raises(RuntimeError, match="same device"):
        on_gpu + x
    assert (on_gpu + torch.tensor(1.0)).is_cuda  # a number may be anywhere


def test_modules_move_in_place(gpu: None) -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    weights = list(model.parameters())
    assert model.cuda() is model
    assert all(a is b for a, b in zip(weights, model.parameters(), strict=True))
    assert all(isinstance(p, nn.Parameter) and p.is_cuda for p in weights)
    assert model[1].running_mean.is_cuda
    with pytest.raises(RuntimeError, match="same device"):
        model(torch.ones(4, 3))
    nn.DataParallel(model)(torch.ones(4, 3).cuda()).sum().backward()
    assert weights[0].grad is not None
    assert weights[0].grad.is_cuda
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    plain = copy.deepcopy(model).cpu()
    assert not any(p.is_cuda for p in plain.parameters())
    assert weights[0].is_cuda
    assert torch.isfinite(plain(torch.ones(4, 3))).all()


PROGRAM = """require 'cunn'
torch.manualSeed(1)
local model = nn.Sequential():add(nn.Linear(3, 2)):add(nn.Tanh()):cuda()
local criterion = nn.MSECriterion():cuda()
local x, y = torch.randn(4, 3), torch.randn(4, 2)
for i = 1, 3 do
   local output = model:forward(x:cuda())
   local loss = criterion:forward(output, y:cuda())
   model:zeroGradParameters()
   model:backward(x:cuda(), criterion:backward(output, y:cuda()))
   model:updateParameters(0.1)
   print(i, loss)
end
"""


def test_a_tensor_left_behind(tmp_path: Path) -> None:
    """A page that forgets to move something is not the same, although all is in one memory here."""
    path = tmp_path / "main.lua"
    path.write_text(PROGRAM)
    page = translate_script(PROGRAM.encode(), str(path))
    assert verify_script(page, path).lines == 3
    assert ", y.float().cuda())" in page.code
    page.code = page.code.replace(", y.float().cuda())", ", y.float())")
    with pytest.raises(Different, match="same device"):
        verify_script(page, path)


def test_no_gpu_where_the_original_has_none() -> None:
    with patched(changes(False)):
        assert not torch.cuda.is_available()


SHARED_OUT = """require 'cunn'
require 'cudnn'
require 'optim'
torch.setdefaulttensortype 'torch.FloatTensor'
torch.manualSeed(3)
local function spread(net, cards)
   if cards > 1 then
      local one = net
      net = nn.DataParallelTable(1)
      for i = 1, cards do
         cutorch.setDevice(i)
         net:add(one:clone():cuda(), i)
      end
      cutorch.setDevice(1)
   end
   return net
end
local net = nn.Sequential():add(cudnn.SpatialConvolution(1, 2, 3, 3)):add(nn.SpatialBatchNormalization(2))
net:add(cudnn.ReLU(true)):add(nn.View(2 * 2 * 2)):add(nn.Linear(2 * 2 * 2, 2)):add(cudnn.LogSoftMax())
net = spread(net, cutorch.getDeviceCount()):cuda()
local criterion = nn.ClassNLLCriterion():cuda()
local x, y = torch.randn(6, 1, 4, 4), torch.Tensor {1, 2, 1, 2, 1, 2}
local inputs, targets = torch.CudaTensor(), torch.CudaTensor()
local weights, gradients = net:getParameters()
local state = {learningRate = 0.1, momentum = 0.9}
local loss
for step = 1, 3 do
   inputs:resize(6, 1, 4, 4):copy(x)
   targets:resize(6):copy(y)
   optim.sgd(function()
      gradients:zero()
      local output = net:forward(inputs)
      loss = criterion:forward(output, targets)
      net:backward(inputs, criterion:backward(output, targets))
      return loss, gradients
   end, weights, state)
   print(step, loss)
end
"""


def test_layers_of_cudnn_and_a_copy_for_each_gpu(tmp_path: Path) -> None:
    path = tmp_path / "main.lua"
    path.write_text(SHARED_OUT)
    page = translate_script(path.read_bytes(), str(path))
    assert [str(problem) for problem in page.problems] == []
    assert "net = nn.DataParallel(one, list(range(cards)))\n" in page.code
    comparison = verify_script(page, path)
    assert comparison.lines == 3
    assert comparison.layers >= 6


PARALLEL = """require 'cunn'
require 'cudnn'
local cmd = torch.CmdLine()
cmd:option('-cards', 1, 'how many')
cmd:option('-precision', 'single', 'single | double')
local opt = cmd:parse(arg)
if opt.precision == 'double' then opt.kind = 'torch.CudaDoubleTensor' else opt.kind = 'torch.CudaTensor' end
torch.manualSeed(2)
local net = nn.Sequential():add(nn.Linear(3, 2)):add(nn.Tanh())
if opt.cards > 0 then
   local fastest = cudnn.fastest
   local table = nn.DataParallelTable(1)
      :add(net, torch.range(1, opt.cards):totable())
      :threads(function()
         local cudnn = require 'cudnn'
         cudnn.fastest = fastest
      end)
   table.gradInput = nil
   net = table:type(opt.kind)
end
net:apply(function(m) if m.setMode then m:setMode(1, 1, 1) end end)
local x = torch.randn(4, 3):type(opt.kind)
print(net:forward(x):sum())
if torch.type(net) == 'nn.DataParallelTable' then
   net = net:get(1)
end
print(net:get(1).weight:size(1), net:forward(x):sum())
local labels = torch.CudaLongTensor and torch.CudaLongTensor()
labels:resize(4):copy(torch.IntTensor {2, 1, 2, 2})
local buffer = opt.cards < 2 and torch[opt.kind:match('torch.(%a+)')]() or cutorch.createCudaHostTensor()
buffer:resize(4, 2):copy(net:forward(x))
local criterion = nn.CrossEntropyCriterion():type(opt.kind)
print(('%.4f'):format(criterion:forward(buffer, labels)), labels:sum(), torch.CudaDoubleTensor(2):fill(3):sum())
print(labels:type('torch.CudaDoubleTensor'):mean())
"""


def test_types_by_name_on_a_gpu(tmp_path: Path) -> None:
    script = tmp_path / "cards.lua"
    script.write_text(PARALLEL)
    page = translate_script(script.read_bytes(), str(script))
    assert [str(problem) for problem in page.problems] == []
    for line in (
        "torch.backends.cudnn.deterministic = True\n",
        "    if isinstance(net, nn.DataParallel):\n        net = net.module\n",
        "x = as_type(torch.randn(4, 3), opt.kind)\n",
    ):
        assert line in page.code
    assert "fastest" not in page.code
    for arguments in ([], ["-precision", "double"]):
        assert verify_script(page, script, arguments).largest < 1e-6


@pytest.mark.parametrize(
    "given",
    [
        "opt.kind = arg[1]",
        "opt.kind = 'torch.' .. opt.precision .. 'Tensor'",
        "opt.kind = opt.precision == 'whole' and 'torch.LongTensor' or 'torch.FloatTensor'",
        "opt[arg[1]] = 'torch.LongTensor'",
    ],
)
def test_a_type_whose_name_is_not_known(given: str) -> None:
    source = PARALLEL.replace("torch.manualSeed(2)", given)
    page = translate_script(source.encode(), "cards.lua")
    assert any(problem.code in ("T7-271", "T7-202", "T7-303") for problem in (*page.problems, *page.reasons))


@pytest.mark.parametrize(
    "body",
    [
        "if opt.gpu then return x:cuda() end",  # gives nothing else
        "if x then return x:cuda() else return x:float() end",
        "if opt.gpu then print(1) return x:cuda() else return x end",
        "return x:type(opt.kind(x))",
    ],
)
def test_functions_that_do_more_than_convert(body: str) -> None:
    """They are functions like others, and not read as methods."""
    found = read_as_methods(
        parse(f"local function place(x) {body} end\nplace(y)\n".encode(), "place.lua"), True
    )
    assert (found.conversions, found.conditions) == ({}, {})


OBJECTS = """
require 'nn'
require 'cunn'
torch.manualSeed(1)
local inner = nn.Sequential():add(nn.Linear(4, 3)):add(nn.Tanh())
local dpt = nn.DataParallelTable(1, true, true):add(inner, {1}):threads(function() require 'cudnn' end)
dpt.gradInput = nil
dpt.mine = 'x'
local net = nn.Sequential():add(dpt):add(nn.Linear(3, 2)):cuda()
local x = torch.ones(2, 4):cuda()
print(net:forward(x):sum(), torch.type(net:get(1)), dpt.mine)
net:backward(x, torch.ones(2, 2):cuda())
for i, m in ipairs(net.modules) do
   if torch.type(m) == 'nn.DataParallelTable' then print(m:get(1):get(1).weight:sum(), #m.modules) end
end
local w, g = net:getParameters()
print(g:sum())
"""


def test_a_batch_for_several_gpus_whose_modules_are_objects(tmp_path: Path) -> None:
    script = tmp_path / "objects.lua"
    script.write_text(OBJECTS)
    page = translate_script(script.read_bytes(), str(script))
    assert [str(problem) for problem in page.problems] == []
    assert "lua_compat.DataParallelTable(1, True, True)" in page.code
    assert verify_script(page, script).largest < 1e-6


SAVED = """require 'nn'
require 'cunn'
torch.manualSeed(1)
local opt = {GPU = 1}
local function clean(module)
   local new = nn.DataParallelTable(1)
   cutorch.setDevice(opt.GPU)
   new:add(module:get(1), opt.GPU)
   return new
end
local function save(name, model)
   if torch.type(model) == 'nn.DataParallelTable' then
      torch.save(name, clean(model))
   elseif torch.type(model) == 'nn.Sequential' then
      local saved = nn.Sequential()
      for i, module in ipairs(model.modules) do
         if torch.type(module) == 'nn.DataParallelTable' then
            saved:add(clean(module))
         else
            saved:add(module)
         end
      end
      torch.save(name, saved)
   end
end
local function load(name)
   local model = torch.load(name)
   if torch.type(model) == 'nn.DataParallelTable' then
      return model:get(1)
   elseif torch.type(model) == 'nn.Sequential' then
      for i, module in ipairs(model.modules) do
         if torch.type(module) == 'nn.DataParallelTable' then model.modules[i] = module:get(1) end
      end
      return model
   end
end
local features = nn.DataParallelTable(1):add(nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()), {1})
local model = nn.Sequential():add(features):add(nn.Linear(4, 2)):cuda()
local x = torch.ones(2, 3):cuda()
print(model:forward(x):sum())
save('model.t7', model)
print(load('model.t7'):forward(x):sum())
"""


def test_models_that_are_saved_with_one_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "saved.lua"
    script.write_text(SAVED)
    page = translate_script(script.read_bytes(), str(script))
    assert [str(problem) for problem in (*page.problems, *page.reasons)] == []
    assert 'new = nn.DataParallel(module.module, [opt["GPU"] - 1])' in page.code
    assert "model[i] = module.module" in page.code
    assert verify_script(page, script).largest < 1e-6
