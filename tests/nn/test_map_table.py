"""MapTable: what the golden cases leave out."""

from __future__ import annotations

import pytest
import torch

from tests.golden_cases import modules_of_every_class
from tests.inner_runtime import InnerRuntime as Runtime
from tests.nn.faces import assert_faces_agree, values
from torch7py.bridge.errors import LuaError
from torch7py.nn.linear import Linear
from torch7py.nn.map_table import MapTable

pytestmark = pytest.mark.whole  # they found faults


def test_the_clones_share_one_set_of_parameters() -> None:
    layer = MapTable(Linear(3, 2))
    assert_faces_agree(layer, [values(3), values(3, start=1), values(3, start=2)])
    assert len(list(layer.parameters())) == 2


def test_clones_of_their_own() -> None:
    layer = MapTable(Linear(3, 2), False)
    assert_faces_agree(layer, [values(4, 3), values(4, 3, start=1)])
    assert len(list(layer.parameters())) == 4


def test_gradients_add_up_once(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local m, x = nn.MapTable(nn.Linear(2, 1)), {torch.ones(2), torch.ones(2)}
        m:forward(x)
        m:zeroGradParameters()
        m:backward(x, {torch.ones(1), torch.ones(1)}, 2)
        local before = m.module.bias[1]
        m:updateParameters(0.5)
        local w, g = m:getParameters()
        return m.module.gradBias[1], before - m.module.bias[1], w:nElement(), #m:parameters()
        """
    ) == (4, pytest.approx(2), 3, 4)


def test_modules_as_a_script_sees_them(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local m, x = nn.MapTable(), torch.ones(2)
        local r = {tostring(m), rawequal(m:add(nn.Linear(2, 2)), m), #m.modules}
        m:forward{x, x, x}
        r[#r + 1] = #m.modules
        r[#r + 1] = rawequal(m.module, m.modules[1])
        r[#r + 1] = m.modules[3].weight:storage() == m.module.weight:storage()
        m:resize(2)
        r[#r + 1] = #m.modules
        m:clearState()
        r[#r + 1] = #m.modules
        r[#r + 1] = #m.output
        return unpack(r)
        """
    ) == ("nn.MapTable { }", True, 1, 3, True, True, 2, 1, 0)


def test_a_smaller_table_later(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local m, x = nn.Sequential():add(nn.MapTable(nn.Tanh())), torch.ones(2)
        m:forward{x, x, x}
        local o = m:forward{x}
        return #o, #m:backward({x}, {x})
        """
    ) == (1, 1)


def test_a_module_defined_in_lua(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local Count, parent = torch.class('nn.Count', 'nn.Module')
        function Count:__init() parent.__init(self) self.calls = 0 end
        function Count:updateOutput(x) self.calls = self.calls + 1 self.output = x * 2 return self.output end
        function Count:updateGradInput(x, g) self.gradInput = g * 3 return self.gradInput end
        local m, x = nn.Sequential():add(nn.MapTable(nn.Count())), {torch.ones(2), torch.ones(3) * 2}
        local o = m:forward(x)
        local g = m:backward(x, o)
        return o[1][1], o[2][3], g[1][1], g[2][3], m:get(1).module.calls
        """
    ) == (2, 4, 6, 12, 1)


def test_conversion_keeps_sharing(runtime: Runtime) -> None:
    assert runtime.execute(
        """
        require 'nn'
        local m = nn.MapTable(nn.Linear(2, 1))
        m:forward{torch.ones(2), torch.ones(2)}
        m:float()
        local n = m:clone()
        n.module.bias:fill(7)
        return m.modules[2].bias:storage() == m.module.bias:storage(), torch.type(m.modules[2].bias),
           n.modules[2].bias[1], m.module.bias[1] == 7
        """
    ) == (True, "torch.FloatTensor", 7, False)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("nn.MapTable():forward{x}", "nn.MapTable holds no module"),
        ("nn.MapTable(nn.Tanh()):add(nn.Tanh())", "nn.MapTable holds one module"),
        ("nn.MapTable(nn.Tanh()):forward(x)", "nn.MapTable: the input must be a table"),
        ("nn.MapTable(nn.Tanh()):forward{}", "nn.MapTable: the input must be a table"),
        ("nn.MapTable(nn.Tanh()):backward({x, x}, {x})", "nn.MapTable: the gradOutput must be a table of 2"),
    ],
)
def test_bad_input(runtime: Runtime, code: str, message: str) -> None:
    with pytest.raises(LuaError, match=rf"^test.lua:2: {message}"):
        runtime.execute(f"require 'nn' local x = torch.ones(2, 3)\nlocal r = {code}", "@test.lua")


def test_without_a_module_there_are_no_parameters() -> None:
    assert list(MapTable().parameters()) == []
    assert MapTable().torch7_parameters() == ([], [])
    assert torch.is_tensor(MapTable(Linear(2, 1)).torch7_parameters()[0][0])


@pytest.mark.parametrize(
    ("layer", "input", "expected"),
    [
        ("nn.MapTable(nn.MulConstant(2))", "{x, x}", [[2, 2], [4, 4]]),
        ("nn.ParallelTable():add(nn.MulConstant(2)):add(nn.Identity())", "{x, x}", [[2, 2], [2, 2]]),
        ("nn.FlattenTable()", "{x, x}", [[1, 1], [2, 2]]),
        ("nn.SplitTable(1)", "torch.ones(2, 2)", [[1, 1], [2, 2]]),
    ],
)
def test_more_gradients_than_outputs(layer: str, input: str, expected: list[list[float]]) -> None:
    """What follows those that are needed is not looked at."""
    with Runtime() as runtime:
        runtime.execute(
            f"require 'nn' local x = torch.ones(2) layer, input = {layer}, {input} layer:forward(input)"
            " result = layer:backward(input, {x, x * 2, x * 3})"
        )
        found = runtime.globals["result"]
        assert [row.tolist() for row in found] == expected


NUMBERED = """require 'rnn' require 'nnx' require 'nngraph'
function R(...) return torch.rand(...):add(0.1) end
U, P = R, R
function I(n, ...) return torch.Tensor(...):random(1, n) end
function L(t) return torch.LongTensor(t) end
function T(t) return torch.Tensor(t) end
function joined(n, m) return nn.Sequential():add(nn.JoinTable(1, 1)):add(nn.Linear(n, m)) end
function pooled(p, x) p:forward(x) return p end
local called, others = 0, 0
function nn.Container:rethrowErrors(module, number, method, ...)
   called = called + 1
   if self.modules[number] ~= nil and self.modules[number] ~= module then others = others + 1 end
   return module[method](module, ...)
end

-- In containers at any depth: how many calls said which module they are for, and how many of them named another one.
function numbered(module, input)
   local function value(text) return assert(loadstring('return ' .. text))() end
   local m, x = nn.Sequential():add(nn.Sequential():add(value(module))), value(input)
   called, others = 0, 0
   for turn = 1, 2 do
      for step = 1, 2 do m:forward(x) end
      m:clearState()
      if m.forget then m:forget() end
      m:forward(x)
   end
   return called, others
end"""


def test_a_containers_modules_are_those_that_run() -> None:
    """Of every class: those also that are made as it runs, in containers at any depth."""
    # Of a cleared tensor nn.Probe has nothing to say.
    cases = [case for case in modules_of_every_class() if case["class"] != "nn.Probe"]
    with Runtime() as runtime:
        runtime.execute(NUMBERED)
        for case in cases:
            called, others = runtime.globals["numbered"](case["expr"], case["input"])
            assert called >= 12, case["expr"]
            assert others == 0, case["expr"]
