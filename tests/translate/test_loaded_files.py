"""Programs that load what Torch7 has written: pages are of the form that a run has shown, and run by themselves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest

import torch7py
from tests.every_class import Use, identify, layer_uses, new_runtime
from tests.golden_cases import assert_close
from tests.inner_runtime import InnerRuntime as Runtime
from tests.together import together
from torch7py.translate.api import Translation, to_pytorch
from torch7py.translate.comparison.loaded_files import forms_of_files
from torch7py.translate.observed import Form

DATA = """
require 'nn'
torch.manualSeed(2)
local d = torch.load('data.t7')
local m = nn.Sequential():add(nn.Linear(3, 2)):add(nn.LogSoftMax())
local crit = nn.ClassNLLCriterion()
for epoch = 1, 2 do
   local loss = 0
   for i = 1, d.data:size(1) do
      local x, y = d.data[i], d.labels[i]
      m:zeroGradParameters()
      loss = loss + crit:forward(m:forward(x), y)
      m:backward(x, crit:backward(m.output, y))
      m:updateParameters(0.1)
   end
   print(d.names[epoch], loss / d.data:size(1))
end
"""
MODEL = """
require 'nn'
local m = torch.load('model.t7')
m:evaluate()
print(m:forward(torch.linspace(-1, 1, 192):view(3, 8, 8)):sum())
for i = 1, #m.modules do print(torch.type(m:get(i))) end
"""
FINETUNED = """
require 'nn'
require 'optim'
torch.manualSeed(2)
local saved = torch.load('saved.t7')
local m = saved.model
m:remove(5)
m:remove(4)
m:add(nn.Linear(4*6*6, 2)):add(nn.LogSoftMax())
local crit = nn.ClassNLLCriterion()
local w, g = m:getParameters()
print(saved.epoch, saved.opt.lr, #saved.losses, w:nElement())
local x, y = torch.linspace(-1, 1, 576):view(3, 3, 8, 8), torch.LongTensor{1, 2, 1}
for it = 1, 3 do
   local f = function(p)
      g:zero()
      local o = m:forward(x)
      local l = crit:forward(o, y)
      m:backward(x, crit:backward(o, y))
      return l, g
   end
   local _, l = optim.sgd(f, w, {learningRate = saved.opt.lr})
   print(it, l[1])
end
"""
# The way of many programs of those years: a table from a file, which gets items by number and a size for a trainer.
TRAINED = """
require 'paths'
require 'nn'
torch.manualSeed(7)
trainset = torch.load('pictures.t7')
testset = torch.load('pictures.t7')
classes = {'cat', 'dog', 'horse'}
print(#trainset.data, classes[trainset.label[4]])
setmetatable(trainset, {__index = function(t, i) return {t.data[i], t.label[i]} end})
trainset.data = trainset.data:double()
function trainset:size() return self.data:size(1) end
mean, stdv = {}, {}
for i = 1, 3 do
   mean[i] = trainset.data[{{}, {i}, {}, {}}]:mean()
   trainset.data[{{}, {i}, {}, {}}]:add(-mean[i])
   stdv[i] = trainset.data[{{}, {i}, {}, {}}]:std()
   trainset.data[{{}, {i}, {}, {}}]:div(stdv[i])
   print('Channel ' .. i .. ', Mean: ' .. mean[i] .. ', Deviation: ' .. stdv[i])
end
net = nn.Sequential()
net:add(nn.SpatialConvolution(3, 4, 3, 3)):add(nn.ReLU()):add(nn.SpatialMaxPooling(2, 2, 2, 2))
net:add(nn.View(4*3*3)):add(nn.Linear(4*3*3, 3)):add(nn.LogSoftMax())
criterion = nn.ClassNLLCriterion()
trainer = nn.StochasticGradient(net, criterion)
trainer.learningRate = 0.01
trainer.maxIteration = 2
trainer:train(trainset)
testset.data = testset.data:double()
correct = 0
for i = 1, testset.data:size(1) do
   local groundtruth = testset.label[i]
   local confidences, indices = torch.sort(net:forward(testset.data[i]), true)
   if groundtruth == indices[1] then correct = correct + 1 end
end
print(correct, 100 * correct / 6 .. ' %')
"""
MADE = """
require 'nn'
torch.manualSeed(1)
local pictures = torch.ByteTensor(6, 3, 8, 8):random(0, 255)
torch.save('pictures.t7', {data = pictures, label = torch.ByteTensor{1, 3, 2, 2, 1, 3}})
torch.save('data.t7', {data = torch.rand(20, 3), labels = torch.ByteTensor(20):random(1, 2), names = {'a', 'b'}})
local m = nn.Sequential():add(nn.SpatialConvolution(3, 4, 3, 3)):add(nn.ReLU(true)):add(nn.View(4*6*6))
m:add(nn.Linear(4*6*6, 5)):add(nn.LogSoftMax())
torch.save('model.t7', m)
torch.save('saved.t7', {model = m, opt = {lr = 0.1, name = 'x'}, epoch = 3, losses = {1, 2.5, 3}})
"""


# Layers of which a file does not tell the constructor's arguments.
WITHOUT = set(
    """
    ccn2.SpatialConvolutionLocal ccn2.SpatialCrossResponseNormalization fbnn.BatchNormalization fbnn.Constant
    fbnn.IndividualDropout fbnn.LeakyReLU fbnn.NormalizedLinearNoBias fbnn.SegSparseLinear fbnn.SparseLinear
    fbnn.SpatialBatchNormalization inn.ConstAffine inn.MeanSubtraction inn.SpatialPyramidPooling nn.Constant nn.Copy
    nn.AddConstant nn.CriterionTable
    nn.DataParallelTable nn.Diag nn.FasterLookup nn.Inception nn.IndexLinear nn.LaplacianOfGaussian
    nn.LayerNormalization nn.LinearNoBackprop nn.ModuleFromCriterion nn.NCEModule nn.Normalize nn.PCAColorTransform
    nn.PReLU nn.Profile nn.Recurrence nn.Reshape nn.SeqBRNN nn.SeqLSTM nn.Sequencer nn.Sequential
    nn.SimpleColorTransform nn.SoftMaxTree nn.SpatialContrastiveNormalization nn.SpatialConvolutionMap
    nn.SpatialDivisiveNormalization nn.SpatialFeatNormalization nn.SpatialFractionalMaxPooling
    nn.SpatialFullConvolutionMap nn.SpatialGlimpse nn.SpatialMaxUnpooling nn.SpatialSubtractiveNormalization
    nn.SpatialUpSamplingBilinear nn.TemporalKMaxPooling nn.UnfoldedTemporalConvolution nn.UpSampling nn.View
    nn.VolumetricFractionalMaxPooling nn.VolumetricMaxUnpooling nn.WeightedLookupTable nn.gModule
    """.split()
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    with Runtime() as runtime:
        runtime.execute(MADE)
    return tmp_path


def verified(folder: Path, source: str) -> Translation:
    (folder / "p.lua").write_text(source)
    translation = to_pytorch(folder / "p.lua")
    assert translation.report.verified is not None, translation.report
    assert translation.report.verified.equal, translation.report.verified
    return translation


@pytest.mark.parametrize("source", [DATA, MODEL], ids=["data", "model"])
def test_such_a_program_is_verified_and_its_page_reads_the_file_itself(folder: Path, source: str) -> None:
    translation = verified(folder, source)
    for name, code in {"p.py": translation.code, **translation.modules}.items():
        (folder / name).write_text(code)
    done = subprocess.run([sys.executable, "p.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_is_known_of_the_file_makes_the_page_idiomatic(folder: Path) -> None:
    for source in (DATA, FINETUNED):
        page = verified(folder, source).page
        assert page is not None
        assert page.native == page.statements


def test_a_table_from_a_file_that_gives_items_by_number(folder: Path) -> None:
    page = verified(folder, TRAINED).page
    assert page is not None
    assert (page.statements - page.native, page.plain_calls) == (0, 0)


READ = """
require 'nn'
require 'hdf5'
local cjson = require 'cjson'
local f = hdf5.open('data.h5', 'r')
local x, y = f:read('/x'):all(), f:read('/y'):all()
f:close()
local file = io.open('data.json', 'r')
local json = cjson.decode(file:read('*a'))
file:close()
local words = {}
for k, v in pairs(json.words) do words[tonumber(k)] = v end
print(words[3], #json.names, json.rate)
local m = nn.Sequential():add(nn.Linear(5, 3)):add(nn.LogSoftMax())
local crit = nn.ClassNLLCriterion()
for i = 1, x:size(1) do
   m:zeroGradParameters()
   print(words[y[i]], crit:forward(m:forward(x[i]), y[i]))
   m:backward(x[i], crit:backward(m.output, y[i]))
   m:updateParameters(json.rate)
end
"""


def test_what_hdf5_and_json_give_is_known_from_the_run(folder: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "data.h5", "w") as file:
        file["x"], file["y"] = numpy.linspace(-1, 1, 20).reshape(4, 5), [1, 3, 2, 3]
    (folder / "data.json").write_text(
        '{"words": {"1": "a", "2": "b", "3": "c"}, "names": ["q", "r"], "rate": 0.5}'
    )
    page = verified(folder, READ).page
    assert page is not None
    assert page.native == page.statements


def test_a_model_under_a_name_that_is_a_word_of_lua(folder: Path) -> None:
    with Runtime() as runtime:
        runtime.execute(
            "require 'nn' torch.save('w.t7', {['end'] = nn.Linear(2, 1), inner = {['do'] = nn.Linear(2, 1)}})"
        )
    source = """
require 'nn'
local saved = torch.load('w.t7')
print(saved['end']:forward(torch.ones(2))[1], saved.inner['do']:forward(torch.ones(2))[1])
"""
    assert "Torch7Object" not in verified(folder, source).code


def test_names_that_are_no_identifiers_are_keys(folder: Path) -> None:
    torch7py.save({"the": 1, "a cat's": 2}, folder / "words.t7")
    torch7py.save({f"w{n}": n for n in range(50)}, folder / "more.t7")
    loads = [("p.lua:1", str(folder / "words.t7")), ("p.lua:2", str(folder / "more.t7"))]
    vocabulary = Form("table", element=Form("number"), keys=True)
    assert forms_of_files(loads) == {"p.lua:1": vocabulary, "p.lua:2": vocabulary}


def test_a_file_that_the_program_saves_itself_is_pytorchs(folder: Path) -> None:
    source = "require 'torch' torch.save('own.t7', {x = 3}) local d = torch.load('own.t7') print(d.x)"
    assert "lua_compat" not in verified(folder, source).code


def test_forms_are_of_kinds_and_not_of_sizes(folder: Path) -> None:
    seen = forms_of_files([("p.lua:1", str(folder / "data.t7")), ("p.lua:2", str(folder / "nothing.t7"))])
    assert seen == {
        "p.lua:1": Form(
            "table",
            fields={
                "data": Form("tensor", 2, "Double"),
                "labels": Form("tensor", 1, "Byte"),
                "names": Form("table", element=Form("string")),
            },
        )
    }
    torch7py.save([1, "a"], folder / "mixed.t7")
    mixed = forms_of_files([("p.lua:1", str(folder / "mixed.t7"))])
    assert mixed == {"p.lua:1": Form("table", element=Form())}
    both = [("p.lua:1", str(folder / "mixed.t7")), ("p.lua:1", str(folder / "data.t7"))]
    assert forms_of_files(both) == {"p.lua:1": Form()}


@pytest.fixture(scope="module")
def with_nn() -> Iterator[Runtime]:
    found = new_runtime()
    yield found
    found.close()


# Whose constructors take a table of names, and whose parameters() are not those of the layer within.
OTHERS = {"nn.SpatialReSampling", "nn.SpatialReSamplingEx", "nn.SpatialClassifier"}


def gives_the_same(runtime: Runtime, use: Use) -> None:
    use.make(runtime)
    runtime.execute("torch.save('m.t7', m)")
    constructor = forms_of_files([("p.lua:1", "m.t7")])["p.lua:1"].constructor
    if not constructor or use.name in OTHERS:
        assert use.name in WITHOUT | OTHERS, use.expr
        return
    runtime.globals["x"] = use.input(runtime)
    runtime.execute(
        f"""
        a, b = torch.load('m.t7'), {constructor}
        local theirs, ours = a:parameters(), b:parameters()
        for i = 1, #(theirs or {{}}) do ours[i]:copy(theirs[i]) end
        a:evaluate() b:type(a:type()) b:evaluate()
        torch.manualSeed(1) one = a:forward(x)
        torch.manualSeed(1) other = b:forward(x)
        """
    )
    assert_close(runtime.globals["one"], runtime.globals["other"], 1e-14, constructor)


@together("use", layer_uses()[::8], identify)
def test_a_constructor_makes_what_the_file_holds(with_nn: Runtime, folder: Path, use: Use) -> None:
    """Such a model, with the weights of the file, gives what the saved one gives."""
    gives_the_same(with_nn, use)


@pytest.mark.slow
@together("use", layer_uses(), identify)
def test_every_constructor_makes_what_the_file_holds(with_nn: Runtime, folder: Path, use: Use) -> None:
    gives_the_same(with_nn, use)


def test_a_file_whose_model_is_a_graph_is_said_to_be_the_cause(folder: Path) -> None:
    with Runtime() as runtime:
        runtime.execute(
            "require 'nngraph' local x = nn.Identity()() torch.save('g.t7', nn.gModule({x}, {nn.Linear(2, 2)(x)}))"
        )
    (folder / "p.lua").write_text(
        "require 'nngraph' local m = torch.load('g.t7') print(m:forward(torch.ones(2)):sum())"
    )
    verification = to_pytorch(folder / "p.lua").report.verified
    assert verification is not None
    assert "nn.gModule from a file, which no class of the page is made from" in verification.difference
