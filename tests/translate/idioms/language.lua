--- a loop whose variable only counts places
local t = {4, 5, 6}
local sum = 0
for i = 1, #t do sum = sum + t[i] end
print(sum)
--- a loop over neighbours
local t = {1, 4, 9, 16}
for i = 2, #t do print(t[i] - t[i - 1]) end
--- a loop whose variable is a place and a value
local t = {4, 5, 6}
for i = 1, #t do print(i, t[i] * i) end
--- a loop whose variable is only a value, or not used
local total = 0
for i = 1, 10 do total = total + i end
for i = 1, 3 do total = total + 1 end
print(total)
--- two lists side by side
local xs, ys = {1, 2, 3}, {4, 5, 6}
local dot = 0
for i = 1, #xs do dot = dot + xs[i] * ys[i] end
print(dot)
--- loops that begin and end elsewhere
local first, last = 3, 6
for i = 0, 2 do print(i) end
for i = first, last do print(i) end
--- loops that count down, in steps, in steps that are not whole
for i = 3, 1, -1 do print(i) end
for i = 1, 10, 4 do print(i) end
for x = 0, 1, 0.25 do print(x) end
--- the items of a list
local names = {'a', 'b'}
for _, name in ipairs(names) do print(name) end
for i, name in ipairs(names) do print(i, name) end
--- the entries of a table
local price = {tea = 2, milk = 1.5}
for item, cost in pairs(price) do print(item, cost) end
local sum = 0
for _, cost in pairs(price) do sum = sum + cost end
print(sum)
--- lists, records, dicts
local list = {1, 2, 3}
local record = {name = 'x', size = 3}
local count = {}
for _, w in ipairs{'a', 'b', 'a'} do count[w] = (count[w] or 0) + 1 end
print(#list, record.name, record.size, count.a, count.b)
--- a table with holes, or that begins at 0
local t = {[0] = 'zero', 'one', 'two'}
print(t[0], t[2])
local sparse = {}
sparse[10] = 'ten'
print(sparse[10], sparse[5])
--- a table that is a list and has names
local t = {1, 2, n = 2}
print(t[1], t.n)
--- a default for what is nil
local function area(width, height)
   height = height or width
   return width * height
end
print(area(3), area(3, 4))
--- a default from another variable
local function scaled(x, options)
   local factor = options and options.factor or 2
   return x * factor
end
print(scaled(3), scaled(3, {factor = 5}))
--- a choice between two values
local n = 3
print(n > 2 and 'many' or 'few', n > 5 and 1 or 0)
--- a condition that is one variable
local function show(x, verbose)
   if verbose then print('showing') end
   if x then print(x) else print('nothing') end
end
show(0, true)
show(nil)
show('', false)
--- division, remainder, power
local a, b = 7, 2
print(a / b, a % b, -a % b, a ^ b, math.floor(a / b))
--- numbers in text
local n, x = 3, 2.5
print(n .. ' and ' .. x .. ' make ' .. n + x)
print('half of ' .. n .. ' is ' .. n / 2)
--- formatted text
print(string.format('%d of %d: %.2f %5s|%-5s|%g', 3, 10, 2 / 3, 'ab', 'cd', 0.1))
print(('%s=%s'):format('x', 1.5))
--- patterns: find, match, gsub, gmatch
local line = 'key = value 42'
print(line:find('value'))
print(line:match('(%w+) = (%w+)'))
print((line:gsub('%d+', 'N')))
for word in line:gmatch('%a+') do print(word) end
--- plain text in text
local path = 'data/train.t7'
print(path:find('.', 1, true) ~= nil, path:gsub('/', '_'))
if path:find('train', 1, true) then print('train') end
--- several results
local function extremes(t)
   local low, high = t[1], t[1]
   for _, x in ipairs(t) do low, high = math.min(low, x), math.max(high, x) end
   return low, high
end
local low, high = extremes{3, 1, 2}
print(low, high)
--- results of different number
local function find(t, x)
   for i = 1, #t do
      if t[i] == x then return i, 'found' end
   end
   return nil
end
local place, how = find({4, 5}, 5)
print(place, how)
place, how = find({4, 5}, 6)
print(place, how)
--- any number of arguments
local function sum(first, ...)
   local total = first
   for _, x in ipairs{...} do total = total + x end
   return total, select('#', ...)
end
print(sum(1, 2, 3))
--- all that a function is given, given on
local function pass(...) return ... end
print(pass(1, 'a'))
--- items as arguments
local t = {3, 9, 4}
print(math.max(unpack(t)))
local more = {0, unpack(t)}
print(#more)
--- only the first result
local function two() return 1, 2 end
print((two()))
--- adding at the end, looking at it, taking from it
local t = {}
t[#t + 1] = 'a'
table.insert(t, 'b')
table.insert(t, 1, 'z')
print(#t, t[#t], table.remove(t), table.remove(t, 1), #t)
--- closures
local function counter()
   local n = 0
   return function() n = n + 1 return n end
end
local a, b = counter(), counter()
print(a(), a(), b())
--- closures that keep a loop's variable
local fs = {}
for i = 1, 3 do fs[i] = function() return i * 10 end end
print(fs[1](), fs[3]())
--- globals that functions assign
total = 0
local function add(x) total = total + x end
add(2)
add(3)
print(total)
--- a name that is declared twice
local x = 1
local x = x + 1
local x = 'now ' .. x
print(x)
--- objects by metatables
local Account = {}
Account.__index = Account
function Account.new(balance) return setmetatable({balance = balance}, Account) end
function Account:deposit(v) self.balance = self.balance + v end
local account = Account.new(10)
account:deposit(5)
print(account.balance)
--- classes by prototypes
local Vehicle = {wheels = 4}
function Vehicle:new(o)
   o = o or {}
   setmetatable(o, self)
   self.__index = self
   return o
end
function Vehicle:text() return self.name .. ' has ' .. self.wheels .. ' wheels' end
local Bike = Vehicle:new{wheels = 2}
function Bike:ring() return self.name .. ' rings' end
local bike = Bike:new{name = 'old one'}
print(bike:text(), bike:ring(), Vehicle:new{name = 'van'}:text())
--- objects made where they are needed
local Span = {}
Span.__index = Span
function Span:length() return self.last - self.first end
local function between(first, last) return setmetatable({first = first, last = last}, Span) end
print(between(3, 8):length())
--- operators of one's own
local V = {}
V.__index = V
function V.new(x, y) return setmetatable({x = x, y = y}, V) end
V.__add = function(a, b) return V.new(a.x + b.x, a.y + b.y) end
V.__eq = function(a, b) return a.x == b.x and a.y == b.y end
V.__tostring = function(a) return '(' .. a.x .. ', ' .. a.y .. ')' end
print(tostring(V.new(1, 2) + V.new(3, 4)), V.new(1, 2) == V.new(1, 2))
--- a table that makes up its entries
local t = setmetatable({}, {__index = function(_, k) return k .. '!' end})
print(t.a)
--- an error that is caught
local function root(x)
   if x < 0 then error('negative', 0) end
   return math.sqrt(x)
end
for _, x in ipairs{4, -1} do
   local ok, result = pcall(root, x)
   print(ok, result)
end
--- an assertion
local n = tonumber('12')
assert(n, 'no number')
print(n + 1)
--- sorting, also by a function
local t = {3, 1, 2}
table.sort(t)
print(table.concat(t, ' '))
table.sort(t, function(a, b) return a > b end)
print(table.concat(t, ' '))
local words = {'ccc', 'a', 'bb'}
table.sort(words, function(a, b) return #a < #b end)
print(table.concat(words, ' '))
--- repeat, while, break, goto
local n = 0
repeat
   local done = n >= 2
   n = n + 1
until done
while true do
   n = n + 1
   if n > 5 then break end
end
for i = 1, 4 do
   if i % 2 == 0 then goto continue end
   print(i)
   ::continue::
end
print(n)
--- several assignments at once
local a, b = 1, 2
a, b = b, a
print(a, b)
--- coroutines
local co = coroutine.wrap(function() for i = 1, 2 do coroutine.yield(i) end end)
print(co(), co())
--- a parameter of several kinds
local function copied(x)
  if type(x) == 'table' then
    local y = {}
    for k, v in pairs(x) do y[k] = copied(v) end
    return y
  elseif torch.isTensor(x) then
    return x:clone()
  end
  return x
end
local state = {weights = torch.ones(2), sizes = {3, 4}, name = 'net'}
local other = copied(state)
other.weights:fill(5)
print(state.weights[1], other.weights[1], other.sizes[2], other.name)
