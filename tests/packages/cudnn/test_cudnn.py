"""cudnn's layers against those of nn and plain PyTorch, models converted both ways, DataParallelTable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

import torch7py
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py import T7Object, Table
from torch7py.bridge.errors import LuaError
from torch7py.nn.registry import layers
from torch7py.packages.cudnn.layers import MISSING, TWINS


@pytest.fixture
def cuda() -> Iterator[Runtime]:
    runtime = Runtime(cuda_as="cpu", seed=1)
    runtime.execute("require 'cunn' require 'cudnn'")
    yield runtime
    runtime.close()


@pytest.mark.parametrize("row", TWINS, ids=lambda row: row.name)
def test_a_layer_exists_where_its_twin_does(cuda: Runtime, row: object) -> None:
    name = row.name  # type: ignore[attr-defined]
    if row.twin in layers:  # type: ignore[attr-defined]
        assert f"cudnn.{name}" in layers
        assert name not in MISSING
    else:
        with pytest.raises(LuaError, match=rf"^t\.lua:1: cudnn\.{name} is not supported: "):
            cuda.execute(f"cudnn.{name}(3, 4, 1, 1)", "=t.lua")


def test_names_and_descent(cuda: Runtime) -> None:
    cuda.execute("a = cudnn.ReLU(true)")
    assert cuda.execute("return tostring(a), torch.type(a), a.inplace") == ("cudnn.ReLU", "cudnn.ReLU", True)
    for name, descends in {"cudnn._Pointwise": True, "nn.Module": True, "nn.ReLU": False}.items():
        assert cuda.execute(f"return torch.isTypeOf(a, '{name}')") is descends
    assert cuda.execute("return torch.isTypeOf(cudnn.LogSoftMax(), 'cudnn.SpatialSoftMax')")
    assert cuda.execute(
        "return torch.type(cudnn.Tanh():clone()), tostring(cudnn.SpatialBatchNormalization(3))"
    ) == (
        "cudnn.Tanh",
        "cudnn.SpatialBatchNormalization",
    )


def test_a_layer_is_a_node_of_a_graph_and_has_what_is_given_to_all_modules(cuda: Runtime) -> None:
    """Those whose parent in Lua is none of their Python class's: activations and pooling."""
    found = cuda.execute("""
        require 'nngraph'
        local x = nn.Identity()()
        local pooled = cudnn.SpatialMaxPooling(2, 2, 2, 2)(cudnn.ReLU(true)(x))
        local g = nn.gModule({x}, {cudnn.Sigmoid()(cudnn.Tanh()(pooled))}):cuda()
        function nn.Module:colour() return 'plain' end
        nn.Module.listModules = function() return 'mine' end
        return g:forward(torch.CudaTensor {{{{-1, 0.5}, {-2, -3}}}}):squeeze(), cudnn.Tanh():colour(),
           cudnn.SpatialAveragePooling(1, 1):listModules()
    """)
    assert found[0] == pytest.approx(torch.sigmoid(torch.tanh(torch.tensor(0.5))).item())
    assert found[1:] == ("plain", "mine")


FUNCTIONS = {
    "ReLU()": lambda x: x.clamp(min=0),
    "ReLU(true)": lambda x: x.clamp(min=0),
    "Tanh()": torch.tanh,
    "Tanh(true)": torch.tanh,
    "Sigmoid()": torch.sigmoid,
    "Sigmoid(true)": torch.sigmoid,
    "ClippedReLU(0.5)": lambda x: x.clamp(0, 0.5),
    "SoftMax()": lambda x: x.flatten(1).softmax(1).view_as(x),
    "LogSoftMax()": lambda x: x.flatten(1).log_softmax(1).view_as(x),
    "SpatialSoftMax()": lambda x: x.softmax(1),
    "SpatialLogSoftMax()": lambda x: x.log_softmax(1),
}


@pytest.mark.parametrize("expression", FUNCTIONS)
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (2, 3)], ids=str)
def test_functions_and_their_gradients(cuda: Runtime, expression: str, shape: tuple[int, ...]) -> None:
    torch.manual_seed(1)
    x = torch.randn(shape, requires_grad=True)
    g = torch.randn(shape)
    y = FUNCTIONS[expression](x)
    y.backward(g)
    cuda.globals["x"], cuda.globals["g"] = x.detach().clone(), g
    cuda.execute(
        f"m = cudnn.{expression}:cuda() x = x:cuda() y = m:forward(x):clone() b = m:backward(x, g:cuda())"
    )
    torch.testing.assert_close(cuda.globals["y"], y.detach())
    torch.testing.assert_close(cuda.globals["b"], x.grad)
    assert cuda.execute("return torch.type(y), torch.type(b)") == ("torch.CudaTensor",) * 2


def test_one_example_of_a_softmax(cuda: Runtime) -> None:
    """Three dimensions are one example: all of it, or its channels at each place."""
    cuda.execute("x = torch.CudaTensor(3, 2, 2):zero()")
    assert cuda.execute("return cudnn.SoftMax():cuda():forward(x)[{1, 1, 1}]") == pytest.approx(1 / 12)
    assert cuda.execute("return cudnn.SpatialSoftMax():cuda():forward(x)[{1, 1, 1}]") == pytest.approx(1 / 3)


def test_volumes(cuda: Runtime) -> None:
    cuda.globals["x"] = x = torch.randn(2, 3, 2, 4, 5)
    cuda.execute("y = cudnn.VolumetricLogSoftMax():cuda():forward(x:cuda())")
    torch.testing.assert_close(cuda.globals["y"], x.log_softmax(1))


def test_batch_normalization(cuda: Runtime) -> None:
    cuda.globals["x"] = x = torch.randn(6, 4)
    cuda.execute("m = cudnn.BatchNormalization(4):cuda() m.weight:fill(2) y = m:forward(x:cuda())")
    expected = F.batch_norm(x, None, None, torch.full((4,), 2.0), torch.zeros(4), training=True)
    torch.testing.assert_close(cuda.globals["y"], expected)
    with pytest.raises(LuaError, match="affine can only be true"):
        cuda.execute("cudnn.BatchNormalization(4, 1e-5, 0.1, false)")


def test_batch_normalization_of_images(cuda: Runtime) -> None:
    """In Lua its parent is the one of vectors, whose methods are not to be called for it."""
    x, g = torch.randn(3, 2, 4, 5, requires_grad=True), torch.randn(3, 2, 4, 5)
    cuda.globals["x"], cuda.globals["g"] = x.detach(), g
    y, gradient, weight = cuda.execute(
        """
        local m = cudnn.SpatialBatchNormalization(2):cuda()
        m.weight:fill(1)
        m:zeroGradParameters()
        local y = m:updateOutput(x:cuda()):clone()
        return y, m:updateGradInput(x:cuda(), g:cuda()):clone(), m:backward(x:cuda(), g:cuda()) and m.gradWeight
        """
    )
    expected = F.batch_norm(x, None, None, training=True)
    torch.testing.assert_close(y, expected.detach())
    torch.testing.assert_close(gradient, torch.autograd.grad(expected, x, g, retain_graph=True)[0])
    torch.testing.assert_close(weight, (expected.detach() * g).sum((0, 2, 3)))


def test_functional(cuda: Runtime) -> None:
    """Results go into the tensors that are given."""
    x, w = torch.randn(2, 3, 6, 6, requires_grad=True), torch.randn(4, 3, 3, 3, requires_grad=True)
    y = F.conv2d(x, w, None, 1, 1)
    p, a = F.max_pool2d(x, 2), F.avg_pool2d(x, 2)
    soft = x.flatten(1).log_softmax(1).view(x.shape)
    g, small = torch.randn(2, 4, 6, 6), torch.randn(2, 3, 3, 3)
    gradients = torch.autograd.grad(y, [x, w], g)
    of_max, of_mean = (torch.autograd.grad(pooled, x, small)[0] for pooled in (p, a))
    (of_soft,) = torch.autograd.grad(soft, x, x.detach())
    for name, value in (("x", x.detach()), ("w", w.detach()), ("g", g), ("small", small)):
        cuda.globals[name] = value
    found = cuda.execute(
        """
        local f, h = cudnn.functional, cudnn.getHandle()
        x, w, g, small = x:cuda(), w:cuda(), g:cuda(), small:cuda()
        local function like(t) return t.new():resizeAs(t):fill(7) end
        local y, gi, gw, gb = like(g), like(x), like(w), torch.CudaTensor(4):fill(1)
        f.Convolution2D_updateOutput(h, x, w, y, 1, 1, 1, 1)
        f.Convolution2D_updateGradInput(h, x, w, y, g, gi, 1, 1, 1, 1)
        f.Convolution2D_accGradParameters(h, x, gw, g, 1, 1, 1, 1, 0.5, 0)
        f.bias2D_accGradParameters(h, g, gb, 2)
        local p, a, of_p, of_a = like(small), like(small), like(x), like(x)
        f.MaxPooling2D_updateOutput(h, x, p, 2, 2, 2, 2)
        f.AveragePooling2D_updateOutput(h, x, a, 2, 2, 2, 2)
        f.MaxPooling2D_updateGradInput(h, x, p, small, of_p, 2, 2, 2, 2)
        f.AveragePooling2D_updateGradInput(h, x, a, small, of_a, 2, 2, 2, 2)
        local s, of_s = torch.CudaTensor(), torch.CudaTensor()
        f.LogSoftMax_updateOutput(h, x, s)
        f.LogSoftMax_updateGradInput(h, x, s, x, of_s)
        return {y, gi, gw, gb, p, a, of_p, of_a, s, of_s}
        """
    )
    expected = [
        y,
        gradients[0],
        gradients[1] / 2,
        1 + 2 * g.sum((0, 2, 3)),
        p,
        a,
        of_max,
        of_mean,
        soft,
        of_soft,
    ]
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs.detach())
    with pytest.raises(LuaError, match="4x6x6 is given for a result of 2x4x6x6"):
        cuda.execute(
            "cudnn.functional.Convolution2D_updateOutput(nil, x, w, torch.CudaTensor(4, 6, 6), 1, 1, 1, 1)"
        )


@pytest.mark.parametrize("dims", [2, 3])
def test_cross_entropy(cuda: Runtime, dims: int) -> None:
    torch.manual_seed(1)
    size = (4, 5, 2)[:dims]
    x = torch.randn(2, 3, *size, requires_grad=True)
    target = torch.randint(0, 3, (2, *size))
    loss = F.cross_entropy(x, target)
    loss.backward()
    name = "Spatial" if dims == 2 else "Volumetric"
    cuda.globals["x"], cuda.globals["t"] = x.detach(), (target + 1).double()
    cuda.execute(
        f"c = cudnn.{name}CrossEntropyCriterion():cuda() x, t = x:cuda(), t:cuda()"
        " l = c:forward(x, t) b = c:backward(x, t)"
    )
    assert cuda.globals["l"] == pytest.approx(loss.item(), rel=1e-6)
    torch.testing.assert_close(cuda.globals["b"], x.grad)
    for code in (
        "c:forward(x:cuda(), t:cuda():fill(4))",
        "c:forward(x:cuda(), t[1]:cuda())",
        "c:forward(x[1]:cuda(), t[1]:cuda())",
    ):
        with pytest.raises(LuaError, match=rf"^t\.lua:1: cudnn\.{name}CrossEntropyCriterion: "):
            cuda.execute(code, "=t.lua")


def test_conversion(cuda: Runtime) -> None:
    cuda.execute(
        """
        m = nn.Sequential():add(nn.Linear(3, 4)):add(nn.ConcatTable():add(nn.ReLU()):add(nn.BatchNormalization(4)))
           :add(nn.JoinTable(2)):add(nn.LogSoftMax())
        m:get(2):get(1).name = 'first'
        x = torch.randn(5, 3)
        y = m:forward(x):clone()
        w = m:get(2):get(2).weight
        r = cudnn.convert(m, cudnn)
        function names(m)
           local found = {}
           for i, each in ipairs(m:listModules()) do found[i] = torch.type(each) end
           return table.concat(found, ' ')
        end
        there = names(m)
        same = r == m and m:forward(x):equal(y) and rawequal(m:get(2):get(2).weight, w)
        name = m:get(2):get(1).name
        cudnn.convert(m, nn, function(each) return torch.type(each) == 'cudnn.LogSoftMax' end)
        back = names(m)
        """
    )
    assert cuda.globals["there"] == (
        "nn.Sequential nn.Linear nn.ConcatTable cudnn.ReLU cudnn.BatchNormalization nn.JoinTable cudnn.LogSoftMax"
    )
    assert cuda.globals["back"] == (
        "nn.Sequential nn.Linear nn.ConcatTable nn.ReLU nn.BatchNormalization nn.JoinTable cudnn.LogSoftMax"
    )
    assert cuda.execute("return same, name, m:forward(x):equal(y)") == (True, "first", True)


def test_the_fields_of_a_converted_layer_are_its_own(cuda: Runtime) -> None:
    """Not what they were when it was converted: a type that comes later changes them."""
    found = cuda.execute(
        """
        local m = cudnn.convert(nn.Sequential():add(nn.SpatialConvolution(1, 2, 1, 1)), cudnn):cuda()
        local w = m:getParameters()
        w:fill(3)
        return torch.type(m:get(1).weight), m:get(1).weight:max(), torch.type(m:get(1).bias)
        """
    )
    assert found == ("torch.CudaTensor", 3, "torch.CudaTensor")


def test_a_converted_model_trains_on(cuda: Runtime) -> None:
    cuda.execute(
        """
        m = nn.Sequential():add(nn.BatchNormalization(3)):add(nn.ReLU()):add(nn.Linear(3, 1))
        n = cudnn.convert(m:clone(), cudnn):cuda()
        m:float()
        x, g = torch.randn(5, 3):float(), torch.randn(5, 1):float()
        for _, each in ipairs{{m, x, g}, {n, x:cuda(), g:cuda()}} do
           each[1]:zeroGradParameters()
           each[1]:forward(each[2])
           each[1]:backward(each[2], each[3])
           each[1]:updateParameters(0.1)
        end
        p, q = m:getParameters(), n:getParameters()
        """
    )
    torch.testing.assert_close(cuda.globals["p"], cuda.globals["q"])


def test_settings_have_no_effect(cuda: Runtime) -> None:
    cuda.execute("cudnn.benchmark = true cudnn.fastest = true cudnn.verbose = true cudnn.reset()")
    assert cuda.execute("return cudnn.benchmark, cudnn.version >= 5000") == (True, True)
    cuda.execute("cudnn.find.verbose = true cudnn.find.reset()")
    for name in ("errcheck", "find.get", "C.cudnnCreate"):
        with pytest.raises(LuaError, match=rf"^t\.lua:1: cudnn\.{name}: "):
            cuda.execute(f"cudnn.{name}()", "=t.lua")
    computed = "return cudnn.configmap('torch.CudaHalfTensor'), cudnn.sizeof(torch.CudaHalfTensor(1))"
    assert cuda.execute(computed) == ("CUDNN_DATA_FLOAT", 2)
    cuda.execute("cudnn.configureMath{['torch.CudaHalfTensor'] = 'CUDNN_DATA_HALF'}")
    assert cuda.execute(computed) == ("CUDNN_DATA_HALF", 2)
    with pytest.raises(
        LuaError, match=r"^t\.lua:1: cudnn\.GRU: there are no descriptors .* weights\(\) and biases"
    ):
        cuda.execute("cudnn.GRU(2, 3, 1):createFilterDescriptors(1)", "=t.lua")


# -- DataParallelTable ---------------------------------------------------------------------------------------


def test_data_parallel_table(cuda: Runtime) -> None:
    cuda.execute(
        """
        n = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):cuda()
        m = nn.DataParallelTable(1, true, false):add(n, {1}):threads(function() end):cuda()
        x, g = torch.randn(5, 3):float(), torch.randn(5, 4):float()
        p, d = m:getParameters()
        o = m:forward(x)
        d:zero()
        b = m:backward(x, g)
        after = d:clone()
        d:zero()
        same = n:forward(x:cuda()):equal(o) and n:backward(x:cuda(), g:cuda()):equal(b) and d:equal(after)
        """
    )
    assert cuda.execute("return same, m:get(1) == n, m.gpuAssignments[1], m.dimension, #m.modules") == (
        True,
        True,
        1,
        1,
        1,
    )
    assert cuda.execute("return torch.type(o), torch.type(b), torch.type(p), torch.type(m)") == (
        *["torch.CudaTensor"] * 3,
        "nn.DataParallelTable",
    )
    assert cuda.execute("return tostring(m)").startswith("DataParallelTable: 1 x nn.Sequential {")
    assert cuda.execute("m:evaluate() return n:get(1).train, torch.type(m:clone())") == (
        False,
        "nn.DataParallelTable",
    )
    cuda.execute(
        "m:zeroGradParameters() m:updateGradInput(x, g) m:accGradParameters(x, g) m:syncParameters()"
    )
    assert cuda.execute("return d:equal(after)")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "nn.DataParallelTable(1):add(nn.Linear(2, 2), {1, 2})",
            "there is no device 2 here, only 1 .run --nproc 2 has",
        ),
        ("nn.DataParallelTable(1):add(nn.Linear(2, 2))", "expects a module and a GPU's number"),
        ("nn.DataParallelTable(1):add(nn.Linear(2, 2), {1}):float()", "of a CUDA type only"),
        ("nn.DataParallelTable(1):forward(torch.CudaTensor(2))", "no module was added"),
        (
            "nn.DataParallelTable(1):add(nn.Linear(2, 2):cuda(), 1):forward(torch.Tensor(2))",
            "must be a torch.CudaTensor",
        ),
    ],
)
def test_what_data_parallel_table_refuses(cuda: Runtime, code: str, message: str) -> None:
    with pytest.raises(LuaError, match=rf"^t\.lua:1: nn\.DataParallelTable[^\n]*{message}"):
        cuda.execute(code, "=t.lua")


def test_a_lookup_table_takes_cuda_indices(cuda: Runtime) -> None:
    cuda.execute(
        "m = nn.LookupTable(4, 2):cuda() y = m:forward(torch.CudaTensor{1, 4})"
        " l = m:forward(torch.CudaLongTensor{1, 4})"
    )
    assert cuda.execute("return torch.type(y), y:equal(l)") == ("torch.CudaTensor", True)
    assert (
        cuda.execute(
            "m:zeroGradParameters() m:backward(torch.CudaTensor{1, 4}, y:fill(1)) return m.gradWeight:sum()"
        )
        == 4
    )


def test_steps_are_as_large_as_the_windows_where_none_are_given(cuda: Runtime) -> None:
    cuda.execute("""
        local a, b = cudnn.SpatialAveragePooling(2, 3), cudnn.SpatialAveragePooling(2, 3, 1, 2)
        steps = {a.dW, a.dH, b.dW, b.dH}
        local t = cudnn.TemporalConvolution(4, 3, 2, 5)
        sizes = {t.kW, t.kH, t.dW, t.dH, t.nInputPlane, t.nOutputPlane, t.groups}
    """)
    assert list(cuda.globals["steps"]) == [2, 3, 1, 2]
    assert list(cuda.globals["sizes"]) == [4, 2, 1, 5, 1, 3, 1]


@pytest.mark.parametrize("volumes", [False, True])
def test_a_cross_entropy_that_was_saved_has_its_weights(cuda: Runtime, tmp_path: Path, volumes: bool) -> None:
    """The original keeps them in criterions inside."""
    weights = torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64)
    nll = T7Object("nn.SpatialClassNLLCriterion", [Table({"weights": weights, "sizeAverage": True})])
    inner = Table({"sizeAverage": True, "nll": nll, "output": 0, "gradInput": torch.empty(0)})
    images = T7Object("cudnn.SpatialCrossEntropyCriterion", [inner])
    whole = T7Object("cudnn.VolumetricCrossEntropyCriterion", [Table({"scec": images, "output": 0})])
    torch7py.save(whole if volumes else images, tmp_path / "a.t7")
    criterion = torch7py.load(tmp_path / "a.t7")
    torch7py.save(criterion, tmp_path / "again.t7")
    assert (tmp_path / "again.t7").read_bytes() == (tmp_path / "a.t7").read_bytes()
    shape = (2, 3, 2, 2, 2) if volumes else (2, 3, 2, 2)
    x, target = torch.randn(shape, dtype=torch.float64), torch.randint(0, 3, (2, *shape[2:]))
    wanted = F.cross_entropy(x, target, weights)
    assert torch.allclose(criterion(x, target + 1), wanted)
