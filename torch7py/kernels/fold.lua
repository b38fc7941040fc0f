-- Sums and products of the elements of each row, by a routine of ours in the processor's instructions (ops/machine.py).
--
-- REAL stands for the elements' type. The routine takes four elements at a time and leaves four doubles behind its `count`
-- numbers. The rows have n elements and begin `step` elements after each other. out: a double for each row.

local ffi = require 'ffi'
local reals, doubles = ffi.typeof('REAL*'), ffi.typeof('double*')
local routine = ffi.typeof('void (*)(size_t, void*, const REAL*, void*, void*, void*)')
local SIZE = ffi.sizeof('REAL')

local ways = {
   sum = 'total + x', squares = 'total + x * x', magnitudes = 'total + math.abs(x)', product = 'total * x',
}
local made = {}

-- A loop of its own for each.
local function compile(name)
   local operator = name == 'product' and '*' or '+'
   return loadstring(([[
      local math = ...
      return function(call, numbers, results, x, rows, n, whole, step, out)
         for row = 0, rows - 1 do
            call(whole * SIZE, numbers, x, nil, nil, nil)
            local total = results[0] # results[1] # (results[2] # results[3])
            for i = whole, n - 1 do
               local x = x[i]
               total = NEXT
            end
            out[row] = total
            x = x + step
         end
      end]]):gsub('#', operator):gsub('NEXT', ways[name]):gsub('SIZE', SIZE), '=fold')(math)
end

return function(name, call, numbers, count, x, rows, n, step, out)
   made[name] = made[name] or compile(name)
   numbers = ffi.cast(doubles, numbers)
   local whole = n - n % 4
   made[name](ffi.cast(routine, call), numbers, numbers + count, ffi.cast(reals, x), rows, n, whole, step, ffi.cast(doubles, out))
end
