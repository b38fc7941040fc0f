"""Pools of threads in pages: their jobs are done in turn, and end callbacks come in the order of the jobs."""

from __future__ import annotations

from pathlib import Path

import torch

from torch7py.translate.native.program import translate_script
from torch7py.translate.page_library.threads import Pool, threads
from torch7py.translate.verify_script import verify_script

PROGRAM = """local Threads = require 'threads'
Threads.serialization('threads.sharedserialize')
torch.manualSeed(1)
local data = torch.range(1, 20)
local pool, sizes = Threads(2, function(idx) _G.scale = 3 end, function(idx) return data:size(1) end)
print(sizes[1][1])
local sum = 0
for i = 1, 9 do
   pool:addjob(function()
      local part = data:narrow(1, 2 * i, 2) * scale
      return i, part
   end, function(n, part)
      sum = sum + part:sum()
      print('batch', n, part:sum())
   end)
end
print(pool:hasjob(), pool:acceptsjob())
pool:synchronize()
pool:terminate()
print(sum)
"""


def test_jobs_and_their_callbacks(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(PROGRAM)
    page = translate_script(path.read_bytes(), "p.lua")
    assert page.problems == []
    assert verify_script(page, path).lines == 12


def test_a_callback_waits_until_it_is_asked_for() -> None:
    pool, results = threads(2, lambda _: None, lambda number: (number, "a"))
    assert results == [[1, "a"], [1, "a"]]
    called = list[object]()
    pool.addjob(lambda: (1, 2), lambda *args: called.append(args))
    pool.addjob(lambda x: x + 1, called.append, 4)
    assert called == []
    pool.dojob()
    assert called == [(1, 2)]
    pool.synchronize()
    assert called == [(1, 2), 5]
    assert not pool.hasjob()


def test_jobs_draw_numbers_of_their_own() -> None:
    torch.manual_seed(3)
    alone = torch.rand(2)
    torch.manual_seed(3)
    pool = Pool(1)
    pool.addjob(lambda: torch.manual_seed(8))
    assert torch.equal(torch.rand(2), alone)


def test_functions_with_different_numbers_of_results(tmp_path: Path) -> None:
    source = """local function one() return 1 end
local function two() return 1, 2 end
local fs = {one, two}
for i = 1, 2 do
   local f = fs[i]
   local t = {f()}
   print(#t, f())
   local a, b = f()
   print(a, b)
   print((f()))
end
local jobs = {}
if #arg > 0 then
   function jobs:add(f, g) g(f()) end
else
   function jobs:add(f, g) g(f(), 5) return 3 end
end
jobs:add(function() return 1 end, function(x, y) print(x, y) end)
jobs:add(function() return 1, 2 end, function(x, y, z) print(x, y, z) end)
"""
    path = tmp_path / "p.lua"
    path.write_text(source)
    page = translate_script(path.read_bytes(), "p.lua")
    assert page.problems == []
    assert verify_script(page, path).lines == 8


def test_a_mutex_waits_for_no_job(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text("""local threads = require 'threads'
local mutex = threads.Mutex()
local id = mutex:id()
local pool = threads.Threads(2, threads.safe(function(n)
   function job(x) local m = threads.Mutex(id) m:lock() local y = x * 2 m:unlock() return y end
end))
local sum = 0
for i = 1, 5 do pool:addjob(function() return job(i) end, function(y) sum = sum + y end) end
pool:synchronize()
print(sum)
mutex:free()
pool:terminate()
""")
    page = translate_script(path.read_bytes(), "p.lua")
    assert page.problems == []
    assert verify_script(page, path).lines == 1
