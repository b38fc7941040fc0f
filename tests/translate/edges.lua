-- the message of an error, in a variable that has a number if all goes well
local function risky(n) if n > 1 then error('too large') end return n end
local ok, message = pcall(risky, 2)
print(ok, message:match('too large'), message:find('nothing'))
if not ok then print('failed: ' .. message:gsub('^.*: ', '')) end
---
local n = 0
for i = 1, 2 do n = n + i - 1 - (i - 1) end
print(5 / n, -5 / n, 0 / n)
---
local n = 0
print(7 % n)
---
print(-7 % 3, 7 % -3, 5.5 % 2, -5.5 % 2, 5 % math.huge, -5 % math.huge)
---
local d = {a = 1}
print(d.b)
---
local d = {a = 1}
print(d.b == nil, d.b or 5, d.a or 6)
---
local t = {1, 2, 3}
print(t[4] == nil, t[2] ~= nil, t[0] == nil)
---
local t = {1, 2, 3}
for i = 1, 4 do print(t[i] or 'none') end
---
local t = {1, 2, 3}
for i = 1, 3 do local before = t[i - 1] if before then print(before) else print('no') end end
---
local t = {1, 2, 3}
local i = 1
while t[i] do print(t[i]) i = i + 1 end
---
print(tonumber('abc'), tonumber('0x10'), tonumber(' 5 '), tonumber(''), tonumber('1e3'), tonumber('5.'))
---
local x = tonumber('abc')
print(x == nil)
if not x then x = 3 end
print(x)
---
print(1e15, 1e14, 1e16, 123456789012345, 3, 3.0, 0.1, 1/3, 1e100, 2^31, 2^53)
---
print(10 / 2, 7 / 2, 3 * 1.0, 2^2, 10 % 4, math.sqrt(16), math.floor(3.7), math.ceil(3.2))
---
print(100000000000000 + 1, 99999999999999 + 1)
---
local n = 1
for i = 1, 20 do n = n * 10 end
print(n)
---
local seed = 12345
for i = 1, 5 do seed = (seed * 1103515245 + 12345) % 2147483648 print(seed) end
---
local f = 1
for i = 1, 30 do f = f * i end
print(f)
---
local function fact(n) if n <= 1 then return 1 end return n * fact(n - 1) end
print(fact(5), fact(25))
---
local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
print(fib(20))
---
local a, b = 0, 1
for i = 1, 90 do a, b = b, a + b end
print(a)
---
print('a' < 'b', 'Z' < 'a', '' < 'a', 'abc' < 'abd', 'a' <= 'a', '10' < '9')
---
print(math.floor(math.huge), math.ceil(-math.huge))
---
local x = 1
local function get(v) return v / 0 end
print(math.floor(get(1)))
---
local a, b, c = false, 0, ''
print(a and 1 or 2, b and 1 or 2, c and 1 or 2)
---
local x
print(x and 1 or 2, x or 'd')
---
print(1 == '1', 0 == false, 1 == true, '' == false)
---
local x, y = 0, false
print(x == y)
---
local fs = {}
for i = 1, 3 do fs[#fs + 1] = function() return i end end
print(fs[1](), fs[2](), fs[3]())
---
local fs = {}
local i = 1
while i <= 3 do local j = i fs[#fs + 1] = function() return j * 10 end i = i + 1 end
print(fs[1](), fs[2](), fs[3]())
---
for x = 0, 1, 0.25 do print(x) end
---
for i = 5, 1, -2 do print(i) end
---
local step = -1
for i = 5, 1, step do print(i) end
---
local n = 3
for i = 1, n do n = 10 print(i) end
print(n)
---
for i = 1, 7 / 2 do print(i) end
for i = -5, -5 / 2 do print(i) end
---
for i = 3, 1 do print(i) end
for i = 1, 3 do local i = i * 2 print(i) end
---
for i = 1, math.huge do if i > 3 then break end print(i) end
---
local t = {1, 2, 3, 4}
for i, v in ipairs(t) do if v % 2 == 0 then table.remove(t, i) end end
print(#t, table.concat(t, ','))
---
local d = {a = 1, b = 2, c = 3}
for k, v in pairs(d) do d[k] = nil end
print(next(d) == nil)
---
local d = {a = 1, b = 2, c = 3}
for k, v in pairs(d) do d[k] = v * 2 end
print(d.a, d.b, d.c)
---
local function va(...) local t = {...} return #t end
print(va(1, 2, 3), va())
---
local x = 1
do local x = 2 print(x) do local x = 3 print(x) end print(x) end
print(x)
---
local x = 1
if x == 1 then local x = 5 x = x + 1 print(x) end
print(x)
for i = 1, 2 do local x = x + i print(x) end
print(x)
---
local i = 10
for i = 1, 2 do print(i) end
print(i)
---
local function even(n) if n == 0 then return true end return not (n % 2 == 1) end
print(even(4), even(3))
---
print('a\tb\\n', "q'\"", 'x\065y', '\z
  z')
---
local i = 0
repeat local done = i >= 3 i = i + 1 until done
print(i)
---
for i = 1, 4 do
  if i == 2 then goto continue end
  print(i)
  ::continue::
end
---
local s = 'hello'
print(s:sub(2), s:sub(-3), s:sub(2, -2), s:sub(-3, -2), s:sub(0), s:sub(2, 100), s:sub(4, 2), s:sub(-100, 2), s:sub(6))
---
local s = 'hello'
for i = -1, 7 do print('[' .. s:sub(i, i) .. ']') end
---
local s = 'hello'
for i = 1, 5 do for j = -2, 6, 4 do print('[' .. s:sub(i, j) .. ']') end end
---
print(('x'):rep(3), ('ab'):rep(0), ('ab'):rep(-1), ('abc'):reverse(), ('abc'):len(), #'abc', ('abc'):byte(2), ('abc'):upper())
---
print(string.format('%5.2f|%d|%s|%-5s|%05d|%x|%g|%e', 3.14159, 42, 'a', 'b', 7, 255, 1e20, 12345.678))
print(string.format('%d', 3.7), string.format('%s', 1.5), string.format('%s', true), string.format('%5s', nil))
---
print(string.format('%i|%u|%c|%q|%%', 3, 4, 65, 'a"b'))
---
print(tostring(nil), tostring(true), tostring(1.5), tostring(10), tostring('x'))
---
print(1 .. 2, 1.5 .. '', -1 .. 'x', 2^53 .. '')
---
print(#'', #'abc' + 1, -#'abc')
---
print(math.max(1, 2.5, 2), math.min(3, 1), math.abs(-2), math.abs(-2.5), math.fmod(-7, 3), math.fmod(7, -3), math.pow(2, 3), math.huge, -math.huge)
---
local a = {}
a[1] = 'x' a[2] = 'y' a[3] = 'z'
print(#a, a[3])
a[#a] = nil
print(#a)
---
local t = {5, 2, 8}
table.sort(t)
print(t[1], t[2], t[3])
table.sort(t, function(a, b) return a > b end)
print(t[1], t[2], t[3])
print(table.remove(t), table.remove(t, 1), #t)
table.insert(t, 1, 9)
print(t[1], t[2])
---
local t = {'b', 'a', 'B', '10', '9'}
table.sort(t)
print(table.concat(t, ' '))
---
print(0x10, 0xff, 1e2, .5, 3., 0x.8)
---
print(2^-1, (-2)^2, -2^2, 2^0.5, 0^0, (-8)^(1/3))
---
print(not nil, not 0, not '', nil == false)
---
local a = 5
local b = a
a = 6
print(b, a)
local t = {x = 1}
local u = t
u.x = 2
print(t.x)
---
local r = {name = 'bob', age = 3}
r.age = r.age + 1
print(r.name .. ' ' .. r.age, r.missing == nil)
r.extra = true
print(r.extra)
---
local words = {}
for w in ('the cat the dog'):gmatch('%a+') do words[w] = (words[w] or 0) + 1 end
print(words.the, words.cat, words.bird)
---
local function f(a, b) b = b or 10 return a + b end
print(f(1), f(1, 2))
---
local c = 0
local function inc(by) c = c + (by or 1) return c end
inc() inc(5)
print(c, inc())
---
local n = -5
print(n % 3, math.floor(n / 2), math.ceil(n / 2), -n, n * -1)
---
print(8 % 3.5, -8 % 3.5, 1e15 % 7, 2^40 % 1000)
---
local t = {10, 20, 30}
local s = 0
for i = #t, 1, -1 do s = s * 10 + t[i] end
print(s)
---
local m = {}
for i = 1, 3 do m[i] = {} for j = 1, 3 do m[i][j] = i * j end end
print(m[2][3], #m, #m[1])
---
local t = {}
for i = 1, 5 do t[i] = i end
t[3] = nil
print(t[3], t[4])
---
local t = {n = 0}
function t.inc() t.n = t.n + 1 return t.n end
function t:add(k) self.n = self.n + k return self end
t.inc()
t:add(5):add(6)
print(t.n)
---
local ok, err = pcall(function() error('boom') end)
print(ok)
local ok2, v = pcall(function() return 5 end)
print(ok2, v)
---
print(unpack({1, 2, 3}))
local a, b = unpack({4, 5})
print(a, b)
---
local s = ''
for i = 1, 3 do s = s .. i .. ',' end
print(s)
local r = ''
for i = 1, 2 do r = r .. i / 2 .. ' ' end
print(r)
---
print(string.rep('ab', 2.7), ('abc'):sub(1.5, 2.5))
---
local t = {true, false}
print(t[1], t[2], t[2] == false, t[1] and 'y' or 'n', t[2] and 'y' or 'n')
---
local v = false
print(v == nil, v ~= nil, v or 'x', not v)
---
local a = {1, 2}
local b = {1, 2}
print(a == b, a == a, a ~= b)
---
print(('%d items'):format(3), ('a'):byte(), string.char(72, 105))
---
print(tostring(1e15), tostring(-1e15), 1e15 .. '', 12345678901234567890)
---
while true do local a = 1 if a then break end end
print('done')
---
local function outer() local function inner(n) if n == 0 then return 'z' end return inner(n - 1) end return inner(3) end
print(outer())
---
local count = 0
local function walk(n) count = count + 1 for i = 1, n - 1 do walk(n - i - 1) end end
walk(5)
print(count)
---
local s, e = ('hello'):find('l+')
print(s, e)
local p = ('hello'):find('z')
print(p, p == nil)
---
local line = 'a,b,,c'
local parts = {}
for p in (line .. ','):gmatch('([^,]*),') do parts[#parts + 1] = p end
print(#parts, parts[1], parts[3] == '', parts[4])
---
print(os.time() > 0, os.clock() >= 0)
---
print(tonumber('ff', 16), tonumber('zz', 36), tonumber('8', 8), tonumber(5), tonumber('7'))
---
local q = {first = 1, last = 0}
q.last = q.last + 1
q[q.last] = 'a'
print(q[q.first])
---
local function f(a, b) local c = a > 1 and b or 7 return c end
print(f(2), f(2, 5), f(0, 5))
---
local x = 3
local y = x > 1 and x or 0
local z
z = z or 5
local w = x > 1 and z or 0
print(y, z, w)
---
local function g(b) print(b) b = b or 2 print(b) end
g() g(4)
---
local t = {}
local v = t.x
local u = 1 > 0 and v or 'd'
print(u)
---
-- equal items end up where Lua's quicksort leaves them
local words = {"pear", "fig", "apple", "kiwi", "plum", "date"}
local count = {pear = 2, fig = 1, apple = 2, kiwi = 1, plum = 2, date = 1}
table.sort(words, function(a, b) return count[a] > count[b] end)
print(table.concat(words, " "))
---
local words = {"aaa", "b", "cc", "d", "ee", "fff", "g", "hh", "i", "jjj", "k", "ll", "m", "nnn"}
table.sort(words, function(a, b) return #a < #b end)
print(table.concat(words, " "))
local function shorter(a, b) return #a < #b end
table.sort(words, shorter)
print(table.concat(words, " "))
---
local pairs_of = {}
for i = 1, 60 do pairs_of[i] = {i, i * 7 % 5} end
table.sort(pairs_of, function(a, b) return a[2] < b[2] end)
for _, each in ipairs(pairs_of) do print(each[1], each[2]) end
---
local two, three = {"bb", "aa"}, {"ccc", "bb", "aa"}
table.sort(two, function(a, b) return #a < #b end)
table.sort(three, function(a, b) return #a > #b end)
print(two[1], two[2], three[1], three[2], three[3])
---
local numbers = {3, 1, 2}
table.sort(numbers, function(a, b) return b < a end)
print(numbers[1], numbers[2], numbers[3])
---
-- text that says a number is one in arithmetic
local x = "5"
x = x + 1
print(x, "10" * 2, "3" + 4, 10 .. 20, "2" ^ 2, -"3", "7" % 4, "9" / 3, math.floor("2.5"), math.max("3", 2))
for w in ("1 2 3"):gmatch("%d+") do print(w + 1, w * 2.5) end
local opt = {n = "12"}
print(opt.n * 2)
---
-- a function that gives less at one place
local function values(x) if x then return 1, 2 end return 5 end
local a, b = values(true)
local c, d = values(false)
print(a, b, c, d)
---
local function settings(options)
   options = options or {}
   local n = options.n or 5
   local verbose = options.verbose
   if verbose == nil then verbose = true end
   return n, verbose
end
local n, verbose = settings()
print(n, verbose)
n, verbose = settings{n = 3, verbose = false}
print(n, verbose)
---
print((("hello"):gsub("l", {l = "L"})), (("abc"):gsub("%w", function(c) return c:upper() end)), ("abc"):gsub("b", "%%"))
---
print(string.format("%#x", 255))
---
local function risky(n) if n == 3 then error("three", 0) end return n end
for i = 1, 4 do
   local ok, value = pcall(risky, i)
   print(i, ok, value)
end
---
print(string.lower(12), string.rep(1, 3, 0), table.concat({"a", "b"}, 1), ("x"):rep(2, 5))
---
local function f(x) if x then return "true" else return "false" end end
print(f(0), f(""), f(nil), f(false), f({}), f("a"))
local function g(x) if not x then return "no" end return "yes" end
print(g(0), g(nil), g(false), g(1))
---
local function h(x, y) return x and y end
print(h(1, 2), h(false, 2), h(nil, 2), h(0, "s"))
local function k(x, y) return x or y end
print(k(1, 2), k(false, 2), k(nil, 3), k(0, "s"))
---
local b = os.time() < 5
local c = b and 1
print(c)
if c then print("c") else print("no c") end
local d = not b and 1
print(d)
if d then print("d") end
local e = (3 > 2) and "yes"
print(e)
local f = (3 < 2) or 5
print(f)
local g = (3 > 2) or 5
print(g)
---
local t = {a = 1, b = "x", c = false}
for _, k in ipairs{"a", "b", "c", "d"} do
  if t[k] then print(k, t[k]) else print(k, "off") end
end
---
local function look(k) if k == "a" then return 1 end end
local cache = {}
for _, k in ipairs{"a", "b"} do cache[k] = look(k) end
for _, k in ipairs{"a", "b"} do if cache[k] then print(k, "hit") else print(k, "miss") end end
---
local M = {}
function M.scale(x, factor, verbose)
  factor = factor or 2
  if verbose then print("scaling") end
  if not x then return nil end
  return x * factor
end
print(M.scale(3), M.scale(3, 4))
---
local function make(opt)
  local size = opt and opt.size or 3
  return size
end
print(make(), make{size = 7}, make{})
---
local opt = {gpu = false, name = ""}
if opt.gpu then print("gpu") end
if opt.name ~= "" then print("name") end
opt.gpu = 1
if opt.gpu then print("gpu", opt.gpu) end
---
local v
for i = 1, 3 do
  v = i == 2 and i
  print(v)
  if v then print("two") end
end
---
local x = nil
print(not (x and x > 3), not x == true, x == nil or x > 2)
local y = 5
print(not (y and y > 3), y and y > 3, y or false)
---
local function g(t) return t.z end
local function f(t) local v = g(t) and 1 return v end
print(f{z = false}, f{z = 1}, f{})
---
local function kind(x) return type(x) end
print(kind(1), kind("a"), kind(nil), kind(true), kind({}), kind(torch.zeros(2)), kind(function() end))
local function isn(x) if type(x) == "number" then return "n" elseif type(x) == 'table' then return "t" end return "other" end
print(isn(1), isn({1}), isn("s"))
---
local function f(o) return o and o.a and o.a.b end
print(f(nil), f{}, f{a = {}}, f{a = {b = 3}})
---
-- lists by places that follow each other, and tables that are none
local t = {}
t[1] = 'a'
t[2] = 'b'
t[3] = 'c'
t[2] = 'd'
print(#t, t[2], table.concat(t, ','))
local u = {}
u[1] = 1
u[3] = 3
print(u[3], u[2])
local v = {}
v[1] = 'a'
if v[1] == 'a' then v[2] = 'b' end
print(#v)
local a = {1, 2}
local b = a
b[3] = 3
print(#a, a[3])
for i = 1, 2 do local t = {} t[1] = i t[2] = i * 2 print(#t, t[2]) end
---
-- a list that is filled before the loop that changes it
local fields = {}
for f in ('1,2,3'):gmatch('%d') do fields[#fields + 1] = f end
for i, f in ipairs(fields) do fields[i] = tonumber(f) + 1 end
print(#fields, fields[3])
local function start(x) x[#x + 1] = 9 return x end
local more = {}
start(more)
for i = 1, 1 do more[i] = i end
print(#more, more[1])
---
local path = {}
for t = 4, 1, -1 do path[t] = t * 2 end
for i, v in ipairs(path) do print(i, v) end
print(#path, table.concat(path, ' '))
---
local t = {}
for i = 0, 3 do t[i] = i end
for i, v in ipairs(t) do print(v) end
print(#t)
---
local t = {}
for i = 10, 30, 10 do t[i] = i end
print(#t)
for i, v in ipairs(t) do print('never', i, v) end
---
local names = {}
for name, i in pairs({walk = 1, shop = 2, clean = 3}) do names[i] = name end
print(table.concat(names, ', '))
for i, name in ipairs(names) do print(i, name) end
---
local M = {}
function M.setup(opt, names)
  local n = 0
  for i = 1, #names do if names[i] ~= opt.skip then n = n + opt.step end end
  if opt.verbose then print("verbose") end
  return n
end
return M
---
local function f(a, b) return a + b, a * b end
print((select(2, f(3, 4))))
local p = select(2, f(1, 2))
print(p, select(2, ('banana'):gsub('a', '')))
---
local previous = {b = 'a', c = 'b'}
local node, steps = 'c', {}
while node do
   steps[#steps + 1] = node
   node = previous[node]
end
print(table.concat(steps, ' '))
---
local Queue = {}
Queue.__index = Queue
function Queue.new(less) return setmetatable({less = less, items = {}}, Queue) end
function Queue:first()
   local best = self.items[1]
   for _, item in ipairs(self.items) do if self.less(item, best) then best = item end end
   return best
end
local q = Queue.new(function(a, b) return a > b end)
for _, n in ipairs({3, 7, 5}) do table.insert(q.items, n) end
print(q:first(), q.less(2, 1))
---
local function risky(x)
   if x > 1 then error('too large') end
   return x / 4
end
for i = 1, 2 do
   local ok, e = pcall(risky, i)
   if ok then print('got ' .. e, e + 1) else print('failed') end
end
---
local t = {1, 2, 3, 4}
print(table.concat(t, '-', 2, 3), table.concat({'a', 'b', 'c'}, '', 2), table.getn(t))
---
local function reversed(t, i, j)
   local out = {}
   for k = 1, i - 1 do out[k] = t[k] end
   for k = i, j do out[k] = t[j - (k - i)] end
   for k = j + 1, #t do out[k] = t[k] end
   return out
end
print(table.concat(reversed({1, 2, 3, 4, 5}, 2, 4), ' '), #reversed({1, 2, 3}, 1, 3))
---
-- Loops that fill a list which may have items.
do
local function again(x) for i = 1, #x do x[i] = x[i] + 1 end return x end
local r = {all = {}, copy = {}}
r.all, r.copy = {}, {}
for i, v in pairs({1, 2, 3}) do r.copy[i] = v end
r.all = again(r.copy)
for i, v in pairs(r.copy) do r.all[i] = v * 2 end
print(#r.all, r.all[1], r.all[3])
end
do
local M = {}
function M:fill() self.list[#self.list + 1] = 'a' end
function M:run() self.list = {} self:fill() for i = 1, 3 do self.list[i] = 'x' .. i end end
M:run()
print(#M.list, M.list[1])
local t = {}
local function fill() for i = 1, 3 do t[i] = i * 2 end end
fill() fill()
print(#t, t[1])
end
do
local words = {}
local other = words
table.insert(other, 'x')
for i = 1, 2 do words[i] = 'w' .. i end
print(#words, words[1], other[2])
local h = {}
local k = {list = h}
k.list[#k.list + 1] = 1
for i = 1, 2 do h[i] = i * 10 end
print(#h, h[1])
end
do
local t, u, v = {}, {}, {}
for i = 1, 3 do t[i] = i t[#t + 1] = 10 * i end
print(#t, t[1], t[2], t[3], t[4])
for i = 1, 3 do u[i] = i table.insert(u, 10 * i) end
print(#u, u[1], u[2], u[3], u[4])
for i = 1, 4 do if i > 2 then v[i] = 'late' end v[i] = v[i] or 'new' end
print(table.concat(v, ' '))
if #v == 4 then v = {} end
if #v == 0 then v[1] = 'first' end
print(#v, v[1])
end
---
-- Places before the first item of a list and behind its last.
do
local t = {1, 2, 1}
local n = 0
for i = 1, #t do if t[i] ~= t[i - 1] then n = n + 1 end end
print(n)
end
do
local t = {1, 2, 1}
for i = 1, #t do
  local prev = t[i - 1]
  if prev then print(prev) else print('none') end
end
end
do
local t = {1, 2, 1}
local function show(x) if x then print(x) else print('none') end end
for i = 1, #t do show(t[i - 1]) end
end
do
local t = {1, 2, 1}
for i = 1, #t do print(t[i - 1]) end
end
do
local t = {'a', 'b', 'a'}
local function at(i) return t[i] end
for i = 0, 4 do print(at(i)) end
end
do
local t = {'a', 'b', 'a'}
local k = 0
for i = 1, 3 do k = k + 1 if t[k - 1] == 'a' then print(i) end end
end
do
   local t = {4, 5, 6}
   for i = 1, #t do
      local after = t[i + 1]
      if i > 1 and t[i - 1] == 4 then print('second', after == nil) end
      if i == 1 then print('first') else print(t[i - 1]) end
   end
   local j = 3
   while j > 0 do
      if t[j] ~= t[j - 1] then print(t[j]) end
      j = j - 1
   end
end
---
-- Functions that are asked for before they are there.
function a(n) if n == 0 then return 'a' end return b(n - 1) end
function b(n) if n == 0 then return 'b' end return a(n - 1) end
print(a(3), b(4))
print(later == nil)
function later() return 1 end
print(later())
if later2 == nil then print('nil') end
local function use() return later2 and 'there' or 'not' end
print(use())
function later2() return 2 end
print(use())

---
-- All values of calls at the ends of functions, and where they go.
local function pair(k) return k, k * 2 end
local function some(k) if k > 1 then return k, 'b' end return k end
local function tail(k) return pair(k) end
local function either(k) if k > 3 then return some(k) end return tail(k + 1) end
local function up(k) if k > 3 then return k, 'x' end return up(k + 1) end
local function first(k) return (pair(k)) end
local function none(k) if k > 1 then return k, 3 end end
local function show(a, b, c) print(a, b, c) end
local a, b = tail(1)
print(a, b, (tail(2)), tail(3) + 1, tostring(tail(4)))
print(tail(5))
print('a', tail(6))
local t = {first(7), 2}
print(#t, t[1])
show(tail(8))
show(0, tail(9))
show(1, 2, tail(10))
local c, d = some(1)
print(c, d)
local e, f = none(1)
print(e, f)
e, f = none(2)
print(e, f)
local g, h, i = up(0)
print(g, h, i)
local x = torch.ones(2)
print(x == 2, x ~= 1, x:sum(1) == 2, {} == 'a', either(1) == 2)

---
-- Names that the page has for something else: helpers, Python's own, and texts that are no names.
local lua_text, Exception, map, object, inspect = 1, 2, 3, 4, 5
local function lua_item(k) return k + 1 end
local none
local t = {1, 2}
local ok = pcall(function() error('x') end)
for i = 1, 3 do print(t[i], none, ok, lua_item(i)) end
print(lua_text, Exception, map, object, inspect)
torch.class('Odd')
function Odd:__init() self['a-b'] = 3 self['1'] = 4 self['in'] = 5 end
function Odd:sum() return self['a-b'] + self['1'] + self['in'] end
print(Odd():sum(), Odd()['a-b'])
local M = {}
M['f-1'] = function() return 1 end
print(M['f-1']())

---
-- Stores behind what a list was filled with.
local t = {}
for i = 1, 3 do t[i] = i * 2 end
t[4] = 5
print(#t, t[4])
local u = {}
for i = 1, 3 do table.insert(u, i) end
u[4] = 7
u[2] = 9
print(#u, u[4], u[2])
local v = {1, 2, 3}
v[2] = 5
v[3] = 6
print(v[2] + v[3])
local w = {}
for i = 1, 3 do w[i] = i end
for i = 1, 5 do w[i] = (w[i] or 0) + 1 end
for i = 1, 5 do w[i] = i end
print(#w, w[5])

---
-- Lists of other lengths than the variables that get their items.
local function f(n)
  local r = {}
  for i = 1, n do r[i] = i end
  return r
end
local t = f(1)
local a, b = unpack(t)
print(a, b)
local c, d = unpack(f(3))
print(c, d)
local e, g = unpack({1})
print(e, g)
local function pair() local p = {} p[1] = 3 p[2] = 4 return unpack(p) end
local h, i = pair()
print(h * i)
local j, k = unpack{5, 6, 7}
print(j, k)
if d then print('d') end
local function size(l) local w, h = unpack(l) if not h then h = w end return w * h end
print(size{3}, size{2, 4})

---
-- A field of a class that a method makes once.
torch.class('B')
function B:__init(k) self.k = k end
function B:put(v)
  B._all = B._all or {}
  B._all[v] = self.k
  return B._all[v]
end
print(B(3):put('a'))

---
-- Captures that a pattern has not, a ^ that gmatch takes for a letter, and a _ between digits.
print((('a1b2'):gsub('%d', '<%1>')), (('k=v'):gsub('(%w)=(%w)', '%2%1%0')))
for w in ('12 ^1'):gmatch('^%d') do print(w) end
print(tonumber('1_0', 8), tonumber('17', 8), tonumber('1_0'))

---
-- A truth value before or is the result where it is true.
local size = #('abc')
local yes, no = size == 3, size > 3
print(yes or 'default', no or 'default', yes or 1, no or 1)
local kept = yes or 2
print(kept, 'as text ' .. tostring(yes or 'default'))

---
-- Places behind the end of a list, and numbers of many digits in one.
local n = tonumber('3')
local t = {1, 2}
t[n] = 5
print(#t, t[n], t[#t + 1], table.concat({4, math.floor(1e14)}, ' '))

---
-- A parameter that is not given beside one that a call gives.
local function sum(a, b)
  b = b or 2
  return a + b
end
print(sum(math.min(4, 3)), sum(1, 5))

---
-- A number taken out of a list is written like one that stayed in it.
local t = {0.5, 1, 4 / 7}
local s = '7 digits'
if #t > 0 then print(table.remove(t), #t) end
t[#t + 1] = #s
print(t[3])

---
-- The larger of two numbers, one of which is none.
local none = tonumber('0') / 0
local function bounds(a, b) return math.max(a, b), math.min(a, b) end
print(bounds(none, 1))
print(bounds(1, none))
---
print(123456789012345, -123456789012345, 0.1, tostring(100000000000005))

---
-- a loop whose step and bounds a function is given, and that assigns its variable
local function grid(low, high, step)
   local out = {}
   for x = low, high, step do
      x = x * 2
      if x == 3 then x = 0 end
      out[#out + 1] = string.format('%.2f', x)
   end
   return table.concat(out, ' ')
end
print(grid(0, 1, 0.25))
print(grid(1, 0, -0.5))
print(grid(3, 1, 0.5) == '')
local total = 0
for x = 0.5, 4 do x = x * x total = total + x end
print(total)
---
-- a table with gaps, which pairs goes through
local t = {}
for i = 1, 3 do t[i] = true end
for o = 1, 2 do t[1000 + o] = false end
local n, sum = 0, 0
for k, v in pairs(t) do n = n + 1 sum = sum + k end
print(n, sum, t[1002], t[4])
---
-- what stands behind or is not computed where it is not wanted
local counts = {n = 0}
local function count() counts.n = counts.n + 1 return counts.n end
local t = {a = 5}
t.a = t.a or count()
t.b = t.b or count()
print(t.a, t.b, counts.n)
---
-- a function in a field of an object: the class's own where none is given
do
  local class = torch.class('Loader')
  function class:__init(args)
    self.plus = args.plus
    self.hook = args.hook
    if not self.hook then self.hook = self.default end
  end
  function class:default(x) return x + self.plus end
  function class:get(x) return self:hook(x) end
end
local a, b = Loader{plus = 2}, Loader{plus = 3, hook = function(self, x) return x * self.plus end}
print(a:get(3), b:get(3))
print(pcall(function() a:reset() end) == false)
---
-- options that nobody has declared
local cmd = torch.CmdLine()
cmd:option('-a', 1, 'x')
local opt = cmd:parse(arg or {})
if opt.missing ~= 1 then print('not one') end
if not opt.gone then print('gone') end
opt.later = 3
print(opt.a, opt.later, opt.other or 'none')
---
-- a text of Lua that assigns
local cmd = torch.CmdLine()
cmd:option('-sizes', '{2,3}', 'x')
opt = cmd:parse(arg or {})
loadstring('opt.sizes = ' .. opt.sizes)()
print(#opt.sizes, opt.sizes[2])
---
-- a metatable in a variable, with a function for what a table has not
local counts = {}
local mt = {__index = function(t, k) local v = {} rawset(t, k, v) return v end}
setmetatable(counts, mt)
counts.a.x = 3
counts.b.y = (counts.b.y or 0) + 1
print(counts.a.x, counts.b.y, counts.c.z)
---
-- options or none, whose names are two letters long
local function merged(options)
  local t = {lr = 1, wd = 2}
  for k, v in pairs(options or {}) do t[k] = v end
  return t.lr, t.wd
end
print(merged({lr = 5}))
print(merged())
---
-- a method that the constructor calls asks for a field that is set by what it gives
do
local C = torch.class('Net')
function C:__init() self.cells = {}; self.master = self:make() end
function C:make()
  local c = {n = 1}
  if self.master ~= nil then c.n = self.master.n + 1 end
  return c
end
end
local net = Net()
print(net.master.n, net:make().n)
---
local counters, powers, factorials, makers = {}, {}, {}, {}
for i = 1, 3 do
  local n = 0
  local function step(k) n = n + (k or i) return n end
  counters[i] = step
end
print(counters[1](), counters[1](), counters[2](), counters[3](), counters[1](5))
for i = 1, 3 do
  local f
  f = function(k) if k == 0 then return i end return f(k - 1) * 2 end
  powers[i] = f
end
print(powers[1](2), powers[2](2), powers[3](0))
for i = 1, 3 do
  local function factorial(k) if k <= 1 then return i end return k * factorial(k - 1) end
  table.insert(factorials, factorial)
end
print(factorials[1](3), factorials[2](3), factorials[3](4))
local turn = 0
while turn < 3 do
  turn = turn + 1
  local count, name = turn * 10, 'x' .. turn
  local make = function() return function() count = count + 1 name = name .. '!' return count .. name end end
  makers[turn] = make()
end
print(makers[1](), makers[1](), makers[2](), makers[3](), makers[1]())
---
local function f(x) if x then return 1 end end
print(2, f(false)) print(2, f(true)) print(f(false)) print((f(false)))
---
local function one(x) if x then return 1, 2 end end
local function three() return 1, 2, 3 end
local function count(...) return select('#', ...) end
for _, f in ipairs{one, three} do print(count(f()), count('x', f()), (count(f(true)))) end
---
local function of_none() coroutine.yield() end
local function of_nil() coroutine.yield(nil) return nil end
for _, f in ipairs{of_none, of_nil} do
   local co = coroutine.create(f)
   print(coroutine.resume(co)) print(coroutine.resume(co))
   local wrapped = coroutine.wrap(f)
   print(wrapped()) print(wrapped())
end
