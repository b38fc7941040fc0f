"""What torch and its packages do in a translated program, beside the same program in Lua."""

from __future__ import annotations

from pathlib import Path

import pytest

from torch7py.bridge.engine import engine_name
from torch7py.translate.faithful import translate_faithful
from torch7py.translate.faithful.verify import verify_faithful

pytestmark = pytest.mark.skipif(engine_name() != "luajit21", reason="faithful is LuaJIT's Lua")

TENSORS = """
local x = torch.range(1, 6):resize(2, 3)
print(x, x:sum(), x[2][3], x[{{}, 2}], x[{1, {2, 3}}], x[{{2}}])
x[1][1] = 7
x[{{}, 3}] = 0
x:add(2):mul(2)
print(x * 2 + 1, -x, #x, x / 3 - x, x:t() * x, 2 * x)
x:apply(function(v) return v > 5 and v - 1 or nil end)
print(x, x:max(2), torch.sort(x, 1))
print(x:storage(), x:storage()[2], x:storage() == x:storage(), rawequal(x, x:add(0)))
local y = x.new(2):fill(1):long()
print(torch.type(y), y:type(), y[1], x:index(2, torch.LongTensor{3, 1}), x[x:gt(4)])
print(torch.isTensor(x), torch.isStorage(x), type(x), torch.typename(x), torch.pointer(x) == torch.pointer(x))
x[x:gt(4)] = -1
print(x, torch.Tensor{{1, 2}, {3, 4}}:totable(), torch.Tensor(), torch.Tensor(2, 0):dim())
print(torch.cat({x, x}, 2), torch.add(x, 1, x), torch.zeros(2, 3, 'torch.FloatTensor'):type(), x:add('3'))
torch.getmetatable('torch.DoubleTensor').twice = function(t) return t * 2 end
print(x:twice(), torch.DoubleTensor.twice ~= nil, x.nothing)
for i = 1, 3 do print(torch.uniform(), torch.random(10), torch.randperm(4)) end
torch.setdefaulttensortype('torch.FloatTensor')
print(torch.Tensor(2):type(), torch.getdefaulttensortype())
"""
CLASSES = """
local A = torch.class('Animal')
function A:__init(name) self.name = name; self.kids = {} end
function A:say() return self.name .. '!' end
local D, parent = torch.class('Dog', 'Animal')
function D:__init(name) parent.__init(self, name); self.weight = torch.randn(2) end
D.__add__ = function(a, b) return Dog(a.name .. b.name) end
D.__index__ = function(self, key) if key == 'age' then return 7, true end return nil, false end
local d = Dog('rex') + Dog('bo')
print(d:say(), torch.type(d), torch.isTypeOf(d, 'Animal'), torch.isTypeOf(d, Dog), d.age, d.none)
print(pcall(torch.class, 'Dog'), pcall(torch.class, 'Cat', 'Nobody'), torch.getmetatable('Dog') == getmetatable(d))
print(torch.factory('Dog')() ~= nil, torch.version(d), tostring(d), torch.typename({}), torch.type('s'))
local module = {}
torch.class('other.Thing', module)
print(module.Thing() ~= nil, pcall(function() return d < d end))
"""
LAYERS = """
require 'nn'
local m = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh())
local x, c = torch.randn(2, 3), nn.MSECriterion()
print(m, m:forward(x), m:get(1).weight, #m.modules, rawequal(m.modules[1], m:get(1)))
print(c:forward(m.output, torch.zeros(2, 4)))
print(m:backward(x, c:backward(m.output, torch.zeros(2, 4))))
m:updateParameters(0.1)
print(m:get(1).gradWeight:sum(), m:get(1).output:size(), m:parameters()[2]:size(1))
local w, g = m:getParameters()
w:fill(0.1)
print(w:size(1), w:norm(), m:get(1).weight[1][1], rawequal(m:get(1).weight, m:get(1).weight))
local Scale, parent = torch.class('nn.Scale', 'nn.Module')
function Scale:__init(k) parent.__init(self) self.k = k end
function Scale:updateOutput(input) self.output:resizeAs(input):copy(input):mul(self.k) return self.output end
function Scale:updateGradInput(input, gradOutput)
   self.gradInput:resizeAs(gradOutput):copy(gradOutput):mul(self.k)
   return self.gradInput
end
local q = nn.Sequential():add(nn.Scale(3)):add(nn.Linear(3, 2))
print(q:forward(x), q:backward(x, torch.ones(2, 2)))
local copy = q:clone()
copy:get(1).k = 5
print(q:get(1).k, copy:get(1).k, copy:forward(x)[1][1])
q:get(2).accGradParameters = function() end
q:zeroGradParameters()
q:backward(x, torch.ones(2, 2))
print(q:get(2).gradWeight:sum())
nn.Tanh.updateOutput = function(self, input) self.output = input:clone():fill(2) return self.output end
print(m:forward(x))
local p = nn.ParallelTable():add(nn.Linear(3, 2)):add(nn.Identity())
local out = p:forward{x, x}
print(#out, rawequal(out, p.output), p:backward({x, x}, {torch.ones(2, 2), x}))
m.modules[2] = nn.Sigmoid()
m.extra, m.list = 'mine', {1, {2}}
print(m, m:forward(x):size(), m:float():type(), m.extra, m.list[2][1])
for name, value in pairs(nn.Linear(1, 1)) do print(name, torch.type(value)) end
m:apply(function(layer) layer.seen = true end)
print(m:get(2).seen, m:findModules('nn.Linear')[1].seen, torch.isTypeOf(m, 'nn.Container'))
"""
POINTERS = """
require 'nn'
local x, y, g = torch.randn(2, 3), torch.Tensor(), torch.Tensor()
x.THNN.SoftMax_updateOutput(x:cdata(), y:cdata())
x.THNN.SoftMax_updateGradInput(x:cdata(), x:cdata(), g:cdata(), y:cdata())
print(y, g, type(x:cdata()), x:cdata() == x:cdata(), x:cdata() == y:cdata())
x.THNN.Threshold_updateOutput(x:cdata(), y:cdata(), 0, 0, true)
print(x, y, y:isSetTo(x), x:int().THNN)
print(pcall(function() x.THNN.Other_updateOutput(x:cdata()) end))
print(pcall(function() x.THNN.Abs_updateOutput(x:cdata()) end))
"""
FILES = """
require 'nn'
local name = os.tmpname()
local C = torch.class('Thing')
function C:__init(n) self.n, self.t = n, {x = torch.ones(2)} end
local shared = {1, 2}
torch.save(name, {Thing(4), a = shared, b = shared, [true] = 1.5, s = 'text', l = torch.LongStorage{1, 2}})
local t = torch.load(name)
print(t[1].n, t[1].t.x, rawequal(t.a, t.b), t[true], t.s, t.l, io.open(name, 'rb'):read('*a'):len())
local m = nn.Sequential():add(nn.Linear(2, 3))
m:add(nn.ConcatTable():add(nn.Tanh()):add(nn.Identity())):add(nn.JoinTable(2))
local x = torch.randn(4, 2)
m:forward(x)
m.mine = {1, x}
torch.save(name, m)
local back = torch.load(name)
print(io.open(name, 'rb'):read('*a'):len(), back, back.mine[2] - x, (m:forward(x) - back:forward(x)):abs():max())
print(back:backward(x, torch.ones(4, 6)), torch.deserialize(torch.serialize(back)):get(1).weight)
torch.save(name, m, 'ascii')
print(io.open(name):read('*a'):len(), torch.load(name, 'ascii'):get(1).bias)
local D = torch.class('Own')
function D:write(file) file:writeInt(5) file:writeObject({7}) end
function D:read(file) self.a = file:readInt() self.b = file:readObject()[1] end
local f = torch.MemoryFile()
f:writeObject(Own()) f:writeObject(x) f:seek(1)
local o = f:readObject()
print(o.a, o.b, f:readObject() - x)
torch.save(name, Thing(4))
local factory = torch.factory
torch.factory = function(class) print('factory', class) return factory(class) end
print(torch.load(name).n)
os.remove(name)
"""
CLONES = """
require 'nn'
local function model() local m = nn.Sequential():add(nn.Linear(2, 2)):add(nn.Tanh()) return m, m:get(1) end
local m, l = model()
l.owner = m
local c = m:clone()
print(c:get(1).owner == c, c ~= m, c:forward(torch.ones(2)):dim())
m, l = model()
l.info, l.next = {owner = m}, m:get(2)
c = m:clone()
print(c:get(1).info.owner == c, c:get(1).next == c:get(2))
m, l = model()
l.hook = function() return m end
c = m:clone()
print(c:get(1).hook() == c)
m, l = model()
m.me, m.criterion = m, nn.MSECriterion()
m.criterion.model = m
c = m:clone()
print(c.me == c, c.criterion.model == c)
"""
PACKAGES = """
require 'nn' require 'optim' require 'nngraph' require 'rnn'
local m, crit, x, y = nn.Linear(2, 1), nn.MSECriterion(), torch.randn(4, 2), torch.randn(4, 1)
local params, grads = m:getParameters()
local function feval(p)
   grads:zero()
   local loss = crit:forward(m:forward(x), y)
   m:backward(x, crit:backward(m.output, y))
   return loss, grads
end
local state = {learningRate = 0.1, momentum = 0.9}
for i = 1, 3 do local _, losses = optim.sgd(feval, params, state) print(losses[1]) end
print(state.evalCounter, state.dfdx, optim.adam(feval, params, {}))
print(select(2, optim.lbfgs(feval, params, {maxIter = 3})))
local i1, i2 = nn.Identity()(), nn.Identity()()
local h = nn.CMulTable()({nn.Tanh()(nn.Linear(2, 3)(i1)), i2})
local g = nn.gModule({i1, i2}, {h, nn.Linear(3, 1)(h)})
local pair = {x, torch.ones(4, 3)}
print(g:forward(pair), g:backward(pair, {torch.ones(4, 3), y}), g:clone():forward{x, torch.zeros(4, 3) + x:sum()})
local r = nn.Sequencer(nn.LSTM(2, 3))
print(r:forward{x, x}, r:backward({x, x}, {torch.ones(4, 3), torch.ones(4, 3)})[1])
local cm = optim.ConfusionMatrix({'a', 'b'})
cm:add(1, 1) cm:add(2, 1)
print(cm, cm.totalValid)
local cmd = torch.CmdLine()
cmd:text('hello') cmd:option('-lr', 0.1, 'rate') cmd:option('-name', 'x', 'word')
print(cmd:parse{'-lr', '3'}, paths.basename('/a/b.lua', 'lua'), paths.concat('a', '/b'), sys.COLORS.none ~= nil)
local tablex, stringx = require 'pl.tablex', require 'pl.stringx'
print(tablex.keys({a = 1}), stringx.split('a b'), tablex.map('+', {1, 2}, 1))
for kind, value in require('pl.lexer').lua('x = 1 -- y') do print(kind, value) end
print(require('pl.import_into')().stringx.split('a b'))
local Loss = torch.class('nn.Loss', 'nn.MSECriterion')
function Loss:parameters() return {torch.ones(2)}, {torch.zeros(2)} end
print(nn.Module.getParameters(nn.Loss()))
print(torch.ones(2, 1):expand(2, 3):add(1), torch.add(torch.ones(2, 1):expand(2, 3), torch.range(1, 6):view(2, 3), 1))
print(torch.Timer():time().real >= 0, torch.Generator() ~= nil)
"""
ERRORS = """
require 'nn'
print(pcall(function() return torch.Tensor(2) + 'x' end))
print(pcall(torch.add, 1, 2, 3))
print(pcall(function() return nn.Linear(2, 3):forward(torch.randn(3, 7)) end))
print(pcall(function() return torch.Tensor(2)[3] end))
print(pcall(function() torch.Tensor(2)[1] = {} end))
print(pcall(function() return torch.Tensor(2):nothing() end))
print(pcall(function()
   torch.ones(3):apply(function(v) error('inside ' .. v) end)
end))
print(pcall(require, 'no.such.module'))
print(pcall(function() nn.Sequential():add(nn.Linear(2, 2)):add(nn.Linear(3, 3)):forward(torch.ones(1, 2)) end))
"""
FUNCTIONS = """
local f = loadstring('x = (x or 1) + 1 return x, y, math ~= nil')
local env = {y = 5, math = math}
setfenv(f, env)
print(f()) print(env.x, x)
print(load('return z', 'n', 't', {z = 3})(), getfenv(f) == env, getfenv() == _G)
print(bit.band(7, 3), bit.tohex(255), bit.lshift(1, 31), bit.bnot(0), bit.arshift(-8, 1), bit.rol(1, 33))
print(require 'paths' == paths, package.loaded.paths == paths, debug.getinfo(1, 'Sl').currentline)
"""


@pytest.mark.parametrize(
    "source",
    [TENSORS, CLASSES, LAYERS, POINTERS, FILES, CLONES, PACKAGES, ERRORS],
    ids=["tensors", "classes", "layers", "pointers", "files", "clones", "packages", "errors"],
)
def test_prints_the_same(source: str, tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(source)
    page = translate_faithful(source, str(path))
    assert page.failures == []
    assert verify_faithful(page, path) > 3


def test_chunks_and_their_globals(tmp_path: Path) -> None:
    path = tmp_path / "p.lua"
    path.write_text(FUNCTIONS)
    assert verify_faithful(translate_faithful(FUNCTIONS, str(path)), path) >= 4


def test_files_of_a_program(tmp_path: Path) -> None:
    """Required by name, beside the file that asks, by include; once, or each time."""
    (tmp_path / "util").mkdir()
    (tmp_path / "util" / "init.lua").write_text("print('util runs', ...) return {inner = require './inner'}")
    (tmp_path / "util" / "inner.lua").write_text("print('inner runs') return 5")
    (tmp_path / "other.lua").write_text("print('other runs', ...) other = 1")
    (tmp_path / "model.lua").write_text("return function() error('deep') end")
    source = """
print(require('util').inner, require('util').inner, require 'other', other)
include 'other.lua'
print(paths.basename(paths.thisfile()), paths.basename(paths.thisfile('x.lua')), pcall(dofile, 'nowhere.lua'))
print(pcall(dofile(paths.thisfile('model.lua'))))
print(pcall(function() local x = require './nowhere' return x end))
"""
    path = tmp_path / "p.lua"
    path.write_text(source)
    assert verify_faithful(translate_faithful(source, str(path)), path) > 5
