"""forward and backward of layers whose methods are a script's: what the original does, without Python."""

from __future__ import annotations

from typing import Any

import pytest

from torch7py.bridge import step_programs
from torch7py.bridge.module_proxies import ModuleProxies
from torch7py.bridge.runtime import Runtime

PROGRAM = """
require 'nn'
local log = {}
local function note(...) log[#log + 1] = table.concat({...}, ' ') end
local A = torch.class('nn.A', 'nn.Module')
function A:updateOutput(x, more)
   note('out', tostring(more))
   self.output = x * 2
   if self.more then return self.output, self.more end
   return self.output
end
function A:updateGradInput(x, g, more) note('in', tostring(more)) self.gradInput = g * 2 return 'unused' end
function A:accGradParameters(x, g, scale) note('acc', tostring(scale)) end
local x = torch.ones(2)
local a = nn.A() a.more = 'more'
note(select('#', a:forward(x)), select(2, a:forward(x)))
note(tostring(a:backward(x, x) == a.gradInput), a.gradInput[1])
a:backward(x, x, 0.5)
a:backward(x, x, 0)
a.gradInput = nil
function a:updateGradInput() note('own') end
note(tostring(a:backward(x, x)))
-- only one half is a script's
local B = torch.class('nn.B', 'nn.Linear')
function B:__init() nn.Linear.__init(self, 2, 1) self.weight:fill(1) self.bias:zero() self:zeroGradParameters() end
function B:accGradParameters(x, g, scale) note('B acc', scale) nn.Linear.accGradParameters(self, x, g, 2 * scale) end
local b = nn.B()
note(b:forward(x)[1])
b:backward(x, torch.ones(1), 3)
note(b.gradWeight[1][1], b.gradInput[2])
-- neither: the layer's own
local C = torch.class('nn.C', 'nn.Linear')
function C:updateOutput(x) note('C out') return nn.Linear.updateOutput(self, x) end
local c = nn.C(2, 1) c.weight:fill(1) c.bias:zero() c:zeroGradParameters()
note(c:forward(x)[1], c:backward(x, torch.ones(1))[1], c.gradWeight[1][2])
-- criterions
local D = torch.class('nn.D', 'nn.Criterion')
function D:updateOutput(x, t) note('D', tostring(t)) self.output = 7 return self.output end
function D:updateGradInput(x, t) self.gradInput = x * 3 return self.gradInput end
local d = nn.D()
note(d:forward(x), d:forward(x, 1), d:backward(x, 1)[2], d.output)
-- within containers, whose methods are others'
local s = nn.Sequential():add(nn.A()):add(nn.MulConstant(3))
note(s:forward(x)[1], s:backward(x, x)[1])
local E = torch.class('nn.E', 'nn.Sequential')
function E:updateOutput(x) note('E') return nn.Sequential.updateOutput(self, x) end
local e = nn.E() e:add(nn.MulConstant(5))
note(e:forward(x)[1], e:backward(x, x)[1])
-- errors are the values that they are
function A:updateOutput(x) error({code = 4}) end
local ok, err = pcall(function() return a:forward(x) end)
note(tostring(ok), type(err), err.code)
function A:updateOutput(x) error('said') end
ok, err = pcall(function() return a:forward(x) end)
note(tostring(ok), (err:match('said')))
-- methods that come and go
A.updateOutput = nil
note(tostring(a:forward(x) == a.output))
local forward = nn.Module.forward
function nn.Module:forward(x) note('mine') return forward(self, x) end
function A:updateOutput(x) note('again') self.output = x return x end
note(a:forward(x)[1])
nn.Module.forward = forward
note(a:forward(x)[1])
return table.concat(log, ';')
"""

# What the original (nn of 2017) notes.
NOTED = """
out nil
out nil
2 more
in nil
acc 1
true 2
in nil
acc 0.5
in nil
acc 0
own
acc 1
nil
2
B acc 3
6 1
C out
2 1 1
D nil
D 1
7 7 3 7
out nil
in nil
acc 1
6 6
E
5 5
false table 4
false said
true
mine
again
1
again
1
"""


@pytest.mark.parametrize("in_lua", [True, False])
def test_passes_of_scripts_are_the_originals(in_lua: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_programs, "lua_takes_steps", lambda: in_lua)
    with Runtime() as runtime:
        assert runtime.execute(PROGRAM).split(";") == NOTED.strip().split("\n")


def test_nothing_of_python_is_called(monkeypatch: pytest.MonkeyPatch, lua_name: str) -> None:
    if lua_name == "lua51":
        pytest.skip("plain Lua leaves all passes to Python")
    called: list[str] = []
    method = ModuleProxies.method

    def watched(proxies: ModuleProxies, class_name: str, name: str) -> Any:
        call = method(proxies, class_name, name)

        def noted(*arguments: Any) -> Any:
            called.append(name)
            return call(*arguments)

        return noted

    monkeypatch.setattr(ModuleProxies, "method", watched)
    with Runtime() as runtime:
        runtime.execute("""
            require 'nn'
            local Twice = torch.class('nn.Twice', 'nn.Module')
            function Twice:updateOutput(x) self.output = x * 2 return self.output end
            function Twice:updateGradInput(x, g) self.gradInput = g * 2 return self.gradInput end
            local m, x = nn.Twice(), torch.ones(3)
            for _ = 1, 5 do m:forward(x) m:backward(x, x) end
        """)
    assert called == []


LAYER = """
    require 'nn'
    local Twice = torch.class('nn.Twice', 'nn.Module')
    function Twice:updateOutput(x)
       self.output = x * 2
       return self.output
    end
    m, x = nn.Twice(), torch.ones(3)
    for i = 1, 3 do m:forward(x * i) end
"""


@pytest.mark.parametrize(
    "look",
    [
        "local found for name, value in pairs(m) do if name == 'output' then found = value end end return found",
        "return m:clone().output",
        "return torch.deserialize(torch.serialize(m)).output",
        "return nn.Sequential():add(m):get(1).output",
        "m.output = nil m:forward(x * 3) for name, value in pairs(m) do if name == 'output' then return value end end",
        "m:float() return m.output:double()",
        "m.output = m.output + 1 m.output:add(-1) return m.output",
        "m:forward(x) m.output = x * 6 nn.Linear(1, 1):forward(torch.ones(1)) return m.output",
    ],
)
def test_whoever_looks_finds_the_last_output(look: str) -> None:
    with Runtime() as runtime:
        runtime.execute(LAYER)
        assert runtime.execute(look).tolist() == [6, 6, 6]


def test_python_finds_the_last_output() -> None:
    with Runtime() as runtime:
        runtime.execute(LAYER)

        def output() -> Any:
            return runtime.globals["m"].output

        assert output().tolist() == [6, 6, 6]
        runtime.execute("m:forward(x) m.output = nil")
        assert output() is None
        runtime.execute("m:forward(x) m.output = 7")
        assert output() == 7
        runtime.execute("for _ = 1, 300 do m:forward(x) end m:forward(x * 5)")
        assert output().tolist() == [10, 10, 10]
