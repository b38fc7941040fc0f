local x = torch.Tensor{1, 2, 3}
local y = x
y[1] = 10
print(x[1], x:sum())
---
local x = torch.Tensor{{1, 2}, {3, 4}}
local r = x[1]
r:add(10)
print(x[1][1], x[1][2], x:sum())
---
local x = torch.Tensor{1, 2, 3, 4}
local v = x:narrow(1, 2, 2)
v:mul(2)
print(x[2], x[3], x[4])
local c = x:clone()
c:zero()
print(x:sum(), c:sum())
---
local a = torch.LongTensor{7, -7, 3}
local b = torch.div(a, 2)
print(b[1], b[2], b[3])
a:div(2)
print(a[1], a[2])
---
local a = torch.LongTensor{7, -7, 3}
local b = a / 2
print(b[1], b[2])
---
local a = torch.ByteTensor{200, 100, 3}
a:add(100)
print(a[1], a[2], a[3])
---
local a = torch.ByteTensor{200, 100}
local b = a + a
print(b[1], b[2], b:sum())
---
local x = torch.Tensor{1, 5, 3}
local m = x:gt(2)
print(m:sum(), m[1], m[2])
x[m] = 0
print(x[1], x[2], x[3])
---
local x = torch.Tensor{1, 5, 3}
local m = x:gt(2)
local n = x:lt(4)
local both = m + n
print(both[1], both[2], both[3], both:max())
---
local x = torch.Tensor{1, 5, 3}
local m = torch.eq(x, 5)
print(m:sum(), m:max(), x[m]:sum())
---
local x = torch.Tensor{1, 5, 3}
local m = x:gt(2)
local k = torch.cmul(m, x:lt(4))
print(k:sum())
---
local x = torch.Tensor{1, 5, 3}
local y = torch.cmul(x:gt(2):double(), x)
print(y:sum(), y[1])
---
local x = torch.Tensor{3, 1, 2}
local s, i = torch.sort(x)
print(s[1], i[1], i[2])
local m, k = x:max(1)
print(m[1], k[1], x:max(), x:min())
---
local x = torch.Tensor{3, 1, 2}
print(x:mean(), x:std(), x:var(), x:prod(), x:norm())
---
local x = torch.Tensor{0, 1, -1}
local y = torch.cdiv(torch.Tensor{1, 1, 1}, x)
print(y[1], y[2], y[3])
print((x / 0)[2])
---
local x = torch.range(1, 6):view(2, 3)
print(x[2][3], x:t()[3][2], x:size(1), x:size(2), x:nElement(), x:dim())
---
local x = torch.Tensor(2, 3):fill(1.5)
print(x:sum(1)[1][1], x:sum(2)[2][1], x:sum())
---
local x = torch.Tensor{1, 2, 3}
local t = {x, x:clone()}
t[1]:add(1)
print(x[1], t[2][1])
---
local x = torch.Tensor{1, 2, 3}
x = x + 1
local y = x
x = x * 2
print(y[1], x[1])
---
local x = torch.Tensor{1, 2, 3}
local y = x:add(1)
print(y[1], x[1])
y:mul(3)
print(x[1])
---
local x = torch.IntTensor{1, 2, 3}
print(x[1] / 2, x:sum() / 2, x:sum())
---
local x = torch.Tensor{1.5, 2.5, -1.5}
print(x:floor()[1], torch.round(x)[2], torch.abs(x)[3])
---
local x = torch.LongTensor{5}
local n = x[1]
print(n, n / 2, n % 2, 10 - n)
---
local x = torch.Tensor{1, 2, 3}
local i = 0
x:apply(function(v) i = i + 1 return v * i end)
print(x[1], x[2], x[3])
---
local x = torch.zeros(3)
for i = 1, 3 do x[i] = i / 2 end
print(x[1], x[2], x[3], x[1] + x[2])
---
local x = torch.Tensor{1, 2, 3}
local s = 0
for i = 1, x:size(1) do s = s + x[i] end
print(s, s / x:size(1))
---
local a = torch.Tensor{1, 2}
local b = torch.Tensor{1, 2}
print(a == b, a == a)
---
local x = torch.Tensor(3)
x:fill(2)
x:copy(torch.Tensor{1, 2, 3})
local sub = x[{{2, 3}}]
sub:fill(9)
print(x[1], x[2], x[3])
---
local x = torch.Tensor{{1, 2, 3}, {4, 5, 6}}
x[{1, 2}] = 20
x[{{}, 1}] = 0
print(x[1][2], x[2][1], x:sum())
print(x[{{}, {2, 3}}]:sum(), x[{-1, -1}])
---
local x = torch.Tensor{1, 2, 3}
print(x:pow(2):sum(), torch.pow(x, 0.5)[1], torch.sqrt(x)[2])
---
local x = torch.Tensor{1, 2, 3, 4}
print(x:index(1, torch.LongTensor{4, 1})[1], x:gather(1, torch.LongTensor{2})[1])
---
local x = torch.linspace(0, 1, 5)
print(x[2], x[5])
local c = torch.cat(x, x)
print(c:size(1))
---
local t = torch.Tensor{1, 2}:resize(2, 1)
print(t:size(1), t:size(2))
---
local x = torch.ByteTensor{1, 0, 1}
local y = torch.Tensor{1, 2, 3}
print(y[x]:sum(), y:maskedSelect(x):size(1))
y:maskedFill(x, 0)
print(y:sum())
---
local x = torch.Tensor{5, 6}
local n = x[1]
x[1] = 7
print(n, x[1])
local r = x:sub(1, 1)
x[1] = 8
print(r[1])
---
local x = torch.Tensor{1, -2}
print(-x[1], (-x)[2], (x * -1)[1], (2 - x)[2])
---
local a = torch.LongTensor{3}
local b = torch.LongTensor{2}
local c = torch.cdiv(a, b)
print(c[1])
local d = a:clone():mul(2):add(-1)
print(d[1], d:sum() / 2)
---
local x = torch.Tensor{1, 2, 3}
print(x:nElement() / 2, math.floor(x:nElement() / 2))
---
local x = torch.FloatTensor{0.1, 0.2}
print(x[1], x:sum() > 0.3, x:sum() < 0.30001)
---
local x = torch.DoubleTensor{1, 2}
local y = x:float()
y[1] = 0.1
print(y[1], x[1])
---
local x = torch.Tensor(2, 2):zero()
x:select(1, 1):fill(1)
print(x:sum(), x:select(2, 1):sum())
local e = x:expand(2, 2)
print(e:sum())
---
local x = torch.Tensor{1, 2, 3}
local y = torch.Tensor{1, 2, 4}
print(x:eq(y):sum(), x:ne(y):sum(), x:eq(y):all(), torch.all(x:le(y)), x:ne(y):any())
---
local idx = torch.Tensor{2, 3}
local t = {'a', 'b', 'c'}
for i = 1, 2 do print(t[idx[i]]) end
---
local counts = torch.zeros(3)
local labels = {1, 3, 3}
for i = 1, #labels do counts[labels[i]] = counts[labels[i]] + 1 end
print(counts[1], counts[2], counts[3])
---
local x = torch.Tensor{2, 1}
local _, order = torch.sort(x, 1, true)
print(order[1])
print(torch.sort(x, 1, true)[1])
---
local x = torch.IntTensor(2, 3):fill(7)
local y = x:t()
print(x:type(), x:type('torch.LongTensor'):type(), (x:type('torch.FloatTensor') / 2):type(), y:type())
print(torch.type(y + 1), torch.type(torch.zeros(2)), torch.ones(3):gt(0):type())
print(x:select(1, 2):storageOffset(), y:storageOffset())
print(y:type() == 'torch.IntTensor' and 'int' or 'another')
print((x:type('torch.LongTensor') / 2)[1][1])
---
local x = torch.Tensor{{1, 5, 3}, {9, 2, 4}}
local sum = 0
x:apply(function(v) sum = sum + v end)
print(sum, select(2, x[1]:max(1))[1])
---
local data = {a = torch.Tensor{1, 2}}
for k, v in pairs(data) do print(k, v[1]) end
---
local x = torch.zeros(4, 3)
for c = 1, 2 do
   local rows = {(c - 1) * 2 + 1, c * 2}
   x[{rows, {}}] = torch.ones(2, 3) * c
   x[{rows, 1}]:add(10)
end
print(x[1][1], x[3][2], x[4][1], x:sum())
---
-- Criterions of one name, which are functions of the page.
require 'nn'
local loss = 7
local function show() return loss end
local function first()
   local loss = nn.MarginCriterion(2)
   return loss:forward(torch.Tensor{0.5, 0.5}, torch.Tensor{1, -1})
end
local function second()
   local loss = nn.MarginCriterion(3)
   return loss:forward(torch.Tensor{0.5, 0.5}, torch.Tensor{1, -1})
end
print(first(), second(), first(), show())

---
-- A function's own variable of the name that what is optimized has; a model that is looked at before all is added.
require 'nn'
require 'optim'
local g = torch.Tensor{0}
local function ff(v)
  local x = v[1]
  g[1] = 2 * x
  return x * x, g
end
local x = torch.Tensor{5}
local state = {learningRate = 0.1}
for i = 1, 3 do optim.sgd(ff, x, state) end
print(x[1])
local net = nn.Sequential()
net:add(nn.Linear(1, 1))
print(#net.modules)
net:add(nn.Linear(1, 2))
print(#net.modules)
local a = nn.Sequential()
a:add(nn.Linear(2, 2))
local p = a:getParameters()
print(p:size(1))
a:add(nn.Linear(2, 3))
print(a:getParameters():size(1))

---
-- Selections of nothing have no dimensions.
local x = torch.Tensor{1, 2, 3, 4}
local m = x:gt(10)
print(x[m]:dim())
local y = x[x:gt(2)]
print(y:dim(), y:nElement(), y:size(1))
local z = x[x:lt(0)]
print(z:dim())
if z:dim() == 0 then print('none') end
print(z:nElement())

---
-- A gradient of another size that gets that of the input.
require 'nn'
local Up, parent = torch.class('nn.Up', 'nn.Module')
function Up:__init(k)
  parent.__init(self)
  self.k = k
end
function Up:updateOutput(input)
  self.output:resize(input:size(1), self.k):copy(input:view(-1, 1):expand(input:size(1), self.k))
  return self.output
end
function Up:updateGradInput(input, gradOutput)
  if self.gradInput then
    if self.k ~= 1 then
      self.gradInput:sum(gradOutput, 2):resizeAs(input)
    else
      self.gradInput:resizeAs(gradOutput):copy(gradOutput)
    end
  end
end
local m = nn.Up(3)
local x = torch.Tensor{1, 2, 4}
print(m:forward(x):sum())
local g = m:backward(x, torch.ones(3, 3):mul(2))
print(g:dim(), g[1], g:sum())

---
-- reshape copies, and a vector's sum has one element, which is a number.
local x = torch.ones(4)
local y = x:reshape(2, 2)
y[1]:fill(3)
local function row(v) return v:reshape(1, 4) end
local z = row(x)
x:mul(2)
print(x:sum(), y:sum(), z:sum())
print(x:max(1):squeeze())

---
-- What a page calls things itself is not what its helpers are called, and what is put together of whole numbers is whole.
local x, sum = torch.Tensor{{9, 1}, {-3, 0}}, 0
local y = x:squeeze()
x:apply(function(e) sum = sum + e end)
for i = 1, y:size(1) do
  local row = y[i]
  print(row:sum(), row[1], sum)
end
local z = torch.cat(torch.LongTensor{1, 2}, torch.LongTensor{5, 7}, 1)
z:div(2)
print(z[3], torch.cat({z, z}, 1):div(2):sum())

---
-- a sum that stands beside values of other kinds
local x, given = torch.ones(3), arg and arg[9]
local shown = given and 'none' or x:sum()
print(shown)
print(given and x or x:mean(), given and {} or x:max())
---
-- comparisons into another tensor
local x, mask = torch.Tensor{1, -2, 3}, torch.Tensor(3)
mask:gt(x, 0)
print(mask:sum(), mask[2])
mask:resizeAs(x):le(x, 1)
print(mask[1], mask[2], mask[3])

---
-- types by name: of a variable, and as text
local x = torch.range(1, 3):float()
local dtype = arg and arg[7] or 'torch.DoubleTensor'
local y = x:type(dtype)
print(y:type(), x:type(), torch.type(y), x:gt(1):type(), torch.type(x:long()))
print(torch.type(5), torch.type('a'), torch.type({}), torch.type(nil), torch.type(true))
local parts = ('3,4,5'):split(',')
print(#parts, parts[2], parts[3] + 1)
---
-- a product of matrices, of which the program does not tell that they are none of them a number
local function fill(options)
  local t = {}
  for k, v in pairs(options) do t[k] = v end
  t.w = torch.Tensor{{1, 2}, {3, 4}}
  return t
end
local function up(t, x) return x * t.w:t() end
local function step(t, x)
  local h = up(t, x)
  if t.again then t.h = up(t, h) end
  t.w = t.w * t.rate + (h:t() * x) * t.rate
  return t.w:sum()
end
local t = fill({rate = 0.5, name = 'x', again = true})
print(step(t, torch.Tensor{{1, 0}, {2, 1}}), t.name)
---
-- a copy lies in order, whatever it is one of
local x = torch.range(1, 6):view(2, 3):transpose(1, 2):clone()
print(x:view(6)[2], x:view(2, 3)[1][2], x:stride(1))
---
-- memory: tensors that are set onto that of others, and whether two lie in the same
local x = torch.range(1, 6)
local y = torch.Tensor()
y:set(x:storage(), 3, torch.LongStorage{2, 2})
y:add(10)
print(x:sum(), y:size(1), y:storage() == x:storage(), x:clone():storage() == x:storage())
local z = torch.Tensor()
z:set(x)
z[1] = 100
print(x[1], z:storage() ~= x:storage())
local p = {torch.ones(2, 3), torch.ones(2)}
local n = 0
for _, v in ipairs(p) do n = n + v:nElement() end
local flat, at = torch.Tensor(n), 1
for i = 1, #p do
  flat:narrow(1, at, p[i]:nElement()):copy(p[i])
  p[i]:set(flat:storage(), at, p[i]:size())
  at = at + p[i]:nElement()
end
flat:mul(3)
print(p[1]:sum(), p[2]:sum(), p[1]:size(2))
---
-- places without anything, in a list whose items are taken by their places alone
local first = {1, 2, 3}
local function step(before)
  local n = before or {nil, first[2] * 0, first[3] * 0}
  print(n[2], n[3], n[1])
  return {5, 6, 7}
end
local p
p = step(p)
p = step(p)
---
-- a piece that begins where a tensor says
local x, at = torch.range(1, 6), torch.Tensor{2, 4}
for i = 1, 2 do print(x:narrow(1, at[i], 2):sum(), x[{{at[i], at[i] + 1}}]:sum()) end
---
-- a view with another dimension
require 'nn'
local x = torch.range(1, 6):view(2, 3)
print(nn.utils.addSingletonDimension(x[{{}, 2}], 2):expand(2, 4):sum(), nn.utils.addSingletonDimension(nn.utils.addSingletonDimension(x, 1), 3):size(3))
local function f(t, k) return nn.utils.addSingletonDimension(t, k) end
print(f(x, 1):dim(), f(x, 3):size(2))
