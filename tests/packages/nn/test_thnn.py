"""``x.THNN`` as programs call it: by pointers, inside layers of their own. tests/nn/test_thnn.py has the numbers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.bridge.errors import LuaError


@pytest.fixture
def nn(runtime: Runtime) -> Runtime:
    if not runtime.execute("return jit ~= nil"):
        pytest.skip("plain Lua has no pointers")
    runtime.execute("require 'nn'")
    return runtime


@pytest.fixture
def cuda() -> Iterator[Runtime]:
    runtime = Runtime(cuda_as="cpu", seed=1)
    if not runtime.execute("return jit ~= nil"):
        runtime.close()
        pytest.skip("plain Lua has no pointers")
    runtime.execute("require 'nn' require 'cunn'")
    yield runtime
    runtime.close()


MASKED = """
    local Masked, parent = torch.class('nn.Masked', 'nn.Module')
    function Masked:updateOutput(input)
       local x = input[1]
       x:maskedFill(input[2], -1e30)
       x.THNN.SoftMax_updateOutput(x:cdata(), self.output:cdata())
       return self.output
    end
    function Masked:updateGradInput(input, gradOutput)
       local x = input[1]
       x.THNN.SoftMax_updateGradInput(x:cdata(), gradOutput:cdata(), self.gradInput:cdata(), self.output:cdata())
       return self.gradInput
    end
    m = nn.Masked()
    output = m:forward{torch.Tensor{{0, math.log(3), 7}}, torch.ByteTensor{{0, 0, 1}}}
    gradient = m:backward({torch.Tensor{{0, math.log(3), 7}}, torch.ByteTensor{{0, 0, 1}}}, torch.Tensor{{1, 0, 0}})
"""


def test_a_layer_of_a_program(nn: Runtime) -> None:
    """The derivative of p_1 is p_1 (1 - p_1), -p_1 p_2, and 0 at what is masked."""
    nn.execute(MASKED)
    found = nn.execute("return output[1][1], output[1][2], output[1][3]")
    assert found == pytest.approx((0.25, 0.75, 0), rel=1e-14)
    found = nn.execute("return gradient[1][1], gradient[1][2], gradient[1][3]")
    assert found == pytest.approx((0.1875, -0.1875, 0), rel=1e-14)
    assert nn.execute("return rawequal(output, m.output), rawequal(gradient, m.gradInput)") == (True, True)


def test_random_numbers_are_left_alone(nn: Runtime) -> None:
    """No layer's parameters are drawn on the way."""
    nn.execute("torch.manualSeed(3) a = torch.random() torch.manualSeed(3)")
    nn.execute(
        "x, y, b = torch.ones(1, 3, 3), torch.Tensor(), torch.Tensor() x.THNN.SpatialConvolutionMM_updateOutput("
        "x:cdata(), y:cdata(), torch.ones(2, 4):cdata(), nil, b:cdata(), b:cdata(), 2, 2, 1, 1, 0, 0)"
    )
    assert nn.execute("return y:nElement(), y:min(), y:max(), torch.random() == a") == (8, 4, 4, True)


def test_set_to_the_input(nn: Runtime) -> None:
    nn.execute(
        "x, y = torch.Tensor{-1, 2}, torch.Tensor() x.THNN.Threshold_updateOutput(x:cdata(), y:cdata(), 0, 0, true)"
    )
    assert nn.execute("y[2] = 5 return x[1], x[2], y:isSetTo(x)") == (0, 5, True)


@pytest.mark.parametrize("name", ["Cuda", "CudaDouble"])
def test_cuda(cuda: Runtime, name: str) -> None:
    cuda.execute(
        f"x, t, l, w = torch.{name}Tensor{{{{-1, -2}}, {{-3, -4}}}}, torch.CudaTensor{{2, 1}}, torch.{name}Tensor(), "
        f"torch.{name}Tensor() x.THNN.ClassNLLCriterion_updateOutput("
        "x:cdata(), t:cdata(), l:cdata(), true, nil, w:cdata(), -100)"
    )
    assert cuda.execute("return torch.type(l), l[1], w[1]") == (f"torch.{name}Tensor", 2.5, 2)


def test_by_name(nn: Runtime) -> None:
    nn.execute(
        "THNN = require 'nn.THNN' x, y = torch.Tensor{3}, torch.Tensor() "
        "THNN.runKernel('Square_updateOutput', 'torch.DoubleTensor', x:cdata(), THNN.optionalTensor(y))"
    )
    assert nn.execute("return y[1], THNN.optionalTensor(nil), THNN.getState()") == (9, None, None)
    with pytest.raises(LuaError, match=r"there are no functions for a torch\.IntTensor"):
        nn.execute("THNN.runKernel('Square_updateOutput', 'torch.IntTensor')")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("GRUFused_updateOutput(x:cdata())", r"p\.lua:2: THNN\.GRUFused_updateOutput is not supported"),
        (
            "SoftMax_updateOutput(x:cdata())",
            r"p\.lua:2: .*argument 2 \(output\) must be the cdata of a tensor",
        ),
        ("SoftMax_updateOutput(x:cdata(), x:data())", r"p\.lua:2: "),
        (
            "SoftMax_updateOutput(x:cdata(), torch.FloatTensor():cdata())",
            r"p\.lua:2: .*not a torch\.FloatTensor",
        ),
    ],
)
def test_errors(nn: Runtime, call: str, message: str) -> None:
    with pytest.raises(LuaError, match=message):
        nn.execute(f"local x = torch.ones(3)\nx.THNN.{call}", "@p.lua")
