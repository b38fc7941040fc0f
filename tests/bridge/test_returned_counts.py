"""How many values functions return that have no result: none, as in the original, and not a nil."""

from __future__ import annotations

import pytest

from torch7py.bridge.runtime import Runtime

# What torch 814ea4a, optim a5ceed7 and paths gave: how many values.
COUNTS = {
    "torch.manualSeed(1)": 0,
    "torch.setnumthreads(1)": 0,
    "torch.typename(1)": 0,
    "torch.typename(torch.Tensor())": 1,
    "torch.getmetatable('x')": 0,
    "torch.getconstructortable('x')": 0,
    "torch.Tensor():retain()": 0,
    "torch.Tensor():free()": 0,
    "torch.FloatStorage():retain()": 0,
    "torch.FloatStorage():free()": 0,
    "torch.MemoryFile():writeInt(1)": 0,
    "torch.MemoryFile():writeInt(torch.IntStorage{1, 2})": 1,
    "torch.MemoryFile():writeDouble(1)": 0,
    "torch.MemoryFile():writeString('a')": 1,
    "torch.MemoryFile():writeObject('a')": 0,
    "torch.MemoryFile():writeBool(true)": 0,
    "torch.MemoryFile():close()": 1,
    "torch.MemoryFile():seek(1)": 1,
    "torch.Timer():stop()": 1,
    "torch.setdefaulttensortype('torch.DoubleTensor')": 0,
    "torch.setRNGState(torch.getRNGState())": 1,
    "optim.ConfusionMatrix(2):add(1, 2)": 0,
    "optim.ConfusionMatrix(2):zero()": 0,
    "optim.ConfusionMatrix(2):updateValids()": 0,
    "paths.extname('a')": 0,
    "paths.extname('a.b')": 1,
    "paths.concat('a', 'b')": 1,
    "string.gfind('a', 'a')": 1,
}


@pytest.mark.one_runtime
def test_functions_without_a_result_return_no_value(runtime: Runtime) -> None:
    calls = ", ".join(f"count({call})" for call in COUNTS)
    found = runtime.execute(f"""
        require 'optim'
        require 'paths'
        local function count(...) return select('#', ...) end
        return {{{calls}}}
    """)
    assert dict(zip(COUNTS, found, strict=True)) == COUNTS
