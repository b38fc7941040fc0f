"""Storages that shrink under tensors: no tensor ever looks beyond its memory."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime


def resident() -> int:
    """Bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_what_is_cut_off_is_zeros_until_it_comes_back(runtime: Runtime) -> None:
    script = """local x = torch.range(1, 100000)
    local s, part = x:storage(), x[{{500, 600}}]
    s:resize(3)
    local cut = {s:size(), x[3], x[4], x[99999], x:sum(), part[1], part:sum(), x:nElement()}
    s:resize(100000)
    local whole = {s:size(), x:sum()}
    s:fill(1)
    return cut, whole, x:sum()"""
    cut, whole, total = runtime.execute(script)
    assert list(cut) == [3, 3, 0, 0, 6, 0, 0, 100000]
    assert list(whole) == [100000, 6]
    assert total == 100000


@pytest.mark.parametrize("kind", ["Byte", "Char", "Short", "Int", "Long", "Float", "Double", "Half"])
@pytest.mark.parametrize("size", [0, 1, 600, 5000])
def test_every_loop_over_the_memory(runtime: Runtime, kind: str, size: int) -> None:
    """Of LuaJIT, of numpy, of PyTorch: what comes of the cut part is never another's memory."""
    script = f"""local x = torch.{kind}Tensor(100, 100):fill(1)
    local neighbours = {{}}
    for i = 1, 20 do neighbours[i] = torch.{kind}Tensor(100, 100):fill(1) end
    x:storage():resize({size})
    x:fill(7)
    x:copy(neighbours[1])
    if x.map then x:map(neighbours[2], function(a, b) return a + b end) end
    if '{kind}' ~= 'Half' then x:add(1):mul(2):abs() x[5] = 3 x:sub(1, 2):zero() end
    for i = 1, 20 do x[50][i] = 9 end
    local text = tostring(x) .. tostring(x:storage()) .. #x:totable()
    local y = x:clone()
    local right = 0
    for i = 1, 20 do
       if neighbours[i]:double():sum() == 10000 then right = right + 1 end
    end
    return right, x:storage():size(), y:nElement()"""
    if kind == "Half":
        script = script.replace("x:map", "nothing").replace("if x.map", "if false")
    assert runtime.execute(script) == (20, size, 10000)


def test_a_tensor_beyond_its_storage_is_not_saved(runtime: Runtime) -> None:
    with pytest.raises(LuaError, match=r"^python:1: a tensor that ends at element 9 of a storage of 2"):
        runtime.execute("local x = torch.ones(9) x:storage():resize(2) torch.serialize(x)")


def test_the_memory_goes_back_to_the_system(runtime: Runtime) -> None:
    runtime.execute("x = torch.DoubleTensor(3e7):fill(1)")
    before = resident()
    runtime.execute("x:storage():resize(1)")
    assert before - resident() > 200e6
    runtime.execute("x:storage():resize(3e7)")
    assert runtime.execute("return x:sum()") == 1


def test_memory_of_a_model_that_a_program_cuts(runtime: Runtime) -> None:
    script = """require 'nn'
    local m = nn.Linear(200, 200)
    m.weight:storage():resize(1)
    m.bias:storage():resize(1)
    collectgarbage()
    m:forward(torch.ones(5, 200))
    m:backward(torch.ones(5, 200), torch.ones(5, 200))
    return m.output[1][2], m"""
    value, module = runtime.execute(script)
    assert value == 0
    assert torch.isfinite(module(torch.ones(2, 200, dtype=torch.float64))).all()


def test_strings_of_storages(runtime: Runtime) -> None:
    script = """local s = torch.CharStorage():string('abcdefgh')
    local t = torch.CharTensor(s)
    s:string('xy')
    return s:string(), s:size(), t:size(1), t[2], t[3]"""
    assert runtime.execute(script) == ("xy", 2, 8, 121, 0)


def test_a_storage_that_nobody_looks_at_is_made_smaller(runtime: Runtime) -> None:
    storage = runtime.execute("local s = torch.DoubleStorage(1e6) s:resize(10) return s")
    assert storage.untyped.nbytes() == 80
