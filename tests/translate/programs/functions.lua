-- Functions: closures, several results, varargs, recursion, functions as values, pcall.
local function sum(...)
   local total = 0
   for _, x in ipairs{...} do total = total + x end
   return total, select('#', ...)
end
print(sum(1, 2, 3))
local s, n = sum(4, 5)
print(s, n)
local function first(a, ...) return a, ... end
print((first(7, 8, 9)))
local function counter(step)
   local value = 0
   return function()
      value = value + (step or 1)
      return value
   end
end
local c1, c2 = counter(), counter(10)
c1()
print(c1(), c2())
local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
print(fib(15))
local function map(list, f)
   local out = {}
   for i, x in ipairs(list) do out[i] = f(x) end
   return out
end
print(table.concat(map({1, 2, 3}, function(x) return x * x end), ' '))
local function compose(f, g) return function(x) return f(g(x)) end end
print(compose(math.sqrt, math.abs)(-16))
local function divide(a, b)
   if b == 0 then error('division by zero') end
   return a / b
end
local ok, result = pcall(divide, 1, 2)
print(ok, result)
local fine, message = pcall(divide, 1, 0)
print(fine)
if not pcall(divide, 3, 0) then print('failed again') end
local done, why = pcall(function() error('stopped', 0) end)
print(done, why)
local function minmax(list)
   local low, high = math.huge, -math.huge
   for _, x in ipairs(list) do
      if x < low then low = x end
      if x > high then high = x end
   end
   return low, high
end
local low, high = minmax{3, 1, 2}
print(low, high)
print(math.max(unpack{3, 9, 4}))
local operations = {
   add = function(a, b) return a + b end,
   mul = function(a, b) return a * b end,
}
print(operations.add(2, 3), operations.mul(2, 3))
local function named(options)
   local width = options.width or 10
   return width * (options.height or 1)
end
print(named{width = 3, height = 2}, named{})
local callbacks = {}
for i = 1, 3 do callbacks[i] = function() return i end end
print(callbacks[1](), callbacks[3]())
local queue = {}
local function push(x) table.insert(queue, x) end
local function pop() return table.remove(queue, 1) end
push('a') push('b')
print(pop(), pop(), #queue)
local function outer()
   local function inner(n) if n == 0 then return 'done' end return inner(n - 1) end
   return inner(3)
end
print(outer())
assert(sum(1, 2) == 3, 'sums')
local function optional(a, b) return a + (b or 100) end
print(optional(1), optional(1, 2))
