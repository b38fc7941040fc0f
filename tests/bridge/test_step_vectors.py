"""Lists of instructions on rows so long that compiled loops run them: the numbers are those of PyTorch's kernels."""

from __future__ import annotations

import pytest
import torch

from torch7py.bridge.runtime import Runtime

PROGRAM = """
    require 'nngraph'
    torch.manualSeed(3)
    local x, y = nn.Identity()(), nn.Identity()()
    local sums = nn.CAddTable()({nn.Linear(40, 96)(x), nn.Linear(24, 96)(y)})
    local a, b, c, d = nn.SplitTable(2)(nn.Reshape(4, 24)(sums)):split(4)
    local kept = nn.CMulTable()({nn.Sigmoid()(a), y, nn.Tanh()(b)})
    local less = nn.CSubTable()({nn.AddConstant(0.5)(nn.Sigmoid()(c)), nn.MulConstant(-2)(d)})
    local wide = nn.Tanh()(nn.Linear(24, 120)(kept))   -- of more numbers than PyTorch's own tanh is for
    local out = nn.LogSoftMax()(nn.Linear(24, 30)(nn.CAddTable()({kept, less})))
    m = nn.gModule({x, y}, {out, less, wide})
    input = {torch.randn(20, 40):mul(4), torch.randn(20, 24)}
    input[2][1][1], input[2][2][2], input[2][3][3] = 300, -300, PLACEHOLDER
    local slopes = {torch.randn(20, 30), torch.randn(20, 24), torch.randn(20, 120)}
    parameters, gradients = m:getParameters()
    gradients:fill(1)
    for _ = 1, 2 do
       outputs = m:forward(input)
       found = m:backward(input, slopes, 0.3)
    end
    return outputs[1], outputs[2], outputs[3], found[1], found[2], gradients
"""


def results(dtype: str, odd: str) -> tuple[list[torch.Tensor], bool, str]:
    with Runtime(dtype=dtype) as runtime:
        found = [tensor.clone() for tensor in runtime.execute(PROGRAM.replace("PLACEHOLDER", odd))]
        return found, runtime.globals["m"].__dict__.get("_runs", 0) > 0, runtime.engine


@pytest.mark.parametrize("odd", ["0", "1/0", "0/0"], ids=["finite", "infinite", "nan"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_numbers_are_those_of_the_layers_own_methods(
    dtype: str, odd: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, in_python, engine = results(dtype, odd)
    assert in_python == (engine == "lua51")
    monkeypatch.setenv("TORCH7PY_SMALL_STEPS", "0")
    wanted, in_python, _ = results(dtype, odd)
    assert in_python
    close = 1e-11 if dtype == "float64" else 2e-5
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=close, atol=close, equal_nan=True)
