-- The instructions of step programs (nn/step_program.py) as loops over memory, for one type of number.
--
-- Each is made once for its arguments, into a function that runs it: on the memory that the pointers by slot lead to at that
-- time, with the scale of the call. Products go to the functions that PyTorch calls for them, where these can be reached, so
-- that they have the bits that PyTorch's have. The commonest functions of each number are in step_vectors.lua.
--
-- Arguments: chunk, read (a pointer's number at a place), a table of what there is of the functions gemm, gemv and axpy of the type, the
-- C type of a number.
-- Result: {name = f(pointers by slot, arguments) -> f(scale)}.

local chunk, read, library, number = ...
local ffi = require 'ffi'
local exp, log = math.exp, math.log
local unpack, setmetatable, tonumber = unpack, setmetatable, tonumber
local copy, fill, sizeof = ffi.copy, ffi.fill, ffi.sizeof(number)

local make = {}

---------------------------------------------------------------------------------------------------------
-- Functions of each number

-- name -> how many operands, f(operands..., two arguments)
local FUNCTIONS = {
   threshold = {1, function(x, limit, value) return x > limit and x or value end},   -- of a NaN the value
   of_threshold = {2, function(g, x, limit) return x > limit and g or 0 end},
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

function make.accumulate(p, a)
   local to, from, rows, columns, oi, oj, xi, xj = unpack(a, 1, 8)
   if library.axpy and rows == 1 and oj == 1 and xj == 1 then
      local axpy, n, one, alpha = library.axpy, box(columns), box(1), ffi.new(ffi.typeof('$[1]', number))
      return function(scale)
         alpha[0] = scale
         axpy(n, alpha, p[from], one, p[to], one)
      end
   end
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

function make.clear(p, a)
   local to, bytes = a[1], a[2]
   return function() fill(p[to], bytes) end
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

function make.class_loss(p, a)
   local to, from, classes, rows, columns, share = unpack(a, 1, 6)
   return function()
      local x, class, sum = p[from], p[classes], 0
      for r = 0, rows - 1 do sum = sum - read(x, r * columns + tonumber(class[r]) - 1) end
      p[to][0] = sum / share
   end
end

function make.square_loss(p, a)
   local to, from, target, n, share = unpack(a, 1, 5)
   return function()
      local x, t, sum = p[from], p[target], 0
      for i = 0, n - 1 do
         local d = read(x, i) - read(t, i)
         sum = sum + d * d
      end
      p[to][0] = sum / share
   end
end

function make.of_class_loss(p, a)
   local to, classes, rows, columns, share = unpack(a, 1, 5)
   local bytes = rows * columns * sizeof
   return function()
      local o, class = p[to], p[classes]
      fill(o, bytes)
      for r = 0, rows - 1 do o[r * columns + tonumber(class[r]) - 1] = share end
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
