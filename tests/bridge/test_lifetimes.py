"""What Lua and Python hold of each other: nothing is freed too early, nothing is kept for ever."""

from __future__ import annotations

import gc
import resource
import tracemalloc
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.alive import alive
from tests.inner_runtime import InnerRuntime as Runtime
from torch7py.nn.base import Module


def lua(runtime: Runtime, code: str) -> Any:
    return runtime.execute(code, "@test.lua")


def settle(runtime: Runtime) -> None:
    """Let both collectors finish."""
    for _ in range(4):
        lua(
            runtime,
            "collectgarbage() collectgarbage() for i = 1, 500 do local t = torch.Tensor(1) end collectgarbage()",
        )
        gc.collect()


def held_modules(runtime: Runtime) -> int:
    return sum(isinstance(obj, Module) for obj in runtime.handles.objects.values())


def test_tensors_taken_again_in_the_middle_of_a_collection(runtime: Runtime) -> None:
    """lupa's own objects are freed under Lua in this pattern; handles are not."""
    lua(
        runtime,
        """
        require 'nn'
        layers = {}
        for i = 0, 499 do layers[i] = nn.Linear(1, 1) layers[i].weight:fill(i) end
        keep = {}
        for rep = 1, 40 do
           for i = 0, 499 do
              local w = layers[i].weight
              if (i + rep) % 20 == 0 then keep[i] = w end
           end
           collectgarbage('step', 1)
        end
        """,
    )
    assert lua(
        runtime,
        """
        local bad, n = 0, 0
        for i, w in pairs(keep) do
           n = n + 1
           if w[1][1] ~= i then bad = bad + 1 end
        end
        return bad, n
        """,
    ) == (0, 500)


def test_a_function_outlives_its_coroutine(runtime: Runtime) -> None:
    """lupa's own function objects crash once the coroutine that passed them is collected."""
    lua(
        runtime,
        """
        require 'nn'
        m = nn.Sequential():add(nn.Tanh())
        results = {}
        for i = 1, 100 do
           local co = coroutine.create(function()
              local up = i
              m:apply(function(module) results[#results + 1] = up end)
              return function() return up end
           end)
           local ok, f = coroutine.resume(co)
           assert(ok, f)
           _G['f' .. i] = f
        end
        collectgarbage() collectgarbage()
        """,
    )
    functions = [runtime.globals[f"f{i}"] for i in range(1, 101)]
    lua(
        runtime,
        "for i = 1, 100 do _G['f' .. i] = nil end collectgarbage() local t = {} for i = 1, 1e4 do t[i] = {i} end",
    )
    assert [f() for f in functions] == list(range(1, 101))
    assert lua(runtime, "return #results") == 200


def test_modules_in_cycles_are_collected(runtime: Runtime) -> None:
    lua(runtime, "require 'nn'")
    before = held_modules(runtime)
    lua(
        runtime,
        """
        for i = 1, 500 do
           local m = nn.Linear(4, 4)
           m.self = m
           m.callback = function() return m end
           local s = nn.Sequential():add(m)
           m.parent = s
           s:forward(torch.ones(4))
        end
        """,
    )
    settle(runtime)
    assert held_modules(runtime) == before


def test_a_root_handed_to_python_keeps_its_lua_parts(runtime: Runtime) -> None:
    lua(
        runtime,
        """
        require 'nn'
        local Count, parent = torch.class('nn.Count', 'nn.Module')
        function Count:__init() parent.__init(self) self.n = 0 end
        function Count:updateOutput(input) self.n = self.n + 1 self.output = input * self.n return self.output end
        model = nn.Sequential():add(nn.Count())
        """,
    )
    model = runtime.globals["model"]
    lua(runtime, "model = nil")
    settle(runtime)
    x = torch.ones(2, dtype=torch.float64)
    assert [model(x)[0].item() for _ in range(3)] == [1, 2, 3]


def test_temporaries_do_not_pile_up(runtime: Runtime) -> None:
    lua(runtime, "for i = 1, 3000 do local t = torch.Tensor(10) end")
    settle(runtime)
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    lua(runtime, "for i = 1, 100000 do local t = torch.Tensor(10) end")
    lua(runtime, "for i = 1, 1500 do local t = torch.Tensor(131072) end")
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) / 1024
    assert grown < 600, f"{grown:.0f} MB"


@pytest.mark.slow
def test_a_million_temporaries(runtime: Runtime) -> None:
    start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    lua(runtime, "for i = 1, 1e6 do local t = torch.Tensor(10) end")
    lua(runtime, "for i = 1, 3000 do local t = torch.Tensor(131072) end")
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) / 1024
    assert grown < 600, f"{grown:.0f} MB"


@pytest.mark.parametrize(
    "call", ["x:float()", "x:type('torch.IntTensor')", "x:t():contiguous()", "x:clone()"]
)
def test_new_memory_counts_however_it_was_made(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Lua's collector sees small objects only: it is told of their memory, in time."""
    monkeypatch.setattr("torch7py.bridge.runtime.COLLECT_AFTER", 1 << 20)
    runtime.handles.limit = 1 << 20
    lua(runtime, "x = torch.zeros(100, 100) collectgarbage()")
    before = len(runtime.handles)
    lua(runtime, f"for i = 1, 400 do local y = {call} end")
    assert len(runtime.handles) < before + 60


@pytest.mark.parametrize(
    "call", ["x:double()", "x:contiguous()", "x:t()", "x:view(-1)", "x:narrow(1, 1, 50)"]
)
def test_memory_that_was_there_does_not_count_again(runtime: Runtime, call: str) -> None:
    lua(runtime, "x = torch.zeros(100, 100) collectgarbage()")
    before = runtime.handles.allocated
    lua(runtime, f"for i = 1, 100 do local y = {call} end")
    assert runtime.handles.allocated == before


def test_runtimes_side_by_side() -> None:
    first, second = Runtime(seed=1), Runtime(seed=1, dtype="float32")
    lua(first, "require 'nn' m = nn.Linear(2, 2) X = 1 function nn.Linear:hello() return 'first' end")
    lua(second, "require 'nn' m = nn.Linear(2, 2)")
    assert lua(first, "return m:hello(), torch.type(m.weight)") == ("first", "torch.DoubleTensor")
    assert lua(second, "return nn.Linear.hello == nil and X == nil, torch.type(m.weight)") == (
        True,
        "torch.FloatTensor",
    )
    weight = first.globals["m"].weight
    assert torch.allclose(weight.float(), second.globals["m"].weight)
    first.close()
    assert lua(second, "return m:forward(torch.ones(2)):size(1)") == 2
    assert weight.shape == (2, 2)
    second.close()


def test_runtimes_one_after_another_leave_nothing() -> None:
    references = []
    for _ in range(3):
        runtime = Runtime()
        lua(runtime, "require 'nn' m = nn.Sequential():add(nn.Linear(3, 3)) m:forward(torch.ones(3))")
        references.append(weakref.ref(runtime.globals["m"]))
        references.append(weakref.ref(runtime))
        runtime.close()
        del runtime
    gc.collect()
    assert [reference() for reference in references] == [None] * 6


def test_without_a_search_for_garbage_little_is_left() -> None:
    runtime = Runtime()
    lua(runtime, "require 'nn' m = nn.Sequential():add(nn.Linear(3, 3)) m:forward(torch.ones(3))")
    gc.collect()
    gc.disable()
    try:
        runtime.close(collect=False)
        del runtime
        assert gc.collect() < 1000  # what Lua held alone is more than 5000 objects
    finally:
        gc.enable()


def test_a_closed_runtime_says_so(runtime: Runtime) -> None:
    runtime.close()
    with pytest.raises(RuntimeError, match="closed"):
        lua(runtime, "return 1")


@pytest.mark.parametrize(
    "copied", ["m:clone()", "m:clone('weight')", "torch.deserialize(torch.serialize(m))"]
)
def test_copies_of_modules_are_collected_while_the_program_runs(runtime: Runtime, copied: str) -> None:
    alive = lua(
        runtime,
        f"""
        require 'nn'
        local seen = setmetatable({{}}, {{__mode = 'k'}})
        local m = nn.Sequential():add(nn.Linear(2, 2))
        m.note = {{m}}
        for i = 1, 10 do
           m = {copied}
           seen[m] = true
        end
        for i = 1, 3 do collectgarbage() end
        local n = 0
        for _ in pairs(seen) do n = n + 1 end
        return n
        """,
    )
    assert alive < 4  # what was left in a register lives on for a while


def test_dead_modules_in_cycles_are_collected_where_they_hold_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps of a sequence and their module refer to each other."""
    monkeypatch.setattr("torch7py.bridge.runtime.COLLECT_AFTER", 1 << 19)
    gc.collect()
    gc.disable()
    try:
        with Runtime() as runtime:
            lua(
                runtime,
                """
                require 'rnn'
                local x = torch.randn(2, 60)
                for i = 1, 40 do nn.Sequencer(nn.Linear(60, 60)):forward{x, x} end
                """,
            )
            weights = sum(
                type(obj) is torch.nn.Parameter and obj.shape == (60, 60) for obj in gc.get_objects()
            )
    finally:
        gc.enable()
    assert weights < 25


def test_files_in_memory_are_freed_with_their_last_use(runtime: Runtime) -> None:
    """Of a file Lua holds a number: its collector does not know how large the file is."""
    tracemalloc.start()
    try:
        lua(
            runtime,
            """
            local s = ('x'):rep(1e6)
            for i = 1, 20 do
               assert(torch.deserialize(torch.serialize(s)) == s)
               local f = torch.MemoryFile()
               f:writeObject(s)
               f:close()
            end
            """,
        )
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert held < 4e6


REPEATED = Path(__file__).with_name("repeated_actions.lua")


@pytest.mark.slow
def test_what_programs_do_again_and_again_leaves_nothing(runtime: Runtime) -> None:
    runtime.execute(REPEATED.read_text())
    grown = {}
    for name in runtime.execute("return actions()"):
        counts = []
        for _ in range(6):  # memory that Lua holds takes some time
            runtime.execute(f"act('{name}', 40)")
            counts.append(alive())
            if len(counts) > 1 and all(now <= before for now, before in zip(*counts[:-3:-1], strict=True)):
                break
        else:
            grown[name] = counts
    runtime.execute("finish()")
    assert grown == {}
