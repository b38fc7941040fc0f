"""Conversions among all types with cutorch, and training in all precisions that cunn has, on the CPU."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError
from torch7py.ops import types

HOSTS = [t.name for t in types.NUMBER_TYPES]
ALL = [*HOSTS, "Cuda", *(f"Cuda{name}" for name in HOSTS if name != "Float")]


@pytest.fixture
def cuda() -> Iterator[Runtime]:
    runtime = Runtime(cuda_as="cpu", seed=1)
    runtime.execute("require 'cutorch'")
    yield runtime
    runtime.close()


def types_of(runtime: Runtime, *expressions: str) -> list[str]:
    return [runtime.execute(f"return torch.type({e})").removeprefix("torch.") for e in expressions]


@pytest.mark.parametrize("name", ALL)
def test_every_conversion(cuda: Runtime, name: str) -> None:
    """By method, by ``type``, and by copying, from a type to all others, with the values kept."""
    for target in ALL:
        method = target[0].lower() + target[1:]
        cuda.execute(
            f"a = torch.{name}Tensor{{1, 2, 3}} b = a:{method}() c = a:type('torch.{target}Tensor') "
            f"d = torch.{target}Tensor(3):copy(a) e = torch.{target}Tensor(3):fill(0):typeAs(a)"
        )
        assert types_of(cuda, "b", "c", "d", "e") == [f"{target}Tensor"] * 3 + [f"{name}Tensor"]
        for made in "bcd":
            assert cuda.execute(f"return {made}[1], {made}[2], {made}[3]") == (1, 2, 3)
        assert cuda.execute("return rawequal(a, c), rawequal(a, b)") == (name == target,) * 2


MODEL = """
require 'cunn'
torch.manualSeed(1)
m = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 2)):add(nn.LogSoftMax())
c = nn.ClassNLLCriterion()
input, target = torch.randn(5, 3), torch.Tensor{1, 2, 1, 2, 2}
function pass(m, c, x, t)
   m:zeroGradParameters()
   local loss = c:forward(m:forward(x), t)
   m:backward(x, c:backward(m.output, t))
   return loss, m:get(1).gradWeight
end
"""


@pytest.mark.parametrize(("name", "tolerance"), [("CudaDouble", 1e-14), ("Cuda", 1e-6), ("CudaHalf", 5e-3)])
def test_a_training_pass_in_every_precision(cuda: Runtime, name: str, tolerance: float) -> None:
    method = name[0].lower() + name[1:]
    cuda.execute(MODEL + "loss, gradient = pass(m:clone(), c, input, target)")
    cuda.execute(
        f"m:{method}() c:type('torch.{name}Tensor') "
        f"loss2, gradient2 = pass(m, c, input:{method}(), target:cudaLong())"
    )
    assert types_of(cuda, "m.output", "m.gradInput", "gradient2") == [f"{name}Tensor"] * 3
    assert cuda.execute("return m:type()") == f"torch.{name}Tensor"
    assert abs(cuda.execute("return loss2 - loss")) <= tolerance
    assert cuda.execute("return (gradient2:double() - gradient):abs():max()") <= tolerance


def test_without_cunn_a_model_has_no_cuda_double(cuda: Runtime) -> None:
    cuda.execute("require 'nn'")
    assert cuda.execute("return nn.Module.cudaDouble, nn.Module.cudaHalf") == (None, None)


@pytest.mark.parametrize("package", ["cutorch", "cunn", "cudnn"])
def test_one_line_says_which_option_to_use(runtime: Runtime, package: str) -> None:
    with pytest.raises(LuaError) as caught:
        runtime.execute(f"local a = 1\nrequire '{package}'", "=train.lua")
    assert caught.value.message == (
        "train.lua:2: this program asks for a GPU (cutorch): run it with --device cuda, "
        "or with --cuda-as cpu to compute on the CPU"
    )


@pytest.mark.parametrize("name", [name for name in ALL if name.startswith("Cuda")])
def test_results_stay_on_the_card(cuda: Runtime, name: str) -> None:
    """Of tensors in a table too; an index may be of the type of what it looks into."""
    cuda.execute(
        f"x = torch.{name}Tensor{{{{1, 2}}, {{3, 4}}}} i = torch.{name}Tensor{{2, 1}} "
        "joined = torch.cat({x, x}, 1) rows = x:index(1, i) "
        f"picked = x:gather(1, torch.{name}Tensor{{{{2, 1}}}}) x:clone():indexFill(1, i, 0)"
    )
    assert types_of(cuda, "joined", "rows", "picked") == [f"{name}Tensor"] * 3
    assert cuda.execute("return joined[4][1], rows[1][1], picked[1][1], picked[1][2]") == (3, 3, 3, 2)


def test_masks_give_the_tensor_and_rows_the_last_argument(cuda: Runtime) -> None:
    """As upstream has written them: only the ones of masks say there that they return it."""
    cuda.execute("x, r = torch.CudaTensor{1, 2}, torch.CudaTensor() m, i = x:gt(1), torch.CudaLongTensor{2}")
    assert cuda.execute("return x:maskedFill(m, 5) == x, r:maskedSelect(x, m) == r") == (True, True)
    assert cuda.execute("return x:indexFill(1, i, 7), r:index(x, 1, i) == i, r[1]") == (7, True, 7)


# The mean of each distribution, or its median where it has none.
DRAWS = {
    "uniform(1, 3)": 2.0,
    "normal(2, 0.5)": 2.0,
    "logNormal(0.5, 0.5)": math.exp(0.5 + 0.5**2 / 2),
    "cauchy(2, 0.5)": 2.0,
    "exponential(2)": 0.5,
    "geometric(0.8)": 1.25,  # the number of trials; torch's own has 1 / (1 - p)
    "bernoulli(0.25)": 0.25,
    "random(1, 3)": 2.0,
}


@pytest.mark.parametrize("name", ["Cuda", "CudaDouble", "CudaHalf"])
def test_random_numbers_in_every_precision(cuda: Runtime, name: str) -> None:
    for call, mean in DRAWS.items():
        cuda.execute(f"x = torch.{name}Tensor(4000) x:{call} y = x:double()")
        found = cuda.execute("return y:median()[1]" if "cauchy" in call else "return y:mean()")
        assert found == pytest.approx(mean, rel=0.1), call


def test_the_type_of_what_is_no_tensor(cuda: Runtime) -> None:
    cuda.execute("for _, value in ipairs{1, 'a', true, {}} do assert(torch.Tensor.type(value) == nil) end")
