"""Copies of random graphs of objects, by clone, serialize and save: what is shared, and what refers to what.

The original's output for the programs is in ``golden/object_graphs.json.gz``. Longer searches make their own with
``object_graphs.program(first, count)``.
"""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from tests.bridge import object_graphs
from tests.golden_cases import modules_of_every_class
from torch7py.bridge.errors import LuaError
from torch7py.bridge.runtime import Runtime

pytestmark = pytest.mark.whole  # they found faults

GOLDEN = Path(__file__).parent.parent / "golden" / "object_graphs.json.gz"
PROGRAMS = json.loads(gzip.decompress(GOLDEN.read_bytes()))


def lines_by_name(output: str) -> dict[str, str]:
    """The lines about copies by graph and way; the others count by themselves, for ``pairs`` goes another way here."""
    found: dict[str, str] = {}
    for line in output.splitlines():
        match = re.match(r"\d+ (ascii file|\w+) ", line)
        found[match.group() if match else line.rstrip()] = line.rstrip()
    return found


@pytest.mark.sampled(2)
@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_copies_are_the_originals(number: int, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with Runtime() as runtime:
        if runtime.execute("return debug.upvalueid == nil"):
            pytest.skip("this Lua cannot tell whether functions have a variable in common")
        runtime.execute(object_graphs.PRELUDE + PROGRAMS[number]["source"], "@object_graphs.lua")
        runtime.execute("io.stdout:flush()")
    found, expected = (
        lines_by_name(capfdbinary.readouterr().out.decode("latin1")),
        lines_by_name(PROGRAMS[number]["output"]),
    )
    assert found.keys() == expected.keys()
    assert {name: line for name, line in found.items() if line != expected[name]} == {}


# What holds of a copy, with Lua that cannot tell about variables too: a program that returns whether it does.
CYCLES = {
    "a child's function has its container": """
        l.f = function() return m end
        local c = copy(m)
        return c:get(1).f() == c and c ~= m""",
    "a child's field is its container": "l.u = m local c = copy(m) return c:get(1).u == c",
    "a child's table has its container": "l.u = {p = m} local c = copy(m) return c:get(1).u.p == c",
    "a grandchild has the root": """
        local r = nn.Sequential():add(m)
        l.u = r
        local c = copy(r)
        return c:get(1):get(1).u == c""",
    "a sibling": "m:add(nn.Tanh()) l.u = m:get(2) local c = copy(m) return c:get(1).u == c:get(2)",
    "itself": "m.u = m local c = copy(m) return c.u == c",
    "a criterion has the model": """
        local e = nn.MSECriterion()
        e.u, m.e = m, e
        local c = copy(m)
        return c.e.u == c""",
    "the list of children": "m.u = m.modules local c = copy(m) return c.u == c.modules and c.u[1] == c:get(1)",
    "a copy computes": """
        l.u = m
        return torch.equal(copy(m):forward(torch.ones(2)), m:forward(torch.ones(2)))""",
    "a method that keeps the built-in one": """
        local f = l.updateOutput
        l.updateOutput = function(self, x) return f(self, x):mul(2) end
        return torch.equal(copy(m):forward(torch.ones(2)), m:forward(torch.ones(2)))""",
    "a built-in method": "m.u = nn.Linear.reset return rawequal(copy(m).u, nn.Linear.reset)",
    "a function of a package": "m.u = optim.sgd return rawequal(copy(m).u, optim.sgd)",
    "a package and a constructor": """
        local n, L = nn, nn.Linear
        m.u = function() return n, L end
        local a, b = copy(m).u()
        return rawequal(a, nn) and rawequal(b, nn.Linear)""",
    "a hash of the package tds": """
        m.u = require('tds').Hash()
        m.u.a = 3
        local c = copy(m)
        return c.u.a == 3 and c.u ~= m.u""",
    "a storage that two have": """
        local s = torch.DoubleStorage{1, 2}
        m.u, m.v, m.w = s, torch.Tensor(s), s
        local c = copy(m)
        c.u[1] = 9
        return c.v[1] == 9 and c.w[1] == 9 and m.u[1] == 1""",
}
COPIES = {
    "clone": "function copy(x) return x:clone() end",
    "serialize": "function copy(x) return torch.deserialize(torch.serialize(x)) end",
    "ascii": "function copy(x) return torch.deserialize(torch.serialize(x, 'ascii'), 'ascii') end",
    "file": "function copy(x) local f = os.tmpname() torch.save(f, x) x = torch.load(f) os.remove(f) return x end",
}


@pytest.fixture(scope="module")
def nn() -> Runtime:
    runtime = Runtime()
    runtime.execute("require 'nn' require 'optim'")
    return runtime


@pytest.mark.parametrize("way", COPIES)
@pytest.mark.parametrize("case", CYCLES)
def test_what_refers_to_what(nn: Runtime, case: str, way: str) -> None:
    start = "local m = nn.Sequential():add(nn.Linear(2, 2)) local l = m:get(1) "
    assert nn.execute(f"{COPIES[way]} {start} {CYCLES[case]}") is True


def test_what_cannot_be_saved_cannot_be_cloned(nn: Runtime) -> None:
    assert nn.execute("""
        local said = {}
        for _, value in ipairs {math.floor, torch.add, io.stdout, coroutine.create(print)} do
           local m = nn.Sequential():add(nn.Linear(2, 2))
           m:get(1).u = {value}
           said[#said + 1] = tostring(select(2, pcall(m.clone, m))):gsub('^.-:%d+: ', '')
        end
        return table.concat(said, '; ')
    """) == "; ".join(
        f"Unwritable object <{kind}> at <?>.<?>.modules.1.<?>.u.1"
        for kind in ("function", "function", "userdata", "thread")
    )


def test_write_and_read_are_called_by_clone(nn: Runtime) -> None:
    counted = nn.execute("""
        local n, write, read = 0, nn.Linear.write, nn.Linear.read
        nn.Linear.write = function(self, file) n = n + 1 return write(self, file) end
        nn.Linear.read = function(self, file) n = n + 10 return read(self, file) end
        local ok, c = pcall(function() return nn.Sequential():add(nn.Linear(2, 2)):add(nn.Linear(2, 3)):clone() end)
        nn.Linear.write, nn.Linear.read = write, read
        assert(ok, c)
        return n
    """)
    assert counted == 22


HELD_BY_THEMSELVES = """require 'rnn' require 'nnx' require 'nngraph'
function R(...) return torch.rand(...):add(0.1) end
U, P = R, R
function I(n, ...) return torch.Tensor(...):random(1, n) end
function L(t) return torch.LongTensor(t) end
function T(t) return torch.Tensor(t) end
function joined(n, m) return nn.Sequential():add(nn.JoinTable(1, 1)):add(nn.Linear(n, m)) end
function pooled(p, x) p:forward(x) return p end

local function is_last(m) return m.modules[#m.modules] == m end

-- For each way to copy a module, whether a copy of it holds itself after it has become its own last child.
function held(module, input)
   local function value(text) return assert(loadstring('return ' .. text))() end
   local m = value(module)
   m:forward(value(input))
   local containers = {}
   for _, part in ipairs(m:listModules()) do
      if part.modules and part.modules[1] then containers[#containers + 1] = part end
   end
   for _, part in ipairs(containers) do part.modules[#part.modules + 1] = part end
   local outer = containers[1]
   if not outer then return end
   return is_last(outer:clone()), is_last(torch.deserialize(torch.serialize(outer)))
end"""


def test_containers_that_hold_themselves() -> None:
    """Of every class: a damaged file may bring them, and the original copies them."""
    # A copy of an nn.Serial is one of the slimmed module.
    cases = [case for case in modules_of_every_class() if case["class"] != "nn.Serial"]
    fixed_number = re.compile(
        r"holds (one|two|\d+) modules?, not \d+"
    )  # classes that take so many modules and no more
    copied = 0
    with Runtime() as runtime:
        runtime.execute(HELD_BY_THEMSELVES)
        for case in cases:
            try:
                answer = runtime.globals["held"](case["expr"], case["input"])
            except LuaError as error:
                if not fixed_number.search(error.message):
                    raise
                continue
            assert answer is None or list(answer) == [True, True], case["expr"]
            copied += answer is not None
    assert copied > 20
