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
local p = 'x'
local s = 'axbxc'
for part in s:gmatch('[^' .. p .. ']+') do print(part) end
print(s:match('^(.-)' .. p))
---
local function g(pattern, s) return s:match(pattern) end
print(g('%d+', 'ab12'))
---
local function tail(s, p, ...)
  local t = {}
  for w in s:gmatch(p) do t[#t + 1] = w end
  return #t, t[#t]
end
local n, last = tail('a,b,c', '[^,]+')
print(n, last)
