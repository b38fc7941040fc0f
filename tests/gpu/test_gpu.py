"""What a GPU computes, beside the CPU: ``make test-gpu`` runs this where there is one, and the benchmarks after it.

Everything here is also run with the CPU in the GPU's place, so that the tests themselves hold; then it takes a sample
of the layers. What needs two GPUs says so where there is one.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.every_class import Use, criterion_uses, identify, layer_uses, new_runtime
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.ops import state

ROOT = Path(__file__).parents[2]
GPUS = torch.cuda.device_count() if torch.cuda.is_available() else 0
EVERY_ON_CPU = 40  # of the layers, one in so many

needs_gpu = pytest.mark.skipif(GPUS < 1, reason="there is no GPU that PyTorch finds")
needs_two = pytest.mark.skipif(GPUS < 2, reason=f"needs two GPUs, and there are {GPUS}")
PLACES = [pytest.param("cpu", id="cpu"), pytest.param("cuda", id="cuda", marks=needs_gpu)]


def runtime_on(place: str, **options: Any) -> Runtime:
    return Runtime(device="cuda", **options) if place == "cuda" else Runtime(cuda_as="cpu", **options)


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def program(place: str) -> Iterator[Runtime]:
    with runtime_on(place, seed=1) as runtime:
        runtime.execute("require 'cunn'")
        yield runtime


# -- layers and criterions -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def everything() -> Iterator[dict[str, Runtime]]:
    runtimes: dict[str, Runtime] = {"expected": new_runtime(), "cpu": new_runtime()}
    if GPUS:
        runtimes["cuda"] = new_runtime(device="cuda")
    yield runtimes
    for runtime in runtimes.values():
        runtime.close()


def placed(uses: list[Use]) -> list[Any]:
    sample = [pytest.param(use, "cpu", id=f"cpu-{identify(use)}") for use in uses[::EVERY_ON_CPU]]
    there = uses if GPUS else uses[:1]  # one says that all are skipped
    return sample + [pytest.param(use, "cuda", id=f"cuda-{identify(use)}", marks=needs_gpu) for use in there]


def moved(value: Any, device: torch.device) -> Any:
    if isinstance(value, (list, tuple)):
        return [moved(item, device) for item in value]
    return value.to(device) if isinstance(value, torch.Tensor) else value


def like(output: Any) -> Any:
    if isinstance(output, (list, tuple)):
        return [like(part) for part in output]
    return torch.ones_like(output) if isinstance(output, torch.Tensor) else 1


def assert_close(found: Any, expected: Any) -> None:
    if isinstance(expected, (list, tuple)):
        for one, other in zip(found, expected, strict=True):
            assert_close(one, other)
    elif isinstance(expected, torch.Tensor):
        digits = 1e-6 if expected.dtype == torch.float64 else 1e-3
        torch.testing.assert_close(found.cpu(), expected, rtol=digits, atol=digits, equal_nan=True)
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-3, abs=1e-3, nan_ok=True)


def results(runtime: Runtime, use: Use, input: Any, target: Any) -> list[Any]:
    """Output, gradients and gradients of parameters, by the same random numbers everywhere."""
    device = runtime.state.device
    runtime.execute("torch.manualSeed(1)")
    module = use.make(runtime)
    runtime.execute("torch.manualSeed(2)")
    with state.use(runtime.state), torch.no_grad():
        if use.is_criterion:
            output = module.updateOutput(moved(input, device), moved(target, device))
            return [output, module.updateGradInput(moved(input, device), moved(target, device))]
        given = moved(input, device)
        output = module.updateOutput(given)
        if module.class_name.startswith("nn.Reinforce"):
            module.reinforce(torch.ones_like(output[:, 0]))
        gradient = module.backward(given, like(output))
        parameters = module.torch7_parameters() or []
        assert all(p.device.type == device.type for p in module.parameters())
        found: list[Any] = moved([output, gradient, *parameters], torch.device("cpu"))
        return found


@pytest.mark.parametrize(("use", "place"), placed(layer_uses()) + placed(criterion_uses()))
def test_a_layer_gives_what_it_gives_on_the_cpu(everything: dict[str, Runtime], use: Use, place: str) -> None:
    input = use.input(everything["expected"])
    target = use.target(everything["expected"]) if use.is_criterion else None
    expected = results(everything["expected"], use, input, target)
    assert_close(results(everything[place], use, input, target), expected)


# -- programs ------------------------------------------------------------------------------------------------


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+\.?\d*(?:e[-+]?\d+)?", text)]


@pytest.mark.parametrize("name", ["gpu_only", "gpu_if_there"])
def test_a_program_prints_the_same(place: str, name: str, capfd: pytest.CaptureFixture[str]) -> None:
    printed = []
    for where in ("cpu", place):
        with runtime_on(where, seed=1) as runtime:
            runtime.run(str(ROOT / "lua_samples" / f"{name}.lua"), ["2"])
        printed.append(capfd.readouterr().out)
    assert numbers(printed[0])
    assert numbers(printed[1]) == pytest.approx(numbers(printed[0]), rel=1e-2, abs=1e-2)


def test_tensors_and_devices(program: Runtime, place: str) -> None:
    script = """
    local x = torch.range(1, 6):resize(2, 3):cuda()
    local y = x * 2 + torch.mm(x:t(), x):sum()
    local free, total = cutorch.getMemoryUsage()
    x[1][2] = 9
    cutorch.synchronize()
    return x:getDevice(), y:float():sum(), x[1][2], x:float()[1][2], free > 0 and total >= free,
       cutorch.getDevice(), torch.type(x:clone():cudaDouble()), x:max()
    """
    assert program.execute(script) == (1, 1608, 9, 9, True, 1, "torch.CudaDoubleTensor", 9)
    assert program.execute("return cutorch.getDeviceCount()") == (GPUS if place == "cuda" else 1)


def test_random_numbers_are_those_of_the_cpu(program: Runtime) -> None:
    draws = "cutorch.manualSeed(3) return torch.CudaTensor(1000):normal():float()"
    with runtime_on("cpu") as other:
        other.execute("require 'cutorch'")
        assert torch.equal(program.execute(draws).cpu(), other.execute(draws))


def test_training(program: Runtime) -> None:
    """A convolutional network learns to tell classes apart, and is saved, read and tried on the CPU."""
    script = """
    local net = nn.Sequential():add(nn.SpatialConvolution(1, 8, 3, 3)):add(nn.ReLU()):add(nn.SpatialMaxPooling(2, 2))
       :add(nn.Reshape(72)):add(nn.Linear(72, 2)):add(nn.LogSoftMax())
    net:cuda()
    local criterion = nn.ClassNLLCriterion():cuda()
    local x, y = torch.randn(64, 1, 8, 8), torch.Tensor(64)
    for i = 1, 64 do y[i] = i % 2 + 1 x[i]:add(i % 2) end
    x, y = x:cuda(), y:cuda()
    local first, last
    for i = 1, 30 do
       last = criterion:forward(net:forward(x), y)
       first = first or last
       net:zeroGradParameters()
       net:backward(x, criterion:backward(net.output, y))
       net:updateParameters(0.1)
    end
    local on_gpu = net:forward(x):float()
    local read = torch.deserialize(torch.serialize(net:clearState())):float()
    return first, last, (read:forward(x:float()) - on_gpu):abs():max()
    """
    first, last, apart = program.execute(script)
    assert last < first / 2
    assert apart < 1e-4


# -- several GPUs --------------------------------------------------------------------------------------------


@needs_two
def test_devices_of_one_process() -> None:
    with Runtime(device="cuda", seed=1) as runtime:
        script = """
        require 'cunn'
        local x = torch.CudaTensor(3):fill(1)
        cutorch.setDevice(2)
        local y = torch.CudaTensor(3):fill(2)
        local z = x:clone()
        y:copy(x)
        local w = cutorch.withDevice(1, function() return torch.CudaTensor(2) end)
        local host = torch.FloatTensor(3):cuda()
        cutorch.synchronizeAll()
        return x:getDevice(), y:getDevice(), z:getDevice(), w:getDevice(), host:getDevice(), y:sum(),
           cutorch.getDevice()
        """
        assert runtime.execute(script) == (1, 2, 1, 1, 2, 3, 2)


@needs_two
def test_models_on_several_gpus() -> None:
    """nn.DataParallelTable over all of them gives what one gives; nn.GPU puts layers on two."""
    with Runtime(device="cuda", seed=1) as runtime:
        runtime.execute("require 'cunn'")
        runtime.execute(f"""
        gpus = {{}} for i = 1, {GPUS} do gpus[i] = i end
        one = nn.Sequential():add(nn.Linear(30, 40)):add(nn.Tanh()):add(nn.Linear(40, 2)):cuda()
        many = nn.DataParallelTable(1):add(one:clone(), gpus):cuda()
        p1, g1 = one:getParameters() p2, g2 = many:getParameters()
        worst = 0
        for _, n in ipairs {{64, 7, 1}} do
           local x, y = torch.randn(n, 30):cuda(), torch.randn(n, 2):cuda()
           g1:zero() g2:zero()
           local a, b = one:forward(x), many:forward(x)
           local c, d = one:backward(x, a - y), many:backward(x, b - y)
           worst = math.max(worst, (a - b):abs():max(), (c - d):abs():max(), (g1 - g2):abs():max())
           one:updateParameters(0.1) many:updateParameters(0.1)
        end
        split = nn.Sequential():add(nn.GPU(nn.Linear(3, 4), 1)):add(nn.GPU(nn.Linear(4, 2), 2, 1)):cuda()
        x = torch.randn(5, 3):cuda()
        y = split:forward(x)
        split:backward(x, y)
        """)
        assert runtime.execute("return worst") < 1e-4
        places = "return y:getDevice(), split:get(2):get(1).weight:getDevice(), split.gradInput:getDevice()"
        assert runtime.execute(places) == (1, 2, 1)


@needs_two
def test_two_processes_with_nccl(tmp_path: Path) -> None:
    script = tmp_path / "train.lua"
    script.write_text("""require 'cunn'
    torch.manualSeed(1)
    local net = nn.DataParallelTable(1):add(nn.Linear(3, 2):cuda(), {1, 2}):cuda()
    local x = torch.randn(8, 3):cuda()
    for i = 1, 5 do
       local y = net:forward(x)
       net:zeroGradParameters()
       net:backward(x, y)
       net:updateParameters(0.1)
       print(('%.4f'):format(y:norm()))
    end""")
    printed = []
    for several in ([], ["--nproc", "2"]):
        command = [sys.executable, "-m", "torch7py", "run", "--device", "cuda", *several, str(script)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        printed.append(numbers(done.stdout))
    assert printed[1] == pytest.approx(printed[0], abs=2e-3)
