-- The instructions of step programs (nn/step_program.py) as loops over memory, for one type of number.
--
-- Each is made once for its arguments, into a function that runs it: on the memory that the pointers by slot lead to at that
-- time, with the scale of the call. Products, and tanh, go to the functions that PyTorch calls for them, where these can be
-- reached, so that they have the bits that PyTorch's have. Other sums are kept as doubles, as the original's are.
--
-- Arguments: chunk, read (a pointer's number at a place), a table of what there is of the functions gemm, gemv and tanh of the type,
-- the C type of a number.
-- Result: {name = f(pointers by slot, arguments) -> f(scale)}.

local chunk, read, library, number = ...
local ffi = require 'ffi'
local exp, log, tanh = math.exp, math.log, math.tanh
local unpack, setmetatable, tonumber = unpack, setmetatable, tonumber
local copy, sizeof = ffi.copy, ffi.sizeof(number)

local make = {}

---------------------------------------------------------------------------------------------------------
-- Functions of each number

-- name -> how many operands, f(operands..., two arguments)
local FUNCTIONS = {
   add = {2, function(x, y) return x + y end},
   subtract = {2, function(x, y) return x - y end},
   multiply = {2, function(x, y) return x * y end},
   plus = {1, function(x, v) return x + v end},
   times = {1, function(x, v) return x * v end},
   tanh = {1, function(x) return tanh(x) end},
   of_tanh = {2, function(g, y) return g * (1 - y * y) end},
   sigmoid = {1, function(x) return 1 / (1 + exp(-x)) end},
   of_sigmoid = {2, function(g, y) return g * (1 - y) * y end},
   threshold = {1, function(x, limit, value) return x <= limit and value or x end},
   of_threshold = {2, function(g, x, limit) return x <= limit and 0 or g end},
   softplus = {1, function(x, beta, limit) return x * beta > limit and x or log(1 + exp(x * beta)) / beta end},
   of_softplus = {2, function(g, y, beta, limit)
      local z = exp(y * beta)
      return y * beta > limit and g or g * (z - 1) / z
   end},
}

-- Loops are loaded when they are first needed.
setmetatable(make, {__index = function(_, name)
   local entry = FUNCTIONS[name]
   local loop = chunk('step_loops.lua')(read, entry[2], entry[1])
   make[name] = loop
   return loop
end})

local function box(value)
   local made = ffi.new('int[1]')
   made[0] = value
   return made
end

if library.tanh then
   local vector, loop = library.tanh, make.tanh
   local ACCURATE = ffi.new('int64_t[1]', 0x140102)   -- and no errors are noted, as PyTorch has it

   function make.tanh(p, a)
      local to, from, rows, columns, oi, oj, xi, xj = unpack(a, 1, 8)
      if oj ~= 1 or xj ~= 1 then return loop(p, a) end
      local n = box(columns)
      return function()
         local o, x = p[to], p[from]
         for r = 0, rows - 1 do vector(n, x + r * xi, o + r * oi, ACCURATE) end
      end
   end
end

function make.accumulate(p, a)
   local to, from, rows, columns, oi, oj, xi, xj = unpack(a, 1, 8)
   return function(scale)
      local o, x = p[to], p[from]
      for r = 0, rows - 1 do
         for c = 0, columns - 1 do
            local at = r * oi + c * oj
            o[at] = read(o, at) + scale * read(x, r * xi + c * xj)
         end
      end
   end
end

function make.divide(p, a)
   local to, n, by = unpack(a, 1, 3)
   return function()
      local o = p[to]
      for i = 0, n - 1 do o[i] = read(o, i) / by end
   end
end

function make.fill(p, a)
   local to, n, value = unpack(a, 1, 3)
   return function()
      local o = p[to]
      for i = 0, n - 1 do o[i] = value end
   end
end

---------------------------------------------------------------------------------------------------------
-- From place to place

function make.copy(p, a)
   local to, from, n1, n2, n3, n4, o1, o2, o3, o4, x1, x2, x3, x4 = unpack(a, 1, 14)
   if o4 == 1 and x4 == 1 then
      local bytes = n4 * sizeof
      return function()
         local o, x = p[to], p[from]
         for i = 0, n1 - 1 do
            for j = 0, n2 - 1 do
               for k = 0, n3 - 1 do
                  copy(o + (i * o1 + j * o2 + k * o3), x + (i * x1 + j * x2 + k * x3), bytes)
               end
            end
         end
      end
   end
   return function()
      local o, x = p[to], p[from]
      for i = 0, n1 - 1 do
         for j = 0, n2 - 1 do
            for k = 0, n3 - 1 do
               local at, its = i * o1 + j * o2 + k * o3, i * x1 + j * x2 + k * x3
               for l = 0, n4 - 1 do o[at + l * o4] = read(x, its + l * x4) end
            end
         end
      end
   end
end

function make.look_up(p, a)
   local to, index, from, n, columns = unpack(a, 1, 5)
   local bytes = columns * sizeof
   return function()
      local o, rows, x = p[to], p[index], p[from]
      for i = 0, n - 1 do copy(o + i * columns, x + (tonumber(rows[i]) - 1) * columns, bytes) end
   end
end

function make.add_rows(p, a)
   local to, index, from, n, columns = unpack(a, 1, 5)
   return function(scale)
      local o, rows, g = p[to], p[index], p[from]
      for i = 0, n - 1 do
         local at, its = (tonumber(rows[i]) - 1) * columns, i * columns
         for c = 0, columns - 1 do o[at + c] = read(o, at + c) + scale * read(g, its + c) end
      end
   end
end

---------------------------------------------------------------------------------------------------------
-- Over the columns of each row

local function largest(x, from, columns)
   local most = read(x, from)
   for i = 1, columns - 1 do
      local v = read(x, from + i)
      if v > most then most = v end
   end
   return most
end

function make.log_softmax(p, a)
   local to, of, rows, columns = unpack(a, 1, 4)
   return function()
      local o, x = p[to], p[of]
      for r = 0, rows - 1 do
         local from, sum = r * columns, 0
         local most = largest(x, from, columns)
         for i = 0, columns - 1 do sum = sum + exp(read(x, from + i) - most) end
         sum = log(sum)
         for i = 0, columns - 1 do o[from + i] = read(x, from + i) - most - sum end
      end
   end
end

function make.of_log_softmax(p, a)
   local to, gradient, of, rows, columns = unpack(a, 1, 5)
   return function()
      local o, g, y = p[to], p[gradient], p[of]
      for r = 0, rows - 1 do
         local from, sum = r * columns, 0
         for i = 0, columns - 1 do sum = sum + read(g, from + i) end
         for i = 0, columns - 1 do o[from + i] = read(g, from + i) - exp(read(y, from + i)) * sum end
      end
   end
end

function make.softmax(p, a)
   local to, of, rows, columns = unpack(a, 1, 4)
   return function()
      local o, x = p[to], p[of]
      for r = 0, rows - 1 do
         local from, sum = r * columns, 0
         local most = largest(x, from, columns)
         for i = 0, columns - 1 do
            local power = exp(read(x, from + i) - most)
            o[from + i], sum = power, sum + power
         end
         for i = 0, columns - 1 do o[from + i] = read(o, from + i) / sum end
      end
   end
end

function make.of_softmax(p, a)
   local to, gradient, of, rows, columns = unpack(a, 1, 5)
   return function()
      local o, g, y = p[to], p[gradient], p[of]
      for r = 0, rows - 1 do
         local from, sum = r * columns, 0
         for i = 0, columns - 1 do sum = sum + read(g, from + i) * read(y, from + i) end
         for i = 0, columns - 1 do o[from + i] = (read(g, from + i) - sum) * read(y, from + i) end
      end
   end
end

---------------------------------------------------------------------------------------------------------
-- Sums and products

function make.sum(p, a)
   local to, from, n, step, rows, columns, oi, oj, xi, xj = unpack(a, 1, 10)
   return function()
      local o, x = p[to], p[from]
      for r = 0, rows - 1 do
         for c = 0, columns - 1 do
            local its, sum = r * xi + c * xj, 0
            for i = 0, n - 1 do sum = sum + read(x, its + i * step) end
            o[r * oi + c * oj] = sum
         end
      end
   end
end

function make.sum_up(p, a)
   local to, from, rows, columns, gi, gj = unpack(a, 1, 6)
   return function(scale)
      local o, g = p[to], p[from]
      for c = 0, columns - 1 do
         local sum = 0
         for r = 0, rows - 1 do sum = sum + read(g, r * gi + c * gj) end
         o[c] = read(o, c) + scale * sum
      end
   end
end

local OVER, SCALED = 0, 2   -- what is done to the result: overwritten, added to, added to by scale
local LYING = {[0] = 'N', 'T'}

if library.gemm and library.gemv then
   local gemm, gemv = library.gemm, library.gemv
   local array = ffi.typeof('$[1]', number)

   -- BLAS counts by columns: to it each matrix is its transpose, and so is the product
   function make.product(p, a)
      local to, first, second, m, n, k, lx, sx, ly, sy, so, batch, bx, by, bo, what = unpack(a, 1, 16)
      local M, N, K, SX, SY, SO = box(m), box(n), box(k), box(sx), box(sy), box(so)
      local alpha, beta = array(1), array(what == OVER and 0 or 1)
      local x_lies, y_lies = LYING[lx], LYING[ly]
      return function(scale)
         local o, x, y = p[to], p[first], p[second]
         if what == SCALED then alpha[0] = scale end
         for i = 0, batch - 1 do
            gemm(y_lies, x_lies, N, M, K, alpha, y + i * by, SY, x + i * bx, SX, beta, o + i * bo, SO)
         end
      end
   end

   function make.product_of_vector(p, a)
      local to, matrix, vector, rows, columns, lies, step, what = unpack(a, 1, 8)
      local M, N, S, one = box(lies == 0 and columns or rows), box(lies == 0 and rows or columns), box(step), box(1)
      local alpha, beta, transposed = array(1), array(what == OVER and 0 or 1), lies == 0 and 'T' or 'N'
      return function(scale)
         if what == SCALED then alpha[0] = scale end
         gemv(transposed, M, N, alpha, p[matrix], S, p[vector], one, beta, p[to], one)
      end
   end
   return make
end

local function multiply(o, x, y, m, n, k, xi, xj, yi, yj, so, scale, over)
   for r = 0, m - 1 do
      for c = 0, n - 1 do
         local sum = 0
         for i = 0, k - 1 do sum = sum + read(x, r * xi + i * xj) * read(y, i * yi + c * yj) end
         local at = r * so + c
         o[at] = over and sum or read(o, at) + scale * sum
      end
   end
end

function make.product(p, a)
   local to, first, second, m, n, k, lx, sx, ly, sy, so, batch, bx, by, bo, what = unpack(a, 1, 16)
   local xi, xj, yi, yj = lx == 0 and sx or 1, lx == 0 and 1 or sx, ly == 0 and sy or 1, ly == 0 and 1 or sy
   return function(scale)
      for i = 0, batch - 1 do
         multiply(p[to] + i * bo, p[first] + i * bx, p[second] + i * by, m, n, k, xi, xj, yi, yj, so,
                  what == SCALED and scale or 1, what == OVER)
      end
   end
end

function make.product_of_vector(p, a)
   local to, matrix, vector, rows, columns, lies, step, what = unpack(a, 1, 8)
   local xi, xj = lies == 0 and step or 1, lies == 0 and 1 or step
   return function(scale)
      multiply(p[to], p[matrix], p[vector], rows, 1, columns, xi, xj, 1, 1, 1, what == SCALED and scale or 1, what == OVER)
   end
end

return make
