-- Instructions on planes of numbers by the loops over numbers in a row that numpy has compiled (vector_loops.py).
--
-- A function of each number is a few passes over the plane, each by one of these loops. What lies in one piece is one row.
--
-- Arguments: host, the C type of a number, its letter.
-- Result: {name = f(pointers by slot, arguments) -> f(scale), nil where rows are too short}.

local host, number, letter = ...
local ffi = require 'ffi'
local cast, sizeof = ffi.cast, ffi.sizeof(number)
local unpack = unpack

local LOOP = ffi.typeof('void (*)(void*, const intptr_t*, const intptr_t*, void*)')   -- the first: an array of pointers
local FEW = 16   -- numbers in a row for which the call of a loop costs as much as it saves
local three_places, three_steps, one_count = ffi.typeof('$*[3]', number), ffi.typeof('intptr_t[3]'), ffi.typeof('intptr_t[1]')
local one_number, numbers = ffi.typeof('$[1]', number), ffi.typeof('$[?]', number)

local loops, data = {}, {}   -- by name

local function load(name)
   if not loops[name] then
      local address, its_data = host.vector_loop(name, letter)
      loops[name], data[name] = cast(LOOP, address), cast('void*', its_data)
   end
end

-- One pass over a plane. An operand is {slot, step from row to row, from column to column}; the last is the result.
local function pass(p, name, rows, columns, ...)
   load(name)
   local loop, its_data, operands = loops[name], data[name], {...}
   local is_whole, is_settled = true, true
   for i = 1, #operands do
      is_whole = is_whole and operands[i][2] == columns * operands[i][3]
      is_settled = is_settled and p[operands[i][1]] ~= nil   -- it lies where it lies in all runs
   end
   if is_whole then rows, columns = 1, rows * columns end
   local places, steps, count = three_places(), three_steps(), one_count(columns)
   for i = 1, #operands do steps[i - 1] = operands[i][3] * sizeof end
   local a, b, c = unpack(operands)
   local slot_a, row_a, slot_b, row_b = a[1], a[2], b[1], b[2]
   if rows == 1 and is_settled then
      for i = 1, #operands do places[i - 1] = p[operands[i][1]] end   -- `p` keeps what is Lua's as long as its list is run
      return function() loop(places, count, steps, its_data) end
   end
   if not c then
      return function()
         local x, o = p[slot_a], p[slot_b]
         for r = 0, rows - 1 do
            places[0], places[1] = x + r * row_a, o + r * row_b
            loop(places, count, steps, its_data)
         end
      end
   end
   local slot_c, row_c = c[1], c[2]
   return function()
      local x, y, o = p[slot_a], p[slot_b], p[slot_c]
      for r = 0, rows - 1 do
         places[0], places[1], places[2] = x + r * row_a, y + r * row_b, o + r * row_c
         loop(places, count, steps, its_data)
      end
   end
end

-- A number as an operand.
local function constant(p, value)
   local key = 'number ' .. value
   if not p[key] then
      p[key] = one_number(value)
   end
   return {key, 0, 0}
end

local function in_turn(a, b, c, d)
   if d then return function() a() b() c() d() end end
   return function() a() b() c() end
end

-- name -> how many operands, f(do a pass, the constant of a number, the result, the operands, a number)
local FUNCTIONS = {
   add = {2, function(go, _, o, x, y) return go('add', x, y, o) end},
   subtract = {2, function(go, _, o, x, y) return go('subtract', x, y, o) end},
   multiply = {2, function(go, _, o, x, y) return go('multiply', x, y, o) end},
   plus = {1, function(go, constant, o, x, v) return go('add', x, constant(v), o) end},
   times = {1, function(go, constant, o, x, v) return go('multiply', x, constant(v), o) end},
   tanh = {1, function(go, _, o, x) return go('tanh', x, o) end, 2048},   -- below that PyTorch's is used (ops/hyperbolic.py)
   of_tanh = {2, function(go, constant, o, g, y)
      return in_turn(go('multiply', y, y, o), go('subtract', constant(1), o, o), go('multiply', g, o, o))
   end},
   sigmoid = {1, function(go, constant, o, x)
      return in_turn(go('negative', x, o), go('exp', o, o), go('add', o, constant(1), o), go('reciprocal', o, o))
   end},
   of_sigmoid = {2, function(go, constant, o, g, y)
      return in_turn(go('subtract', constant(1), y, o), go('multiply', g, o, o), go('multiply', o, y, o))
   end},
}

local make = {}

for name, entry in next, FUNCTIONS do
   local operands, f, least = entry[1], entry[2], entry[3] or 0
   make[name] = function(p, a)
      local rows, columns = a[operands + 2], a[operands + 3]
      if columns < FEW or rows * columns < least then return nil end
      local function go(loop, ...) return pass(p, loop, rows, columns, ...) end
      local function number_of(value) return constant(p, value) end
      local planes = {}
      for i = 0, operands do planes[i] = {a[i + 1], a[operands + 4 + 2 * i], a[operands + 5 + 2 * i]} end
      local v = a[3 * operands + 6]
      if operands == 1 then return f(go, number_of, planes[0], planes[1], v) end
      return f(go, number_of, planes[0], planes[1], planes[2], v)
   end
end

---------------------------------------------------------------------------------------------------------
-- Over the columns of each row

-- A loop that puts the numbers of a row together: f(x, n) -> their sum, or the largest.
local function together(name)
   load(name)
   local loop, its_data = loops[name], data[name]
   local places, steps, count, total = three_places(), three_steps(0, sizeof, 0), one_count(), one_number()
   places[0], places[2] = total, total
   return function(x, n, first)
      total[0], count[0], places[1] = first, n, x
      loop(places, count, steps, its_data)
      return total[0]
   end
end

function make.log_softmax(p, a)
   local to, of, rows, columns = unpack(a, 1, 4)
   if columns < FEW then return nil end
   local most, add = together('maximum'), together('add')
   local powers = numbers(columns)
   local row = {shift = one_number(), powers = powers}
   local lower = pass(row, 'subtract', 1, columns, {'x', columns, 1}, {'shift', 0, 0}, {'o', columns, 1})
   local raise = pass(row, 'exp', 1, columns, {'o', columns, 1}, {'powers', columns, 1})
   local lower_more = pass(row, 'subtract', 1, columns, {'o', columns, 1}, {'shift', 0, 0}, {'o', columns, 1})
   return function()
      local o, x, shift = p[to], p[of], row.shift
      for r = 0, rows - 1 do
         row.o, row.x = o + r * columns, x + r * columns
         shift[0] = most(row.x, columns, -math.huge)
         lower()
         raise()
         shift[0] = math.log(add(powers, columns, 0))
         lower_more()
      end
   end
end

function make.of_log_softmax(p, a)
   local to, gradient, of, rows, columns = unpack(a, 1, 5)
   if columns < FEW then return nil end
   local add = together('add')
   local row = {sum = one_number()}
   local raise = pass(p, 'exp', rows, columns, {of, columns, 1}, {to, columns, 1})
   local scale = pass(row, 'multiply', 1, columns, {'o', columns, 1}, {'sum', 0, 0}, {'o', columns, 1})
   local lower = pass(p, 'subtract', rows, columns, {gradient, columns, 1}, {to, columns, 1}, {to, columns, 1})
   return function()
      raise()
      local o, g, sum = p[to], p[gradient], row.sum
      for r = 0, rows - 1 do
         row.o, sum[0] = o + r * columns, add(g + r * columns, columns, 0)
         scale()
      end
      lower()
   end
end

---------------------------------------------------------------------------------------------------------
-- Sums of rows

function make.sum_up(p, a)
   local to, from, rows, columns, gi, gj = unpack(a, 1, 6)
   if columns < FEW then return nil end
   local row = {total = numbers(columns), scale = one_number()}
   local total, bytes = row.total, columns * sizeof
   local add = pass(row, 'add', rows, columns, {'total', 0, 1}, {'g', gi, gj}, {'total', 0, 1})
   local multiply = pass(row, 'multiply', 1, columns, {'total', 0, 1}, {'scale', 0, 0}, {'total', 0, 1})
   local accumulate = pass(row, 'add', 1, columns, {'o', 0, 1}, {'total', 0, 1}, {'o', 0, 1})
   return function(scale)
      row.g, row.o, row.scale[0] = p[from], p[to], scale
      ffi.fill(total, bytes)
      add()
      if scale ~= 1 then multiply() end
      accumulate()
   end
end

return make
