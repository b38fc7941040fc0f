"""What libraries do for values of whatever kind: nothing is refused, and pages give what the program gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.translate.running import in_page
from torch7py.translate.native.analysis.program_facts import NOTHING_KNOWN
from torch7py.translate.native.program import in_one_form, translate_script
from torch7py.translate.verify_script import verify_script

PROGRAMS = {
    "objects of tables that are not written there": """
local Run = {}
Run.__index = Run
function Run.new(n) return setmetatable({n = n}, Run) end
function Run.load(t) return setmetatable(t, Run) end
function Run:twice() return 2 * self.n end
local held = {n = 4, more = {1, 2}}
local r = Run.load(held)
print(Run.new(3):twice(), r:twice(), held:twice(), #r.more, r == held)
""",
    "lines of a file, one by one": """
        local f = io.open('few.txt', 'w') f:write('a b\\nc\\n') f:close()
        local name, count = 'few' .. '.txt', 0
        local following = io.lines(name)
        while true do
           local line = following()
           if not line then break end
           count = count + #line
        end
        print(count)
        os.remove(name)
    """,
    "all of Penlight in brackets": """
        local pl = (require 'pl.import_into')()
        print(pl.path.basename('/a/b.txt'), pl.tablex.size({a = 1, b = 2}))
        printf = pl.utils.printf
        local function both(x) return x, x * 0.5 end
        printf('%d\\t%.4f\\n', both(3))
    """,
    "lists and lines of Penlight": """
        local List = require 'pl.List'
        local stringx = require 'pl.stringx'
        local dir = require 'pl.dir'
        local list = {1, 2, 3}
        local turned = List.reverse(list)
        print(turned[1], #turned, #stringx.splitlines('a\\n\\nb\\n'), #stringx.splitlines(''))
        print(stringx.splitlines('x\\r\\ny')[1], #dir.getallfiles('.', 'no*.such'), path.getmtime('.') > 0)
    """,
    "constants in place": """
        require 'nn'
        torch.manualSeed(2)
        local net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.MulConstant(0.5, true)):add(nn.Tanh())
        net:add(nn.AddConstant(2, true)):add(nn.MulConstant(3))
        local x = torch.range(1, 6):view(2, 3)
        print(net:forward(x):sum(), net:get(1).output:sum(), net:get(3).output:sum())
        net:zeroGradParameters()
        print(net:backward(x, torch.ones(2, 4)):sum(), net:get(1).output:sum(), net:get(3).output:sum())
        print(net:get(1).gradWeight:sum(), net:get(2).constant_scalar, net:get(2).inplace)
        local double, a, gradient = nn.MulConstant(2, true), torch.ones(2), torch.ones(2)
        print(double:forward(a):sum(), a:sum(), double:backward(a, gradient):sum(), a:sum(), gradient:sum())
    """,
    "objects without their constructor": """
        require 'nn'
        torch.manualSeed(3)
        local Around, parent = torch.class('nn.Around', 'nn.Container')
        function Around:__init(n)
           parent.__init(self)
           self.args = {n = n}
           self:build(nn.Linear(n, n))
        end
        function Around:build(net) self.net = net self:add(net) end
        function Around.load(saved)
           local self = torch.factory('nn.Around')()
           parent.__init(self)
           self.args = saved.args
           self:build(saved.module:clone())
           return self
        end
        function Around:updateOutput(input) self.output = self.net:updateOutput(input) return self.output end
        local one = nn.Around(3)
        local other = nn.Around.load({args = one.args, module = one.net})
        print(one:forward(torch.ones(3)):sum(), other:forward(torch.ones(3)):sum(), other.args.n, torch.type(other))
        local Counter = torch.class('nn.Counter')
        function Counter:__init(n) self.n = n end
        function Counter:more() self.n = (self.n or 10) + 1 return self.n end
        local counter = torch.factory('nn.Counter')()
        print(counter:more(), counter:more(), nn.Counter(3):more())
    """,
    "methods for one of nn's classes and what derives from it": """
        require 'nn'
        torch.manualSeed(3)
        function nn.Linear:prune(least)
           if self.mask == nil then self.mask = torch.ByteTensor(self.weight:size()):zero() end
           for i = 1, self.weight:size(1) do
              for j = 1, self.weight:size(2) do
                 if math.abs(self.weight[i][j]) <= least then self.mask[i][j] = 1 end
              end
           end
           self.weight:maskedFill(self.mask, 0)
           return self:pruned()
        end
        function nn.Linear:pruned() return self.mask:sum(), self.mask:nElement() end
        nn.Linear.gradients = nn.Linear.accGradParameters
        function nn.Linear:accGradParameters(input, gradOutput, scale)
           self:gradients(input, gradOutput, scale)
           if self.mask then self.gradWeight:maskedFill(self.mask, 0) end
        end
        torch.class('nn.Unused', 'nn.Linear')
        torch.class('nn.Same', 'nn.Linear')
        local Own, parent = torch.class('nn.Own', 'nn.Linear')
        function Own:__init(n, m) parent.__init(self, n, m) self.name = 'own' end
        function Own:pruned() return self.name end
        for _, made in ipairs{nn.Linear(3, 2), nn.Same(3, 2), nn.Own(3, 2)} do
           local net, x = nn.Sequential():add(made):add(nn.Tanh()), torch.ones(3)
           net:zeroGradParameters()
           print(torch.type(made), made:prune(0.3))
           net:forward(x)
           net:backward(x, torch.ones(2))
           print(net.output:sum(), made.gradWeight:sum())
        end
    """,
    "items of an object by a number": """
        local data = torch.class("data")
        function data:__init(n)
          self.batches = {}
          for i = 1, n do self.batches[i] = {torch.range(1, i), i, 'b' .. i} end
          self.length = n
        end
        function data:size() return self.length end
        function data.__index(self, idx)
          if type(idx) == "string" then
            return data[idx]
          else
            local x = self.batches[idx][1]
            local n = self.batches[idx][2]
            return {x, n, self.batches[idx][3]}
          end
        end
        local d = data.new(3)
        print(d:size(), d.length, d.nothing)
        for i = 1, d:size() do
          local b = d[i]
          local x, n, name = b[1], b[2], b[3]
          print(x:sum(), n, name)
        end
        local batches = {}
        local order = torch.range(3, 1, -1)
        for i = 1, 3 do batches[i] = d[order[i]] end
        print(batches[1][3], #batches)
    """,
    "derivatives of a module by differences": """
        require 'nn'
        torch.manualSeed(1)
        local jac = nn.Jacobian
        local module = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh())
        local input = torch.Tensor(2, 3):uniform(-1, 1)
        local err = jac.testJacobian(module, input)
        print(err < 1e-5)
        local m = nn.Linear(3, 2)
        print(jac.testJacobianParameters(m, input, m.weight, m.gradWeight) < 1e-5)
        print(jac.testJacobianUpdateParameters(m, input, m.bias) < 1e-5)
        local f, b = jac.testIO(module, input)
        print(f, b)
        for t, e in pairs(jac.testAllUpdate(m, input, 'weight', 'gradWeight')) do print(t, e < 1e-6) end
    """,
    "copies of a type and paddings that are computed": """
        require 'nn'
        torch.manualSeed(1)
        local function cast(t) return t:type('torch.FloatTensor') end
        local net = nn.Sequential()
        net:add(nn.Copy('torch.DoubleTensor', torch.type(cast(torch.Tensor()))))
        net:add(nn.Linear(3, 2):float())
        local x = torch.range(1, 6):view(2, 3)
        local y = net:forward(x)
        print(torch.type(y), y:size(1), y:size(2))
        local g = net:backward(x, y:clone():fill(1))
        print(torch.type(g))
        local padded = nn.Sequential()
        local dims = {2, 1}
        for i = 1, 2 do padded:add(nn.Padding(dims[i], i == 1 and 2 or -1, i == 2 and 2 or nil, i)) end
        print(padded:forward(x):sum(), padded.output:size(1), padded.output:size(2))
        print(padded:backward(x, torch.range(1, 15):view(3, 5)):sum())
        print(nn.Padding(1, 2, nil, 5, 2):forward(torch.range(1, 3)):sum(), padded:get(1).dim, padded:get(2).pad)
    """,
    "modules on the GPU of a number": """
        require 'nn'
        torch.manualSeed(1)
        local parts = {nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()), nn.Sequential():add(nn.Linear(4, 2))}
        local net = nn.Sequential()
        for i = 1, #parts do net:add(nn.GPU(parts[i], i)) end
        print(net:forward(torch.ones(3)):sum(), #net)
        net:zeroGradParameters()
        print(net:backward(torch.ones(3), torch.ones(2)):sum(), torch.type(net:get(1)))
        if arg[1] == 'cudnn' then
           require 'cudnn'
           cudnn.SpatialConvolution.accGradParameters = nn.SpatialConvolutionMM.accGradParameters
        end
    """,
    "another name of a method that shares": """
        require 'nn'
        local Rows, parent = torch.class('nn.Rows', 'nn.Module')
        function Rows:__init(n, d)
           parent.__init(self)
           self.weight, self.gradWeight = torch.Tensor(n, d):fill(0.5), torch.Tensor(n, d):zero()
        end
        function Rows:updateOutput(input)
           self.output = self.weight:index(1, input:long())
           return self.output
        end
        function Rows:accGradParameters(input, gradOutput, scale)
           for i = 1, input:size(1) do self.gradWeight[input[i]]:add(scale or 1, gradOutput[i]) end
        end
        Rows.sharedAccUpdateGradParameters = Rows.accUpdateGradParameters
        local rows, x = nn.Rows(4, 3), torch.Tensor{1, 3}
        print(rows:forward(x):sum())
        rows:accGradParameters(x, torch.ones(2, 3), 1)
        print(rows.gradWeight:sum())
    """,
}


LINES = {
    "all of Penlight in brackets": 2,
    "methods for one of nn's classes and what derives from it": 6,
    "items of an object by a number": 5,
    "derivatives of a module by differences": 8,
}


@pytest.mark.parametrize("is_floor", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_is_refused(
    name: str, is_floor: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "program.lua"
    path.write_text(PROGRAMS[name])
    source = path.read_bytes()
    page = in_one_form(source, str(path), NOTHING_KNOWN) if is_floor else translate_script(source, str(path))
    assert [str(problem) for problem in page.problems] == []
    assert verify_script(page, path).lines == LINES.get(name, PROGRAMS[name].count("print("))


def test_a_package_is_asked_whether_it_is_there(tmp_path: Path) -> None:
    path = tmp_path / "program.lua"
    path.write_text("""
        local function count(values)
           if not tds then tds = require 'tds' end
           local kept = tds.Vec()
           for _, value in ipairs(values) do kept:insert(value) end
           return #kept
        end
        print(count{1, 2}, count{})
    """)
    page = translate_script(path.read_bytes(), str(path))
    assert [str(problem) for problem in page.problems] == []
    assert verify_script(page, path).lines == 1


def test_a_parent_that_is_begun_itself() -> None:
    """``parent:__init(self)`` with a colon, which begins nn.Module: what it prints is the original's."""
    page = translate_script(
        b"""
        require 'nn'
        local Shown, parent = torch.class('nn.Shown', 'nn.Module')
        function Shown:__init(label) parent:__init(self) self.label = label end
        function Shown:updateOutput(input)
           self.output = input
           if self.label ~= nil then print(self.label) end
           return self.output
        end
        function Shown:updateGradInput(input, gradOutput) self.gradInput = gradOutput return self.gradInput end
        local shown = nn.Shown('x')
        print(shown:forward(torch.ones(2)):sum())
        print(shown:backward(torch.ones(2), torch.ones(2)):sum())
        """,
        "p.lua",
    )
    assert [str(problem) for problem in page.problems] == []
    assert in_page(page) == "x\n2\n2"
