local x = torch.Tensor{1, 2, 3}
local i = 0
x:apply(function(...) i = i + 1 return 2 * i end)
print(x[1], x[2], x[3], i)
---
local m, f = math.modf(3.7)
print(m, f)
print(math.modf(-2.5))
---
local y = torch.Tensor{3, 1, 2}
local z = y:clone():topk(2)
print(z:sum())
y:remainder(3)
print(y:sum())
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
local s = 'hello world'
local new, n = s:gsub('o', string.upper)
print(new, n)
print(s:gsub('l', 'L'))
print(s:find('o', -4))
---
local r = {count = 2, name = 'x'}
local text = ('%s-%q-%d'):format(r.name, 'a"b', r.count)
print(text, select(2, 'a', 'b', 'c'))
---
local x = torch.Tensor{1, 2, 2, 3}
local value, place = torch.mode(x)
print(value[1], place[1])
local y = torch.reshape(x, 4)
print(y:size(1), y[3])
---
local acc = 0
local function add(v) acc = acc + v return acc end
local x = torch.Tensor{1, 2, 3}
x:apply(function(v, ...) return add(v) end)
print(x[3], acc)
---
local words = {}
local t = {'b', 'a'}
for i = 1, 2 do
  local fs = {}
  for j = 1, 2 do local n = 0 fs[j] = function() n = n + j return n end end
  print(fs[1](), fs[1](), fs[2]())
end
---
local function f(x)
  local values, places = x:topk(2)
  return values:sum() + places:sum()
end
print(f(torch.Tensor{1, 2, 3}))
---
local n = 3
while true do
  local a, b = math.modf(n / 2)
  n = n - 1
  if b == 0 then break end
end
print(n)
---
local p = 'x'
local s = 'axbxc'
for part in s:gmatch('[^' .. p .. ']+') do print(part) end
print(s:match('^(.-)' .. p))
---
local function g(pattern, s) return s:match(pattern) end
print(g('%d+', 'ab12'))
---
-- a function whose loops keep closures
local function counters(n)
  local fs = {}
  for j = 1, n do
    local c = 0
    fs[j] = function() c = c + j return c end
  end
  local s = 0
  for j = 1, n do s = s + fs[j]() * fs[j]() end
  return s
end
print(counters(3), counters(2))
local total = 0
for k = 1, 2 do total = total + counters(k) end
print(total)
---
local function tail(s, p, ...)
  local t = {}
  for w in s:gmatch(p) do t[#t + 1] = w end
  return #t, t[#t]
end
local n, last = tail('a,b,c', '[^,]+')
print(n, last)
---
local function stack()
  local t = setmetatable({}, {__index = function(t, k) return k * 2 end})
  t[1] = 5
  return t[1] + t[10]
end
print(stack())
local x = stack() + 1
print(x)
---
local function mixed(x, flag)
  local holder = {1, nil, 3}
  local v = holder[2] or 'none'
  if flag then v = holder[3] end
  return tostring(v) .. x:size(1)
end
print(mixed(torch.Tensor{1, 2}, true), mixed(torch.Tensor{1}, false))
---
-- a function within, for one turn of a loop, that assigns the turn's own variable
for i = 1, 3 do
  local j = 0
  local x = torch.Tensor(2)
  x:map2(x, x, function() j = j + 1; return j * i, 2 end)
  local s = 0
  x:apply(function(v) s = s + v end)
  print(s)
end
