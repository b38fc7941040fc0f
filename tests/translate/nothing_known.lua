-- methods of all texts
function string:pieces(n) return self:sub(1, n), #self end
local a, b = ('abcd'):pieces(2)
print(a, b)
---
-- a table that is a list, a record and an object in turn
local t = {1, 2}
t.name, t[3] = 'n', {4}
for k, v in pairs(t) do print(k, type(v)) end
setmetatable(t, {__index = function(_, k) return k .. '!' end})
print(#t, t.other, t[3][1])
---
-- objects of no class that is known
local Point = {}
Point.__index = Point
function Point.new(x) return setmetatable({x = x}, Point) end
function Point:moved(by) return Point.new(self.x + by), by end
local made = {}
made[1], made.kept = Point.new(2):moved(3)
print(made[1].x, made.kept)
---
-- as many values as a call gives
local function some(n)
   if n > 1 then return n, some(n - 1) end
   if n == 1 then return 1 end
end
print(some(4))
print((some(3)))
print(#{some(3)}, select('#', some(0)), some(2))
---
-- functions that tensors have, and tensors of the same type
local x = torch.Tensor{3, 1, 2}
local y = x.new(2, 2):fill(1)
print(y:sum(), x.new():dim())
local function first(...) return (torch.sort(...))[1] end
print(first(x), first(x, true), first(x, 1, true))
local function size(t, ...) return t:norm(...) end
print(size(x, 1), size(torch.ones(2, 3), 2, 1)[1][2])
---
-- a table of tensors and numbers, under names and in a row
local kept = {}
local function keep(k, v) kept[k] = v return kept end
print(keep('x', torch.ones(3)).x:sum() + keep(1, 2)[1], unpack({keep(2, 5)[1], kept[2]}))
---
-- fields of a table are computed in their order
local n = 0
local function count() n = n + 1 return n, -n end
local t = {count(), x = count(), count(), y = count(), count()}
print(t[1], t.x, t[2], t.y, t[3], t[4], #t)
---
-- all items of a table that a function of a class gives, which lies in a table
local M = {}
local Pair = torch.class('tests.Pair', M)
function Pair:__init(...) self.items = {...} end
function Pair:both() return unpack(self.items) end
function Pair.of(items) return M.Pair(unpack(items)) end
local a, b = M.Pair.of({3, 4}):both()
print(a, b)
---
-- seconds of a timer that an object has
local t = {timer = torch.Timer()}
print(t.timer:time().real < 60, t.timer:stop():time().real == t.timer:time().real)
sys.tic()
print(sys.toc() < 60)
---
-- a global that nothing sets is nil, and calling it where nobody comes is no error
local function never() return Helper.read(Helper.path, missing()) end
print(never ~= nil, undefined_setting, (undefined_setting or 2) + 1)
---
-- what a text says, in a table of options
local opt = {sizes = '{4, 3, {2}}', rate = '0.5'}
local sizes = loadstring('return ' .. opt.sizes)()
sizes[4] = loadstring('return ' .. opt.rate)()
print(#sizes, sizes[1] + sizes[4], sizes[3][1])
---
-- a matrix of confusions and weights of layers that only scale, as objects
require 'nn'
require 'optim'
local parts = {confusion = optim.ConfusionMatrix({'a', 'b'}), scale = nn.CMul(({3})[1])}
parts.confusion:batchAdd(torch.Tensor{{1, 2}, {3, 1}}, torch.Tensor{2, 2})
parts.confusion:updateValids()
parts.scale.weight:fill(2)
print(parts.confusion.totalValid, parts.scale:forward(torch.ones(3)):sum())
parts.scale:backward(torch.ones(3), torch.ones(3))
parts.scale:updateParameters(0.5)
print(parts.scale.weight:sum(), parts.scale.gradWeight:sum())
---
-- all values of functions of matrices
local function parts(...) return torch.symeig(...) end
local a = torch.Tensor{{2, 1}, {1, 3}}
local e = {parts(a, 'V')}
print(e[1][2], (e[2]:t() * e[2]):sum(), #e, select('#', torch.svd(a)))
local x = torch.gesv(torch.ones(2, 1), a)
print(x:sum(), torch.inverse(a):sum(), torch.potrf(a, 'L'):sum(), (torch.qr(a)):abs():sum())
print(torch.eig(a):sum(), torch.gels(torch.ones(2, 1), a):sum())
---
-- a function by its name among all globals, sizes that are worked out, classes by their function new
function twice(x) return 2 * x end
function thrice(x) return 3 * x end
local function of(name, size) return _G[name](torch.zeros(size / 2 + 1, size):size(1)) end
print(of('twice', 4), of('thrice', 6))
local f = torch.DiskFile.new('numbers.txt', 'w')
f:writeInt(5)
f:close()
f = torch.DiskFile.new('numbers.txt')
local read = f:readInt()
f:close()
print(read, torch.FloatTensor.new(2, 3):fill(1):sum())
os.remove('numbers.txt')
local colors = require 'trepl.colorize'
local color = {shown = colors.green}
print(color.shown('x') == '\27[0;32mx\27[0m')
---
-- classes of planes, a criterion of weights that are worked out, elements that go back to where they were taken from
require 'nn'
local weights = torch.Tensor{0.5, 1, 2}
local pool = nn.SpatialMaxPooling(2, 2, 2, 2)
local net = nn.Sequential():add(pool):add(nn.SpatialMaxUnpooling(pool)):add(nn.LogSoftMax())
local loss = false or nn.SpatialClassNLLCriterion(weights)
local x = torch.range(1, 96):view(2, 3, 4, 4):apply(function(v) return v * v % 7 / 7 end)
local y = torch.range(1, 32):view(2, 4, 4):apply(function(v) return v % 3 + 1 end)
local out = net:forward(x)
local l = loss:forward(out, y)
print(out:sum(), l)
print(net:backward(x, loss:backward(out, y)):norm())
---
-- tensors of whole numbers and truth values among numbers
local function calculated(x, n) return x + n, x - n, n - x, x * n, x / n end
for _, n in ipairs{2, 2.5} do
   for _, y in ipairs{calculated(torch.IntTensor{5, -5, 7}, n)} do print(y:type(), y[1], y[2], y[3]) end
end
local mask = torch.Tensor{1, 2, 3}:gt(1)
local function both(a, b) return a + b, a - b, a * 3, 3 - b, a / 2 end
for _, y in ipairs{both(mask, mask)} do print(y[1], y[2], y[3]) end
---
-- options whose names are words of Python, or none at all
local cmd = torch.CmdLine()
cmd:option('-from', 'a', 'a file')
cmd:option('-max-width', 3, 'a number')
local opt = cmd:parse({})
opt.from, opt['max-width'] = opt.from .. 'b', opt['max-width'] + 1
local kept = {opt = opt, name = 'from'}
print(kept.opt.from, opt[kept.name], kept.opt['max-width'], opt.lambda)
for k, v in pairs(opt) do print(k, v) end
---
-- functions that give no value of some arguments
print(paths.extname('a.b'), paths.extname('ab'))
print(select('#', paths.extname('ab')), select('#', torch.typename(1)), torch.typename('a'))
---
-- a view with another dimension
require 'nn'
local x = torch.range(1, 6):view(2, 3)
print(nn.utils.addSingletonDimension(x[{{}, 2}], 2):expand(2, 4):sum(), nn.utils.addSingletonDimension(nn.utils.addSingletonDimension(x, 1), 3):size(3))
local function f(t, k) return nn.utils.addSingletonDimension(t, k) end
print(f(x, 1):dim(), f(x, 3):size(2))
