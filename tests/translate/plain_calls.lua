local x = torch.Tensor{1, 2, 3}
local i = 0
x:apply(function(...) i = i + 1 return 2 * i end)
print(x[1], x[2], x[3], i)
---
local m, f = math.modf(3.7)
print(m, f)
print(math.modf(-2.5))
---
local function parts(v)
  local whole, rest = math.modf(v)
  return whole, rest
end
local a, b = parts(2.25)
print(a, b)
---
local t = {5, 6, 7}
for i = 1, #t do
   local m, e = math.frexp(t[i])
   print(m, e)
   t[i] = math.modf(t[i] / 2)
end
print(t[1], t[2], t[3])
---
local r = {count = 2, name = 'x'}
local text = ('%s-%q-%d'):format(r.name, 'a"b', r.count)
print(text)
---
local acc = 0
local function add(v) acc = acc + v return acc end
local x = torch.Tensor{1, 2, 3}
x:apply(function(v, ...) return add(v) end)
print(x[3], acc)
---
local n = 3
while true do
  local a, b = math.modf(n / 2)
  n = n - 1
  if b == 0 then break end
end
print(n)
---
local p = ('xy'):sub(1, 1)
local s = 'axbxc'
for part in s:gmatch('[^' .. p .. ']+') do print(part) end
print(s:match('^(.-)' .. p))
---
local function g(pattern, s) return s:match(pattern) end
print(g('%d+', 'ab12'), g('%a+', 'ab12'))
---
local function tail(s, p, ...)
  local t = {}
  for w in s:gmatch(p) do t[#t + 1] = w end
  return #t, t[#t]
end
local n, last = tail('a,b,c', '[^,]+')
print(n, last)
n, last = tail('a b c', '%a')
print(n, last)
---
local co = coroutine.wrap(function() for i = 1, 2 do coroutine.yield(i, i * 2) end end)
print(co())
print(co())
print(co())
---
local function numbers(n)
  return coroutine.wrap(function() for i = 1, n do coroutine.yield(i, i * i) end end)
end
for i, square in numbers(3) do print(i, square) end
local function leaves(t)
  if type(t) == 'table' then
    for _, x in ipairs(t) do leaves(x) end
  else
    coroutine.yield(t)
  end
end
for x in coroutine.wrap(function() leaves({1, {2, {3}}, 4}) end) do print(x) end
---
local g = coroutine.create(function(a)
  local b = coroutine.yield(a + 1)
  local c, d = coroutine.yield(b * 2)
  return c + d
end)
print(coroutine.status(g), coroutine.resume(g, 1))
print(coroutine.resume(g, 10))
print(coroutine.resume(g, 3, 4))
print(coroutine.status(g), coroutine.resume(g))
local failing = coroutine.create(function() error('no more') end)
print((coroutine.resume(failing)), coroutine.status(failing))
---
local inner = coroutine.wrap(function() coroutine.yield(1) coroutine.yield(2) end)
local outer = coroutine.wrap(function()
  coroutine.yield(inner())
  coroutine.yield(inner() + 10)
end)
print(outer(), outer())
---
local ok, message = pcall(function(x) if x then error('not here') end return {1} end, true)
print(ok, message:match('not %a+'))
---
print(1, ('abc'):byte(1, -1))
local t = {string.byte('hello', 2, 4)}
print(#t, t[2], ('abc'):byte(), ('abc'):byte(2, 2))
local a, b = ('abc'):byte(1, 2)
print(a, b)
---
local s = 'word'
print(math.max(s:byte(1, -1)))
print(string.char(s:byte(2, 3)))
---
local dataset = {data = {5, 6, 7}, name = 'set'}
setmetatable(dataset, {__index = function(t, i) return {t.data[i], i} end})
function dataset:size() return #self.data end
print(dataset:size(), dataset.name)
local function total(set)
  local s = 0
  for i = 1, set:size() do s = s + set[i][1] end
  return s
end
print(total(dataset))
local counts = setmetatable({}, {__index = function() return 0 end})
for w in ('a b a'):gmatch('%a') do counts[w] = counts[w] + 1 end
print(counts.a, counts.b, counts.c)
local defaults = {rate = 0.1, size = 3}
local opt = setmetatable({rate = 0.5}, {__index = defaults})
print(opt.rate, opt.size, rawget(opt, 'size'))
local log = {}
local watched = setmetatable({}, {__newindex = function(t, k, v) log[#log + 1] = k rawset(t, k, v) end})
watched.a = 1
watched.a = 2
print(#log, watched.a)
local f = setmetatable({}, {__call = function(self, a, b) return a * b end})
print(f(3, 4))
---
local meta = {}
local function vector(x, y) return setmetatable({x = x, y = y}, meta) end
meta.__add = function(a, b) return vector(a.x + b.x, a.y + b.y) end
meta.__mul = function(a, b) if type(a) == 'number' then return vector(a * b.x, a * b.y) end return a.x * b.x + a.y * b.y end
meta.__unm = function(a) return vector(-a.x, -a.y) end
meta.__tostring = function(a) return '(' .. a.x .. ', ' .. a.y .. ')' end
local v = vector(1, 2) + vector(3, 4)
print(v.x, v.y, tostring(v), tostring(-v), tostring(2 * v), v * v)
print(getmetatable(v) == meta, getmetatable({}))
---
require 'nn'
torch.manualSeed(1)
local makers = {}
makers.linear = function(n) return nn.Linear(n, 2) end
makers.by_hand = function(n, make) return make(n) end
local name = 'linear'
local net = nn.Sequential()
net:add(makers[name](3))
net:add(nn.Tanh())
print(net:forward(torch.ones(1, 3)):size(2))
---
local make = {}
make.small = function(n) return torch.range(1, n) end
make.pair = function(n) return n, n + 1 end
make.none = function() end
local kinds = {}
for k in pairs(make) do kinds[#kinds + 1] = k end
table.sort(kinds)
local function pick(name, ...)
   local f = make[name]
   return f(...)
end
local x = torch.ones(2, 3)
print(torch.add(x, pick('small', 1):sum()):sum())
print(x:narrow(2, 1, pick('small', 2):size(1)):size(2))
local sizes, others, at = {}, {}, 1
sizes[1], others[1] = pick('pair', 4)
sizes[at + 1], others[2], at = 7, pick('pair', 5)
print(sizes[1], others[1], sizes[2], others[2], at)
local Counter = {}
Counter.__index = Counter
function Counter.new() return setmetatable({n = 0}, Counter) end
function Counter:step(k) self.n = self.n + k return self.n, k end
local list, c = {}, Counter.new()
for i = 1, 3 do
   list[i], c.last = c:step(i)
end
print(list[1], list[2], list[3], c.last, c.n)
print(math.max(3, pick('pair', 4)), string.format('%d %d', pick('pair', 1)))
print(x:resize(3, pick('small', 2):size(1)):size(1), #{pick('pair', 1)}, #{pick('none')})
local words = {kinds[3]}
words[#words + 1] = kinds[1]
print(table.concat(words, pick('none') or ','))
print(torch.zeros(2, pick('small', 3):nElement()):nElement())
local function other(t) return t[1], t[2] end
local firsts = {}
firsts.a, firsts.b = other({5, 6})
print(firsts.a, firsts.b)
local id
if x:dim() > 1 then id = function(v) return v end else id = pick end
print(torch.add(x, id(3)):sum(), torch.Tensor(2):fill(id(2)):sum())
---
local function f(k) if k > 1 then return k end end
local t, u = {f(1)}, {5, f(2)}
print(#t, #u, u[2])
---
-- a function gives all values of a call that is of functions with different numbers of them
local few, many = {}, {}
function few:sample(n) return n, 2 * n end
function many:sample(n) if n > 5 then return n end return n, 3 * n, {n} end
local function take(from, n)
   if n > 6 then return from:sample(5) end
   return from:sample(n)
end
local a, b, c = take(few, 2)
print(a, b, c == nil)
a, b, c = take(many, 7)
print(a, b, #c)
a, b, c = take(many, 6)
print(a, b == nil, c == nil)
---
-- sizes in a storage that is made of a table of unknown form
local function zeros(sizes)
   if type(sizes[1]) == 'table' then sizes = sizes[1] end
   return torch.zeros(torch.LongStorage(sizes))
end
print(zeros({2, 3}):dim(), zeros({{2, 3, 4}}):nElement())
---
-- A layer without weights that holds no others gives nil, a container an empty table
require 'nn'
local a = nn.Tanh()
local p, g = a:parameters()
print(p, g, (a:parameters()))
local s = nn.Sequential():add(nn.Tanh())
local q = s:parameters()
print(q and #q)
print(select('#', a:parameters()), select('#', s:parameters()))
if not a:parameters() then print('none') end
