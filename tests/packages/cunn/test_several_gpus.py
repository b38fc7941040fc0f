"""nn.DataParallelTable and nn.GPU on several GPUs in one process.

The CPU stands for each of three GPUs: the numbers are those of one. Where a tensor goes is seen on PyTorch's ``meta``
device, which stands for the second of two. Real GPUs: tests/gpu.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.ops import devices, types
from torch7py.packages.cutorch import device, settings


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    for module in (settings, device):
        monkeypatch.setattr(module, "device_count", lambda: 3)
    with Runtime(cuda_as="cpu", seed=1) as runtime:
        runtime.execute("require 'cunn' require 'optim'")
        yield runtime


MODELS = {
    "linear": (
        "nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 2))",
        "torch.randn(n, 3)",
    ),
    "tables": (
        "nn.Sequential():add(nn.ParallelTable():add(nn.Linear(3, 2)):add(nn.Linear(4, 2))):add(nn.CAddTable())",
        "{torch.randn(n, 3), torch.randn(n, 4)}",
    ),
    "convolution": (
        "nn.Sequential():add(nn.SpatialConvolution(2, 3, 3, 3)):add(nn.Reshape(12)):add(nn.Linear(12, 2))",
        "torch.randn(n, 2, 4, 4)",
    ),
}


@pytest.mark.parametrize("converted", [":cuda()", ""])
@pytest.mark.parametrize("name", MODELS)
def test_the_numbers_are_those_of_one_device(three: Runtime, name: str, converted: str) -> None:
    """Five steps with batches of 1 to 7 examples; two backward passes add up in each.

    Results are of a CUDA type, whether or not the table itself was converted.
    """
    model, inputs = MODELS[name]
    script = f"""
    local function cuda(x) return torch.isTensor(x) and x:cuda() or {{x[1]:cuda(), x[2]:cuda()}} end
    local one = {model}:cuda()
    local many = nn.DataParallelTable(1):add(one:clone(), {{1, 2, 3}}){converted}
    local p1, g1 = one:getParameters()
    local p2, g2 = many:getParameters()
    local worst = 0
    for _, n in ipairs {{7, 2, 1, 6, 3}} do
        local x, y = cuda({inputs}), torch.randn(n, 2):cuda()
        local results = {{}}
        for i, m in ipairs {{one, many}} do
            local g = i == 1 and g1 or g2
            g:zero()
            local o = m:forward(x)
            m:backward(x, o - y)
            m:updateGradInput(x, y)
            m:accGradParameters(x, y, 0.5)
            local gradInput = torch.isTensor(m.gradInput) and m.gradInput or m.gradInput[1]
            results[i] = {{o:clone(), gradInput:clone(), g:clone()}}
            m:updateParameters(0.05)
        end
        for j = 1, 3 do worst = math.max(worst, (results[1][j] - results[2][j]):abs():max()) end
    end
    return worst, (p1 - p2):abs():max(), #many.modules, torch.type(many.output)
    """
    worst, parameters, modules, kind = three.execute(script)
    assert max(worst, parameters) < 1e-5
    assert (modules, kind) == (1, "torch.CudaTensor")


def test_copies_follow_the_module(three: Runtime) -> None:
    """Parameters that a program writes, training or evaluation, another type, a layer more, a copy and a file."""
    script = """
    local net = nn.Sequential():add(nn.Linear(3, 2)):add(nn.Dropout(0.5))
    local many = nn.DataParallelTable(1):add(net, {1, 2}):cuda()
    local x = torch.ones(4, 3):cuda()
    many:evaluate()
    many:forward(x)
    net:get(1).weight:fill(2) net:get(1).bias:zero()
    local written = many:forward(x):sum()
    many:training()
    local zeros = many:forward(torch.ones(400, 3):cuda()):eq(0):sum()
    many:evaluate()
    net:add(nn.MulConstant(3))
    local longer = many:forward(x):sum()
    local again = torch.deserialize(torch.serialize(many)):forward(x):sum()
    many:type('torch.CudaDoubleTensor')
    return written, zeros, longer, again, torch.type(many:forward(x:cudaDouble())), many:clearState():clone():size()
    """
    written, zeros, longer, again, kind, size = three.execute(script)
    assert (written, longer, again, kind, size) == (48, 144, 144, "torch.CudaDoubleTensor", 1)
    assert 300 < zeros < 500


def test_devices_of_a_program(three: Runtime) -> None:
    script = """
    cutorch.setDevice(2)
    local inside = cutorch.withDevice(3, function() return cutorch.getDevice() end)
    return cutorch.getDeviceCount(), cutorch.getDevice(), inside, pcall(cutorch.getMemoryUsage, 4)
    """
    count, current, inside, ok, message = three.execute(script)
    assert (count, current, inside, ok) == (3, 2, 3, False)
    assert "there is no device 4 here, only 3" in message


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    """The second device is ``meta``; what comes back from there is zeros."""
    move = devices.move

    def moved(value: Any, place: torch.device) -> Any:
        if isinstance(value, torch.Tensor) and value.is_meta and place.type == "cpu":
            return types.label(torch.zeros(value.shape, dtype=value.dtype), types.of(value))
        return move(value, place)

    monkeypatch.setattr(devices, "move", moved)
    places = [torch.device("cpu"), torch.device("meta")]
    monkeypatch.setattr(devices, "at", lambda number: places[int(number) - 1])
    for module in (settings, device):
        monkeypatch.setattr(module, "device_count", lambda: 2)
    with Runtime(cuda_as="cpu", seed=1) as runtime:
        runtime.execute("require 'cunn'")
        yield runtime


def test_a_module_on_another_gpu(two: Runtime) -> None:
    """nn.GPU: its tensors and the work are there, the output on the third number's, the gradient beside the input."""
    two.execute("""
    first, second = nn.Linear(3, 4), nn.Linear(4, 2)
    model = nn.Sequential():add(nn.GPU(first, 1)):add(nn.GPU(second, 2, 1)):cuda()
    x = torch.randn(5, 3):cuda()
    y = model:forward(x)
    gradient = model:backward(x, y)
    """)
    place = {name: two.globals[name].device.type for name in ("x", "gradient")}
    assert place == {"x": "cpu", "gradient": "cpu"}
    assert two.globals["first"].weight.device.type == "cpu"
    assert two.globals["second"].weight.device.type == "meta"
    assert two.globals["second"].output.device.type == "meta"
    assert two.execute("return torch.type(second.weight), torch.type(y), y:size(1)") == (
        "torch.CudaTensor",
        "torch.CudaTensor",
        5,
    )


def test_a_copy_lies_on_its_gpu(two: Runtime) -> None:
    two.execute("""
    many = nn.DataParallelTable(1):add(nn.Linear(3, 2), {1, 2}):cuda()
    many:forward(torch.randn(4, 3):cuda())
    """)
    replicas = two.globals["many"].__dict__["_replicas"]
    assert [module.weight.device.type for module in replicas.modules] == ["cpu", "meta"]
    assert [part.device.type for part in replicas._inputs] == ["cpu", "meta"]
