-- Instructions on planes of numbers by the loops over numbers in a row that numpy has compiled (vector_loops.py).
--
-- A function of each number is a few passes over the plane, each by one of these loops. What lies in one piece is one row.
--
-- Arguments: host, read (a pointer's number at a place), the C type of a number, its letter, PyTorch's tanh of few numbers or nil,
-- the table of instructions (instructions.lua), to which these are added.

local host, read, number, letter, tanh, make = ...
local ffi = require 'ffi'
local cast, fill, sizeof = ffi.cast, ffi.fill, ffi.sizeof(number)
local unpack, log, huge = unpack, math.log, math.huge

local LOOP = ffi.typeof('void (*)(void*, const intptr_t*, const intptr_t*, void*)')   -- the first: an array of pointers
local three_places, three_steps, one_count = ffi.typeof('$*[3]', number), ffi.typeof('intptr_t[3]'), ffi.typeof('intptr_t[1]')
local one_number, numbers = ffi.typeof('$[1]', number), ffi.typeof('$[?]', number)

local loops, data = {}, {}   -- by name

local function load(name)
   if not loops[name] then
      local address, its_data = host.vector_loop(name, letter)
      loops[name], data[name] = cast(LOOP, address), cast('void*', its_data)
   end
   return loops[name], data[name]
end

-- One pass over a plane. An operand is {slot, step from row to row, from column to column}; the last is the result.
local function pass(p, name, rows, columns, ...)
   local loop, its_data = load(name)
   local operands, is_whole, is_settled = {...}, true, true
   for i = 1, #operands do
      is_whole = is_whole and operands[i][2] == columns * operands[i][3]
      is_settled = is_settled and p[operands[i][1]] ~= nil   -- it lies where it lies in all runs
   end
   if is_whole then rows, columns = 1, rows * columns end
   local places, steps, count = three_places(), three_steps(), one_count(columns)
   for i = 1, #operands do steps[i - 1] = operands[i][3] * sizeof end
   if rows == 1 and is_settled then
      for i = 1, #operands do places[i - 1] = p[operands[i][1]] end   -- `p` keeps what is Lua's as long as its list is run
      return function() loop(places, count, steps, its_data) end
   end
   local a, b, c = unpack(operands)
   local slot_a, row_a, slot_b, row_b = a[1], a[2], b[1], b[2]
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
   p[key] = p[key] or one_number(value)
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
   divide = {1, function(go, constant, o, x, v) return go('divide', x, constant(v), o) end},
   tanh = {1, function(go, _, o, x) return go('tanh', x, o) end},
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

for name, entry in next, FUNCTIONS do
   local operands, f = unpack(entry)
   make[name] = function(p, a)
      local rows, columns, planes = a[operands + 2], a[operands + 3], {}
      for i = 1, operands + 1 do planes[i] = {a[i], a[operands + 2 + 2 * i], a[operands + 3 + 2 * i]} end
      planes[operands + 2] = a[3 * operands + 6]
      return f(function(loop, ...) return pass(p, loop, rows, columns, ...) end, function(value) return constant(p, value) end,
               unpack(planes, 1, operands + 2))
   end
end

-- Which library computes a tanh depends on how many numbers there are, as in Python (ops/hyperbolic.py): it has the same bits.
local FEW, ACCURATE = 2048, ffi.new('int64_t[1]', 0x140102)   -- and no errors are noted, as PyTorch has it
local of_many = make.tanh

function make.tanh(p, a)
   local to, from, rows, columns, oi, oj, xi, xj = unpack(a, 1, 8)
   if not tanh or rows * columns >= FEW or oj ~= 1 or xj ~= 1 then return of_many(p, a) end
   local n = ffi.new('int[1]', columns)
   return function()
      local o, x = p[to], p[from]
      for r = 0, rows - 1 do tanh(n, x + r * xi, o + r * oi, ACCURATE) end
   end
end

---------------------------------------------------------------------------------------------------------
-- Over the columns of each row

-- A loop that puts the numbers of a row together: f(x) -> their sum, or the largest.
local function together(name, n, first)
   local loop, its_data = load(name)
   local places, steps, count, total = three_places(), three_steps(0, sizeof, 0), one_count(n), one_number()
   places[0], places[2] = total, total
   return function(x)
      total[0], places[1] = first, x
      loop(places, count, steps, its_data)
      return read(total, 0)
   end
end

-- What a function over rows needs: `row`, in which it puts pointers to its row of x, g, y and o, and a number `v`; passes over
-- such a row, and passes over whole planes.
local function by_rows(p, rows, columns)
   local row = {v = one_number(), spare = numbers(columns)}
   local function passes(p, rows)
      return function(loop, ...)
         local operands = {...}
         for i = 1, #operands do operands[i] = {operands[i], columns, operands[i] == 'v' and 0 or 1} end
         return pass(p, loop, rows, columns, unpack(operands))
      end
   end
   return row, passes(row, 1), passes(p, rows)
end

function make.log_softmax(p, a)
   local to, of, rows, columns = unpack(a, 1, 4)
   local most, add, row, of_row = together('maximum', columns, -huge), together('add', columns, 0), by_rows(p, rows, columns)
   local lower, raise = of_row('subtract', 'x', 'v', 'o'), of_row('exp', 'o', 'spare')
   local lower_more, v = of_row('subtract', 'o', 'v', 'o'), row.v
   return function()
      local o, x = p[to], p[of]
      for r = 0, rows - 1 do
         row.o, row.x = o + r * columns, x + r * columns
         v[0] = most(row.x)
         lower()
         raise()
         v[0] = log(add(row.spare))
         lower_more()
      end
   end
end

function make.of_log_softmax(p, a)
   local to, gradient, of, rows, columns = unpack(a, 1, 5)
   local add, row, of_row, of_all = together('add', columns, 0), by_rows(p, rows, columns)
   local raise, lower, scale = of_all('exp', of, to), of_all('subtract', gradient, to, to), of_row('multiply', 'o', 'v', 'o')
   return function()
      raise()
      local o, g = p[to], p[gradient]
      for r = 0, rows - 1 do
         row.o, row.v[0] = o + r * columns, add(g + r * columns)
         scale()
      end
      lower()
   end
end

function make.softmax(p, a)
   local to, of, rows, columns = unpack(a, 1, 4)
   local most, add, row, of_row = together('maximum', columns, -huge), together('add', columns, 0), by_rows(p, rows, columns)
   local lower, raise, divide = of_row('subtract', 'x', 'v', 'o'), of_row('exp', 'o', 'o'), of_row('divide', 'o', 'v', 'o')
   return function()
      local o, x, v = p[to], p[of], row.v
      for r = 0, rows - 1 do
         row.o, row.x = o + r * columns, x + r * columns
         v[0] = most(row.x)
         lower()
         raise()
         v[0] = add(row.o)
         divide()
      end
   end
end

function make.of_softmax(p, a)
   local to, gradient, of, rows, columns = unpack(a, 1, 5)
   local add, row, of_row, of_all = together('add', columns, 0), by_rows(p, rows, columns)
   local weigh, weigh_again, lower = of_all('multiply', gradient, of, to), of_all('multiply', to, of, to), of_row('subtract', 'g', 'v', 'o')
   return function()
      weigh()
      local o, g = p[to], p[gradient]
      for r = 0, rows - 1 do
         row.o, row.g = o + r * columns, g + r * columns
         row.v[0] = add(row.o)
         lower()
      end
      weigh_again()
   end
end

-- The rows added up, by which a bias has its gradient.
function make.sum_up(p, a)
   local to, from, rows, columns, gi, gj = unpack(a, 1, 6)
   local row, of_row = by_rows(p, rows, columns)
   local total, bytes, v = row.spare, columns * sizeof, row.v
   local add = pass(row, 'add', rows, columns, {'spare', 0, 1}, {'g', gi, gj}, {'spare', 0, 1})
   local multiply, accumulate = of_row('multiply', 'spare', 'v', 'spare'), of_row('add', 'o', 'spare', 'o')
   return function(scale)
      row.g, row.o, v[0] = p[from], p[to], scale
      fill(total, bytes)
      add()
      if scale ~= 1 then multiply() end
      accumulate()
   end
end
