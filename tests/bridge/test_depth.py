"""Recursion without end and values without bounds: an error of the program, never the end of the process."""

from __future__ import annotations

import pytest

from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime

ENDLESS = {
    "a function": "local function f() f() return 1 end f()",
    "pcall": "local function f() local ok, e = pcall(f) if not ok then error(e, 0) end end f()",
    "__tostring": """local mt = {} mt.__tostring = function(x) return tostring(x) .. 'a' end
        tostring(setmetatable({}, mt))""",
    "__index": "local mt = {} mt.__index = function(x, k) return x[k] + 1 end local _ = setmetatable({}, mt).a",
    "coroutine.wrap": "local function f() return coroutine.wrap(f)() end f()",
    "coroutine.resume": """local function f()
        local ok, e = coroutine.resume(coroutine.create(f)) if not ok then error(e, 0) end end f()""",
    "a container in itself": "require 'nn' local m = nn.Sequential() m:add(m) m:forward(torch.ones(1))",
    "clone of a deep model": """require 'nn' local m = nn.Identity()
        for i = 1, 5000 do m = nn.Sequential():add(m) end m:clone()""",
    "a layer that calls itself": """require 'nn' local L = torch.class('LL', 'nn.Module')
        function L:updateOutput(x) return nn.Sequential():add(self):forward(x) end LL():forward(torch.ones(1))""",
    "source": "assert(loadstring('return ' .. ('('):rep(100000)))",
    "a nest that holds itself, in coroutine.wrap": """require 'torchx' local d = {} d[1] = d
        coroutine.wrap(function() torchx.recursiveNew(d) end)()""",
    "tables for a layer": "require 'nn' local d = {} for i = 1, 1e5 do d = {d} end nn.Identity():forward(d)",
    "a table of numbers": "local d = {1} for i = 1, 1e5 do d = {d} end torch.Tensor(d)",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_recursion_without_end(runtime: Runtime, name: str) -> None:
    with pytest.raises(LuaError) as caught:
        runtime.execute(ENDLESS[name], "=deep.lua")
    first = caught.value.message.split("\n")[0]
    # Where a handler finds no room on the stack either, LuaJIT gives its bare words.
    assert first.startswith("deep.lua:") or first == "stack overflow", first
    assert "Traceback" not in caught.value.message
    assert "[torch7py]" not in first
    assert runtime.execute("return 1 + 1") == 2


def test_coroutines_within_coroutines_as_ever(runtime: Runtime) -> None:
    script = """local function walk(n)
       if n > 0 then
          coroutine.yield(n)
          for v in coroutine.wrap(function() walk(n - 1) end) do coroutine.yield(v) end
       end
    end
    local seen = {}
    for v in coroutine.wrap(function() walk(20) end) do seen[#seen + 1] = v end
    for i = 1, 30000 do
       local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end)
       assert(co(i) == i + 1 and co(i) == 2 * i)
    end
    local failing = coroutine.wrap(function() error('here') end)
    return #seen, seen[20], select('#', coroutine.wrap(function(...) return ... end)(nil, nil)), pcall(failing)"""
    *values, ok, message = runtime.execute(script)
    assert values == [20, 1, 2]
    assert not ok
    assert message.endswith("here")


def test_wrap_takes_functions_alone(runtime: Runtime) -> None:
    with pytest.raises(LuaError, match="function expected"):
        runtime.execute("coroutine.wrap(1)")


def test_an_expanded_tensor_of_endless_size(runtime: Runtime) -> None:
    script = """local x, n = torch.ones(1, 1):expand(2 ^ 20, 2 ^ 20), 0
    local function enough() n = n + 1 if n > 9000 then error('enough', 0) end end
    local _, a = pcall(x.apply, x, enough)
    local _, b = pcall(x.map, x, x, enough)
    local _, c = pcall(x.totable, x)
    return a, b, c, n"""
    first, second, third, count = runtime.execute(script, "=big.lua")
    assert (first, second, count) == ("enough", "enough", 9002)
    assert third == "big.lua:5: a table has no room for 1099511627776 elements"


def test_a_function_that_moves_the_memory_it_is_called_for(runtime: Runtime) -> None:
    script = """local x, n = torch.range(1, 200), 0
    x:apply(function(v) n = n + 1 x:storage():resize(200 + 5000 * n) return v + 1 end)
    local y = torch.range(1, 900):resize(30, 30):t()
    y:apply(function(v) y:storage():resize(900 + y:storage():size()) return -v end)
    local z = torch.ones(10)
    return x:sum(), y:sum(), pcall(z.apply, z, function() z:resize(100000) return 3 end)"""
    total, turned, ok, message = runtime.execute(script, "=move.lua")
    assert (total, turned, ok) == (20300, -405450, False)
    assert message == "move.lua:6: apply: the function gave a tensor another size"


def test_values_of_a_failed_call_go_with_it(runtime: Runtime) -> None:
    """Values of a coroutine that Python keeps longer than Lua the coroutine are the end of the process."""
    script = """require 'nn'
    for i = 1, 300 do
       coroutine.wrap(function() pcall(function() nn.Identity():read({}, {}) end) end)()
       if i % 50 == 0 then collectgarbage() end
    end
    return pcall(function() nn.Identity():read({}, {}) end)"""
    ok, message = runtime.execute(script, "=read.lua")
    assert not ok
    assert message == "read.lua:6: nn.Identity: the version of a class is a number"


def test_a_program_does_not_see_lupas_own_functions(runtime: Runtime) -> None:
    assert runtime.execute("return python == nil, package.loaded.python == nil, pcall(require, 'python')")[
        :3
    ] == (
        True,
        True,
        False,
    )
