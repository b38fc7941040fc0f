"""cutorch on the CPU: CUDA types as types of their own, beside tensors that know nothing of them."""

from __future__ import annotations

import copy
import gc
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.ops import types
from torch7py.ops.dispatch.kinds import Kind, is_storage, is_tensor
from torch7py.ops.errors import TorchError

NAMES = ["Cuda"] + [f"Cuda{t.name}" for t in types.NUMBER_TYPES if t.name != "Float"]


@pytest.fixture
def cuda() -> Iterator[Runtime]:
    """A runtime with cutorch on the CPU, and a DoubleTensor x, a FloatTensor f and a CudaTensor z of six numbers."""
    runtime = Runtime(cuda_as="cpu", seed=1)
    runtime.execute("require 'cutorch' x = torch.range(1, 6):resize(2, 3) f = x:float() z = x:cuda()")
    yield runtime
    runtime.close()


def types_of(runtime: Runtime, *expressions: str) -> list[str]:
    return [runtime.execute(f"return torch.type({e})").removeprefix("torch.") for e in expressions]


# -- types ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_type(cuda: Runtime, name: str) -> None:
    method = name[0].lower() + name[1:]
    cuda.execute(f"y = x:{method}() s = y:storage() e = torch.{name}Tensor() l = torch.{name}Tensor{{1, 2}}")
    assert types_of(cuda, "y", "e", "l", "y:clone()", "e.new()", "s", f"torch.{name}Storage(2)") == [
        *[f"{name}Tensor"] * 5,
        *[f"{name}Storage"] * 2,
    ]
    assert cuda.execute(f"return y:type() == 'torch.{name}Tensor', y:double():equal(x)") == (True, True)
    assert cuda.execute(
        f"return torch.isTensor(y), torch.isStorage(s), torch.typename(y) == 'torch.{name}Tensor'"
    ) == (
        True,
        True,
        True,
    )
    assert cuda.execute(f"return x:type('torch.{name}Tensor'):type()") == f"torch.{name}Tensor"
    number_type = types.BY_NAME[name]
    assert cuda.globals["y"].dtype == number_type.dtype == number_type.host.dtype
    assert number_type.host.cuda is number_type
    assert copy.deepcopy(number_type) is pickle.loads(pickle.dumps(number_type)) is number_type


def test_kinds() -> None:
    for t in types.CUDA_TYPES:
        assert is_tensor(Kind.TENSOR + t.code)
        assert is_storage(Kind.STORAGE + t.code)
    assert not any(is_tensor(kind) or is_storage(kind) for kind in Kind if kind > Kind.STORAGE)


def test_conversion_copies(cuda: Runtime) -> None:
    assert cuda.execute("f:fill(0) z[1][1] = 9 return x[1][1], z[1][1], z[2][3], f:cuda():sum()") == (
        1,
        9,
        6,
        0,
    )
    assert cuda.execute(
        "local g = z:float() g:fill(0) return z:sum() == 29, z:cuda() == z, rawequal(z:cuda(), z)"
    ) == (
        True,
        True,
        True,
    )


def test_there_and_back(cuda: Runtime) -> None:
    assert types_of(
        cuda, "z:float()", "z:double()", "z:long()", "z:typeAs(f)", "f:typeAs(z)", "z:cudaLong():cuda()"
    ) == [
        "FloatTensor",
        "DoubleTensor",
        "LongTensor",
        "FloatTensor",
        "CudaTensor",
        "CudaTensor",
    ]
    assert cuda.execute("return z:double():equal(x), z:t():double():equal(x:t())") == (True, True)


def test_printed(cuda: Runtime) -> None:
    assert cuda.execute("return tostring(z)") == " 1  2  3\n 4  5  6\n[torch.CudaTensor of size 2x3]\n"
    assert cuda.execute("return tostring(torch.CudaTensor())") == "[torch.CudaTensor with no dimension]\n"
    assert (
        cuda.execute("return tostring(torch.CudaStorage(2):fill(7))")
        == " 7\n 7\n[torch.CudaStorage of size 2]\n"
    )


def test_results_are_of_the_same_sort(cuda: Runtime) -> None:
    results = """z+z|z-1|2*z|z/2|-z|z:clone()|z:t()|z[1]|z[{{},1}]|z:narrow(1,1,1)|z:select(2,1)|z:view(6)|z:sum(1)
        torch.add(z,z)|torch.exp(z)|torch.cat(z,z)|z:index(2,torch.LongTensor{1})|z:split(1,1)[1]|z:chunk(2,1)[2]
        torch.mm(z,z:t())|z:expandAs(z)|z:repeatTensor(2,1)|z:unfold(1,1,1)|z[z:gt(2)]|z:new(3)|z:contiguous()
        z:reshape(3,2)|z:mean(2)|z:norm(2,1)|torch.CudaTensor(z)|z:new(z:storage(),1,2)|z:resize(3,2)|z:cumsum(1)"""
    for each in re.split(r"[|\n]", results):
        assert types_of(cuda, each) == ["CudaTensor"], each
    assert types_of(
        cuda, "z:gt(2)", "z:eq(z)", "select(2, z:max(1))", "select(2, z:sort(1))", "z:nonzero()"
    ) == [
        *["CudaByteTensor"] * 2,
        *["CudaLongTensor"] * 3,
    ]
    assert types_of(cuda, "z:size()", "z:stride()", "x + 1", "f:gt(2)", "x:t()", "torch.zeros(2)") == [
        *["LongStorage"] * 2,
        "DoubleTensor",
        "ByteTensor",
        "DoubleTensor",
        "DoubleTensor",
    ]


def test_the_numbers_are_those_of_floats(cuda: Runtime) -> None:
    cuda.execute(
        "torch.manualSeed(1) a = torch.randn(20, 30):float() b = torch.randn(30, 20):float() c, d = a:cuda(), b:cuda()"
    )
    for each in ("torch.mm(%s, %s)", "(%s + %s:t()):tanh():cumsum(1)", "torch.cdiv(%s, %s:t() * 3)"):
        same = f"return ({each % ('c', 'd')}):float():equal({each % ('a', 'b')})"
        assert cuda.execute(same), each


@pytest.mark.parametrize(
    "code",
    [
        "z + f",
        "x + z",
        "z:add(f)",
        "f:cmul(z)",
        "torch.mm(z, f:t())",
        "torch.add(f, z, z)",
        "z:cmul(z:cudaDouble())",
        "f[z:gt(2)] = 1",
        "f:index(2, torch.CudaLongTensor{1})",
        "torch.cat(z, f)",
        "z:set(f)",
        "torch.CudaTensor(f)",
        "z:dot(f)",
    ],
)
def test_operands_of_both_sorts_are_an_error(cuda: Runtime, code: str) -> None:
    with pytest.raises(LuaError, match=r"^gpu\.lua:1: [^\n]*Cuda[^\n]*$"):
        cuda.execute(code if "=" in code else f"local made = {code}", "=gpu.lua")
    assert cuda.execute("return z:float():equal(f), f:sum()") == (True, 21)


def test_copies_may_mix(cuda: Runtime) -> None:
    assert cuda.execute("z:zero():copy(x) return z:sum()") == 21
    assert cuda.execute("f:zero():copy(z * 2) return f:sum()") == 42
    assert cuda.execute("z:copyAsync(f) x:copyAsync(z) return z:sum(), x:sum()") == (42, 42)
    assert cuda.execute("z[1] = f[2] z[{{}, 1}] = 0 return z:sum(), torch.type(z[1])") == (
        2 * (10 + 12),
        "torch.CudaTensor",
    )


def test_indices_and_masks(cuda: Runtime) -> None:
    for index in ("torch.LongTensor{3, 1}", "torch.CudaLongTensor{3, 1}", "torch.CudaTensor{3, 1}"):
        assert cuda.execute(
            f"return z:index(2, {index}):double():equal(x:index(2, torch.LongTensor{{3, 1}}))"
        ), index
    for mask in ("z:gt(4)", "x:gt(4)", "z:gt(4):cuda()"):
        assert cuda.execute(f"return z[{mask}]:sum(), torch.type(z[{mask}])") == (11, "torch.CudaTensor"), (
            mask
        )
    assert cuda.execute("z:maskedFill(z:gt(4), 0) return z:sum(), z:gt(4):any(), z:ge(0):all()") == (
        10,
        False,
        True,
    )
    assert cuda.execute("return z:gather(2, torch.CudaLongTensor{{2}, {1}}):sum()") == 6


def test_default_type(cuda: Runtime) -> None:
    cuda.execute("old = torch.zeros(1) torch.setdefaulttensortype('torch.CudaTensor')")
    made = "Tensor(2) zeros(2) ones(2) rand(2) randn(2) range(1,2) eye(2) randperm(3) linspace(0,1) Tensor() Tensor{1}"
    calls = [f"torch.{call}" for call in made.split()]
    for each in calls:
        assert types_of(cuda, each) == ["CudaTensor"], each
    assert types_of(
        cuda, "torch.Storage(2)", "torch.FloatTensor(2)", "torch.getRNGState()", "torch.zeros(f, 2)", "old"
    ) == [
        "CudaStorage",
        "FloatTensor",
        "ByteTensor",
        "FloatTensor",
        "DoubleTensor",
    ]
    assert (
        cuda.execute("return torch.getdefaulttensortype(), torch.type(f:real())") == ("torch.CudaTensor",) * 2
    )
    cuda.execute("torch.setdefaulttensortype('torch.DoubleTensor')")
    assert types_of(cuda, *calls) == ["DoubleTensor"] * len(calls)


def test_elements(cuda: Runtime) -> None:
    assert cuda.execute("z[2][3] = 7.25 z[{1, 1}] = -1 return z[2][3], z[{1, 1}], z:totable()[2][3]") == (
        7.25,
        -1,
        7.25,
    )
    assert cuda.execute(
        "z:apply(function(v) return 2 end) local m = z:clone():map(z, function(a, b) return a + b end)"
        " return z:sum(), m:sum(), torch.type(m)"
    ) == (12, 24, "torch.CudaTensor")
    assert cuda.execute("return z:size(1), z:dim(), z:nElement(), #z:size(), z:stride(1)") == (2, 2, 6, 2, 3)
    assert cuda.execute(
        "local s = z:storage() s[1] = 5 return s[1], z[1][1], s:size(), z:storage() == s"
    ) == (5, 5, 6, True)


def test_methods_added_by_a_program(cuda: Runtime) -> None:
    cuda.execute("local mt = torch.getmetatable('torch.CudaTensor') function mt:twice() return self * 2 end")
    assert cuda.execute("return z:twice():sum(), torch.CudaTensor.twice(z):sum(), f.twice") == (42, 42, None)


def test_one_userdata_stands_for_a_tensor(cuda: Runtime) -> None:
    assert cuda.execute(
        "local t = {[z] = 1} return t[z:add(0)], rawequal(z:zero(), z), z == z:resize(6)"
    ) == (1, True, True)


def test_tensors_are_released(cuda: Runtime) -> None:
    cuda.execute("collectgarbage() collectgarbage()")
    before = len(cuda.handles)
    cuda.execute(
        "for i = 1, 500 do local y = z + i; local v = y[1]; local w = y:gt(2) end"
        " for i = 1, 3 do collectgarbage() end y = z + 1"  # a view, then what it is of, then what they leave
    )
    gc.collect()
    assert len(cuda.handles) < before + 210  # a batch may wait


# -- without cutorch -----------------------------------------------------------------------------------------


def test_nothing_of_it_before_it_is_required(runtime: Runtime) -> None:
    runtime.execute("x = torch.zeros(2)")
    assert runtime.execute("return torch.CudaTensor, x.cuda, x.getDevice, cutorch") == (None,) * 4
    for code in ("x:type('torch.CudaTensor')", "require 'nn' nn.Linear(2, 2):cuda()"):
        with pytest.raises(LuaError, match=r"^t\.lua:1: .*torch\.CudaTensor before cutorch is required$"):
            runtime.execute(code, "=t.lua")


def test_the_line_that_asks_is_told_how(runtime: Runtime) -> None:
    with pytest.raises(LuaError, match=r"^t\.lua:2: .*--device cuda.*--cuda-as cpu"):
        runtime.execute("\nrequire 'cunn'", "=t.lua")
    assert runtime.execute("return pcall(require, 'cutorch')")[0] is False
    assert runtime.execute("return package.loaded.cutorch, package.loaded.cunn") == (None, None)


def test_options_that_exclude_each_other() -> None:
    with pytest.raises(TorchError, match="cuda_as"):
        Runtime(cuda_as="gpu")


# -- devices, streams, seeds ---------------------------------------------------------------------------------


def test_one_device(cuda: Runtime) -> None:
    assert cuda.execute("cutorch.setDevice(1) return cutorch.getDevice(), cutorch.getDeviceCount()") == (1, 1)
    assert cuda.execute("return z:getDevice(), torch.CudaTensor():getDevice(), z:storage():getDevice()") == (
        1,
        0,
        1,
    )
    for code, said in (
        ("cutorch.setDevice(0)", "devices count from 1, 0 is none"),
        ("cutorch.setDevice(1.5)", "devices count from 1, 1.5 is none"),
        ("cutorch.getDeviceProperties(3)", "there is no device 3 here, only 1"),
    ):
        with pytest.raises(LuaError, match=rf"^t\.lua:1: cutorch\.\w+: {re.escape(said)}$"):
            cuda.execute(code, "=t.lua")
    free, total = cuda.execute("return cutorch.getMemoryUsage()")
    assert 0 < free <= total
    found = cuda.execute(
        "cutorch.synchronize() cutorch.synchronizeAll() return cutorch.getDeviceProperties(1)"
    )
    assert found["totalGlobalMem"] == total
    assert found["multiProcessorCount"] >= 1
    assert isinstance(found["name"], str)


def test_the_cpu_stands_in_for_the_device_that_is_named(cuda: Runtime) -> None:
    assert (
        cuda.execute("""
        cutorch.setDevice(7)
        local x = torch.CudaTensor(2):fill(3)
        assert(cutorch.getDevice() == 7 and x:getDevice() == 7 and cutorch.getDeviceCount() == 1)
        assert(cutorch.getMemoryUsage(7) > 0 and cutorch.getDeviceProperties(7).totalGlobalMem > 0)
        assert(cutorch.withDevice(2, function() return cutorch.getDevice() end) == 2 and cutorch.getDevice() == 7)
        cutorch.setDevice(1)
        return x:sum() + cutorch.getDevice()
    """)
        == 7
    )


def test_with_device(cuda: Runtime) -> None:
    assert cuda.execute("return cutorch.withDevice(1, function() return 7, nil, 8 end)") == (7, None, 8)
    assert cuda.execute("return pcall(cutorch.withDevice, 1, function() error({}) end)")[0] is False
    message = cuda.execute("local ok, err = pcall(cutorch.withDevice, 1, 3) return err", "=with.lua")
    assert message == "with.lua:1: attempt to call upvalue 'f' (a number value)"


def test_streams_and_handles(cuda: Runtime) -> None:
    cuda.execute(
        "cutorch.reserveStreams(3) cutorch.setStream(2) cutorch.streamWaitFor(2, {1}) cutorch.streamBarrier{1, 2}"
        " cutorch.reserveBlasHandles(2) cutorch.setBlasHandle(2) cutorch.Event():record()"
    )
    assert cuda.execute("return cutorch.getNumStreams(), cutorch.getStream(), cutorch.getBlasHandle()") == (
        3,
        2,
        2,
    )
    assert cuda.execute("cutorch.setDefaultStream() return cutorch.getStream()") == 0
    with pytest.raises(LuaError, match="stream 4 of 3"):
        cuda.execute("cutorch.setStream(4)")


def test_seeds(cuda: Runtime) -> None:
    cuda.execute(
        "torch.manualSeed(5) first = torch.rand(3) torch.manualSeed(5) cutorch.manualSeed(9) a = z:clone():uniform()"
    )
    assert cuda.execute("return torch.rand(3):equal(first)"), "cutorch took from torch's stream"
    assert cuda.execute(
        "cutorch.manualSeedAll(9) return z:clone():uniform():equal(a), cutorch.initialSeed()"
    ) == (True, 9)
    assert not cuda.execute("return z:clone():uniform():equal(a)")
    cuda.execute("s = cutorch.getRNGState() b = z:clone():normal() cutorch.setRNGState(s)")
    assert cuda.execute("return z:clone():normal():equal(b), torch.type(s), cutorch.initialSeed()") == (
        True,
        "torch.ByteTensor",
        9,
    )
    assert cuda.execute("local n = cutorch.seed() return n == cutorch.initialSeed(), n ~= 9") == (True, True)


def test_the_alias_method(cuda: Runtime) -> None:
    """cutorch's table counts categories from 0, what is drawn from 1."""
    alias, drawn = cuda.execute(
        """
        local state = torch.multinomialAliasSetup(torch.CudaTensor{0.5, 0.125, 0.375})
        local drawn = torch.CudaLongTensor(2000)
        torch.multinomialAlias(drawn, state)
        return state[1], drawn
        """
    )
    assert alias.min() == 0  # the first takes what the second leaves of its third
    assert alias.max() < 3
    share = drawn.bincount(minlength=4) / 2000
    assert share[0] == 0
    torch.testing.assert_close(
        share[1:].double(), torch.tensor([0.5, 0.125, 0.375]).double(), rtol=0, atol=0.05
    )


def test_memory_of_the_host(cuda: Runtime) -> None:
    found = cuda.execute(
        "local t = cutorch.createCudaHostTensor() return t:storage() ~= nil, t:nElement(), torch.type(t)"
    )
    assert found == (True, 0, "torch.FloatTensor")


def test_the_streams_of_one_seed_differ(cuda: Runtime) -> None:
    cuda.execute(
        "torch.manualSeed(7) cutorch.manualSeed(7)"
        " a, b = torch.FloatTensor(50):uniform(), torch.CudaTensor(50):uniform()"
    )
    assert not cuda.execute("return a:equal(b:float())")


def test_random_layers_draw_from_it(cuda: Runtime) -> None:
    cuda.execute("require 'nn' d = nn.Dropout() g = nn.Dropout():cuda() i = torch.ones(40)")
    cuda.execute(
        "torch.manualSeed(1) o = d:forward(i):clone()"
        " torch.manualSeed(1) cutorch.manualSeed(4) p = g:forward(i:cuda()):clone()"
    )
    assert cuda.execute("return d:forward(i):equal(o)"), "the layer on the GPU took from torch's stream"
    assert cuda.execute(
        "cutorch.manualSeed(4) return g:forward(i:cuda()):equal(p), g:forward(i:cuda()):equal(p)"
    ) == (True, False)


def test_what_is_not_there_says_so(cuda: Runtime) -> None:
    for code in ("cutorch.createCudaUVATensor(2)", "cutorch.getState()", "cutorch.getRuntimeVersion()"):
        with pytest.raises(LuaError, match=r"^t\.lua:1: cutorch\.\w+: "):
            cuda.execute(code, "=t.lua")


# -- modules -------------------------------------------------------------------------------------------------

MODEL = """
    require 'nn' require 'optim'
    torch.manualSeed(3)
    m = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh())
       :add(nn.ConcatTable():add(nn.Identity()):add(nn.Linear(4, 4))):add(nn.CAddTable()):add(nn.LogSoftMax())
    c = nn.ClassNLLCriterion()
    i, t = torch.randn(5, 3), torch.Tensor{1, 2, 3, 4, 1}
    n, e = m:clone():float(), c:clone():float()
    m:cuda() c:cuda()
"""


def test_a_model_is_of_cuda_types(cuda: Runtime) -> None:
    cuda.execute(MODEL)
    assert cuda.execute("return m:type(), m:get(3):get(2):type(), c._type") == ("torch.CudaTensor",) * 3
    cuda.execute("p, g = m:getParameters() i = i:cuda() t = t:cuda()")
    cuda.execute("o = m:forward(i) l = c:forward(o, t) k = c:backward(o, t) b = m:backward(i, k)")
    fields = """o k b p g m.output m:get(1).weight m:get(1).gradBias m:get(2).gradInput m:get(3).output[1]
        m:get(3).output[2] m:parameters()[1] m:clone().modules[1].weight m:get(1).output:select(1,1)"""
    for each in fields.split():
        assert types_of(cuda, each) == ["CudaTensor"], each


def test_its_numbers_are_those_of_the_float_model(cuda: Runtime) -> None:
    cuda.execute(MODEL)
    cuda.execute(
        """
        function train(m, c, i, t)
           local p, g = m:getParameters()
           local state, losses = {learningRate = 0.1}, {}
           for k = 1, 20 do
              local _, loss = optim.adam(function()
                 g:zero()
                 local o = m:forward(i)
                 local l = c:forward(o, t)
                 m:backward(i, c:backward(o, t))
                 return l, g
              end, p, state)
              losses[k] = loss[1]
           end
           return losses, p, state
        end
        one, p, s = train(m, c, i:cuda(), t:cuda())
        two, q = train(n, e, i:float(), t:float())
        """
    )
    assert cuda.globals["one"] == cuda.globals["two"]
    assert cuda.globals["one"][-1] < 0.5 * cuda.globals["one"][0]
    assert cuda.execute("return p:float():equal(q), torch.type(s.m), torch.type(s.denom)") == (
        True,
        "torch.CudaTensor",
        "torch.CudaTensor",
    )


@pytest.mark.parametrize(
    ("code", "given", "wanted"),
    [
        ("m:forward(i:float())", "FloatTensor", "CudaTensor"),
        ("m:forward(i)", "DoubleTensor", "CudaTensor"),
        ("n:forward(i:cuda())", "CudaTensor", "FloatTensor"),
        ("c:forward(n:forward(i:float()), t)", "FloatTensor", "CudaTensor"),
    ],
)
def test_an_input_of_the_other_sort(cuda: Runtime, code: str, given: str, wanted: str) -> None:
    cuda.execute(MODEL)
    with pytest.raises(
        LuaError, match=rf"^t\.lua:1: nn\.\w+: the input is a torch\.{given}, .* torch\.{wanted}$"
    ):
        cuda.execute(code, "=t.lua")


def test_back_to_the_cpu(cuda: Runtime) -> None:
    cuda.execute(MODEL + "m:float()")
    assert (
        types_of(cuda, "m:forward(i:float())", "m:get(1).weight", "m:get(1).gradWeight")
        == ["FloatTensor"] * 3
    )
    assert cuda.execute("return m:forward(i:float()):equal(n:forward(i:float()))")


def test_sharing_survives(cuda: Runtime) -> None:
    cuda.execute(
        "require 'nn' a = nn.Linear(2, 2) b = a:clone('weight', 'bias') s = nn.Sequential():add(a):add(b):cuda()"
    )
    assert cuda.execute("a.weight:fill(3) return b.weight:sum(), torch.type(b.weight)") == (
        12,
        "torch.CudaTensor",
    )


def test_copies_that_are_not_cast_keep_their_types_in_a_model_on_a_card(
    cuda: Runtime, tmp_path: Path
) -> None:
    cuda.execute(
        f"""
        require 'nn'
        function types(m)
           local x = torch.ByteTensor(2):fill(1)
           local out = m:forward(x)
           local back = m:backward(x, torch.FloatTensor(3):fill(1))
           return torch.type(out) .. ' ' .. torch.type(m:get(2).output) .. ' ' .. torch.type(back)
        end
        m = nn.Sequential():add(nn.Copy('torch.ByteTensor', 'torch.CudaTensor', false, true)):add(nn.Linear(2, 3))
           :add(nn.Copy('torch.CudaTensor', 'torch.FloatTensor', false, true)):cuda()
        torch.save('{tmp_path}/m.t7', m)
        """
    )
    wanted = "torch.FloatTensor torch.CudaTensor torch.ByteTensor"
    for model in ("m:clone()", "m", f"torch.load('{tmp_path}/m.t7')", "m:clone()"):
        assert cuda.execute(f"return types({model})") == wanted


def test_a_model_of_both_sorts(cuda: Runtime) -> None:
    cuda.execute(
        """
        require 'nn'
        m = nn.Sequential():add(nn.Copy('torch.FloatTensor', 'torch.CudaTensor')):add(nn.Linear(3, 2):cuda())
           :add(nn.Copy('torch.CudaTensor', 'torch.FloatTensor'))
        o = m:forward(f)
        b = m:backward(f, o)
        """
    )
    assert types_of(cuda, "o", "m:get(1).output", "m:get(2).output", "b", "m:get(2).gradInput") == [
        "FloatTensor",
        "CudaTensor",
        "CudaTensor",
        "FloatTensor",
        "CudaTensor",
    ]


def test_a_layer_in_lua_sees_cuda_tensors(cuda: Runtime) -> None:
    cuda.execute(
        """
        require 'nn'
        local L, parent = torch.class('nn.Square7', 'nn.Module')
        function L:__init() parent.__init(self) self.kept = torch.ones(2) seen = {} end
        function L:updateOutput(input)
           seen[#seen + 1] = torch.type(input) .. torch.type(self.output) .. torch.type(self.kept)
           self.output:resizeAs(input):copy(input):cmul(input)
           return self.output
        end
        function L:updateGradInput(input, gradOutput)
           seen[#seen + 1] = torch.type(input) .. torch.type(gradOutput) .. torch.type(self.gradInput)
           self.gradInput:resizeAs(input):copy(input):cmul(gradOutput):mul(2)
           return self.gradInput
        end
        m = nn.Sequential():add(nn.Narrow(2, 1, 2)):add(nn.Concat(2):add(nn.Square7()):add(nn.Square7()))
           :add(nn.SplitTable(2)):add(nn.ParallelTable():add(nn.Square7()):add(nn.Square7()):add(nn.Identity())
           :add(nn.Identity())):add(nn.JoinTable(1)):cuda()
        o = m:forward(z)
        b = m:backward(z, torch.CudaTensor(o:size()):fill(1))
        """
    )
    assert set(cuda.globals["seen"]) == {"torch.CudaTensor" * 3}
    # x^2 of two columns twice, the first copy of each squared again
    assert cuda.globals["o"].tolist() == [1, 256, 16, 625, 1, 16, 4, 25]
    assert cuda.globals["b"].tolist() == [[4 + 2, 32 + 4, 0], [256 + 8, 500 + 10, 0]]


def test_recurrent_models(cuda: Runtime) -> None:
    cuda.execute(
        """
        require 'rnn'
        m = nn.Sequencer(nn.Sequential():add(nn.LookupTable(5, 3)):add(nn.FastLSTM(3, 4)):add(nn.Linear(4, 2))):cuda()
        i = {torch.CudaTensor{1, 2}, torch.CudaTensor{3, 5}}
        o = m:forward(i)
        b = m:backward(i, {o[1]:clone(), o[2]:clone()})
        """
    )
    assert types_of(cuda, "o[1]", "o[2]", "m:getParameters()") == ["CudaTensor"] * 3


def test_lua_closures_of_python_calls_draw_from_torchs_stream(cuda: Runtime) -> None:
    """A program's own code inside a module's call is outside of what the module draws from."""
    cuda.execute(
        """
        require 'nn'
        local L, parent = torch.class('nn.Draws', 'nn.Module')
        function L:updateOutput(input) self.output = input drawn = torch.uniform() return input end
        m = nn.Sequential():add(nn.Draws()):add(nn.Linear(3, 1)):cuda()
        torch.manualSeed(2) expected = torch.uniform()
        torch.manualSeed(2) m:forward(z)
        """
    )
    assert cuda.execute("return drawn == expected")


def test_an_input_that_is_of_another_type_than_the_layers(cuda: Runtime) -> None:
    """Refused by what computes with its weights; a class of the program's own does with it what it likes."""
    with pytest.raises(
        LuaError, match=r"nn\.Linear: the input is a torch\.CudaTensor, the layers are of type torch"
    ):
        cuda.execute("require 'cunn' nn.Linear(3, 1):forward(z)")
    assert cuda.execute(
        """
        local Own = torch.class('nn.Own', 'nn.Criterion')
        function Own:__init(net) self.net = net end
        function Own:updateOutput(input) return self.net:forward(input):sum() end
        function Own:updateGradInput(input)
           return self.net:updateGradInput(input, self.net.output:clone():fill(1))
        end
        local own = nn.Own(nn.MulConstant(2):cuda())
        return own:forward(z), own:backward(z):sum()
        """
    ) == (42, 12)


def test_placement_on_meta() -> None:
    """On another device than the CPU nothing is made where it should not be."""
    runtime = Runtime(device="meta")
    runtime.state.gpu = torch.device("meta")
    runtime.execute(
        "require 'cunn' x = torch.Tensor(2, 3):cuda() m = nn.Linear(3, 4):cuda() y = m:forward(x) + 1"
    )
    for name in ("x", "y"):
        assert runtime.globals[name].device.type == "meta"
        assert runtime.execute(f"return torch.type({name})") == "torch.CudaTensor"
    assert (
        runtime.execute("return torch.type(m:backward(x, y)), torch.type(m.gradWeight)")
        == ("torch.CudaTensor",) * 2
    )
    runtime.close()


# -- files ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_what_was_saved_of_a_cuda_type_is_read_as_that(cuda: Runtime, name: str, tmp_path: Path) -> None:
    cuda.globals["file"] = str(tmp_path / "a.t7")
    cuda.execute(f"""
    local y = torch.{name}Tensor{{1, 2, 3}}
    torch.save(file, {{y, y:narrow(1, 2, 2), y:storage(), torch.{name}Tensor(), torch.Tensor{{1}}}})
    r = torch.load(file)
    r[1]:fill(7)
    """)
    assert types_of(cuda, *(f"r[{i}]" for i in range(1, 6))) == [
        f"{name}Tensor",
        f"{name}Tensor",
        f"{name}Storage",
        f"{name}Tensor",
        "DoubleTensor",
    ]
    assert cuda.execute("return r[2][1], r[3][3]") == (7, 7)


def test_a_clone_by_a_file_shares_the_weights_of_a_cuda_model(cuda: Runtime) -> None:
    """How recurrent networks were unrolled before rnn: written once, read for each step, tied to the first."""
    kinds = cuda.execute("""
    require 'cunn'
    local m = nn.Linear(2, 2):cuda()
    local memory = torch.MemoryFile('w'):binary()
    memory:writeObject(m)
    local reader = torch.MemoryFile(memory:storage(), 'r'):binary()
    local clone = reader:readObject()
    clone.weight:set(m.weight)
    m.weight:fill(3)
    assert(clone.weight:sum() == 12)
    return torch.type(clone.weight), torch.type(clone:forward(torch.CudaTensor(2):fill(1)))
    """)
    assert kinds == ("torch.CudaTensor", "torch.CudaTensor")


def test_without_cutorch_a_cuda_type_is_read_as_a_type_of_the_cpu(cuda: Runtime, tmp_path: Path) -> None:
    cuda.globals["file"] = str(tmp_path / "a.t7")
    cuda.execute("torch.save(file, {z, z:storage()})")
    with Runtime() as other:
        other.globals["file"] = str(tmp_path / "a.t7")
        other.execute("r = torch.load(file)")
        assert types_of(other, "r[1]", "r[2]") == ["FloatTensor", "FloatStorage"]
