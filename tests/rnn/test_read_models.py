"""A model of recurrent modules that was read from a file trains as the one that was saved, its clones too."""

from __future__ import annotations

import pytest

CELLS = {
    "a cell that is computed as one piece": "nn.LSTM(3, 2)",
    "a cell with dropout": "nn.GRU(3, 2, 9999, 0.25)",
    "a module that looks at the steps before": "nn.Sequential():add(nn.GRU(3, 2)):add(nn.NormStabilizer())",
    "a module without steps": "nn.Sequential():add(nn.Linear(3, 2)):add(nn.Tanh())",
    "parts of a script's": "nn.Recurrent(2, nn.Linear(3, 2), nn.Linear(2, 2), nn.Tanh())",
}


@pytest.mark.one_runtime
@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS.keys())
def test_clones_follow_flat_parameters(runtime, cell: str) -> None:
    """Flat parameters that are moved move the clones of the steps, which lie in the file with the same tensors."""
    runtime.execute("require 'rnn'")
    different = runtime.execute(f"""
        local function trained(read, decorate)
           torch.manualSeed(1)
           local m = decorate({cell})
           local x, g = {{}}, {{}}
           for t = 1, 3 do x[t], g[t] = torch.randn(2, 3), torch.ones(2, 2):mul(0.3 * t) end
           local y = m:forward(x)
           for t = 1, 3 do g[t] = y[t]:clone():fill(0.3 * t) end
           m:zeroGradParameters()
           m:backward(x, g)
           torch.manualSeed(2)
           m = read(m)
           local parameters, gradients = m:getParameters()
           local seen = {{}}
           for step = 1, 3 do
              gradients:zero()
              for _, output in ipairs(m:forward(x)) do seen[#seen + 1] = output:clone() end
              m:backward(x, g)
              parameters:add(-0.1, gradients)
           end
           return seen
        end
        local different = {{}}
        for _, decorate in ipairs{{nn.Sequencer, nn.BiSequencer}} do
           local expected = trained(function(m) return m end, decorate)
           local found = trained(function(m) return torch.deserialize(torch.serialize(m)) end, decorate)
           for i, output in ipairs(expected) do
              if output:dist(found[i]) > 1e-12 then different[#different + 1] = i end
           end
        end
        return different
    """)
    assert different == []
