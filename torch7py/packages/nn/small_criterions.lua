-- The commonest criterions as loops over few numbers (bridge/lua/small_steps.lua).
--
-- The functions take the criterion's `part`, whose fields are pointers to its tensors (`gradInput` and those whose names
-- `tensors` adds; nil where it has none), the input `x` as a pointer to rows of numbers, its dimensions, rows and columns,
-- and the target:
--
--    forward(part, x, dims, rows, columns, target): the loss and what else the method returns, nothing where Python is to
--       look at the call
--    backward(part, x, dims, rows, columns, target): write gradInput; whether it did
--
-- `most` is the number of numbers up to which an input is for the loops, where it is not the usual one. A criterion that
-- `reads_few` of its numbers does so by `part.read(x, place)`; the others may read memory as it is.
-- `quirk` is the name of what an older generation of the criterion did differently (nn/quirks.py), which is left to Python.
-- `settle(part, m)` reads what a script may set on the criterion, and says whether the loops hold then. It is called again
-- after a field of any module was set.
--
-- The criterions of differences round to the type of their tensors at each step, as the original does (`part.round`).
--
-- Arguments: small, the registration of the bridge.

local small = ...
local log, floor, abs = math.log, math.floor, math.abs

local function is_class(part, class, columns)
   return class == floor(class) and class >= 1 and class <= columns and class ~= part.ignored
end

-- The classes of a batch or of one example: f(row), or nil. Whether they are classes is to be looked at.
local function classes_of(dims, rows, target)
   local read, its_dims = small.numbers(target, rows)
   if not read or its_dims and its_dims > 1 or dims == 2 and rows > 1 and not its_dims then return nil end
   return read
end

small.criterion('nn.ClassNLLCriterion', {
   tensors = 'output_tensor total_weight_tensor',
   most = 20000, reads_few = true,
   settle = function(part, m)
      part.mean, part.ignored = m.sizeAverage, m.ignoreIndex
      return m.weights == nil and part.output_tensor ~= nil and part.total_weight_tensor ~= nil
   end,
   forward = function(part, x, dims, rows, columns, target)
      local class_of, read, sum = classes_of(dims, rows, target), part.read, 0
      if not class_of then return nil end
      for r = 0, rows - 1 do
         local class = class_of(r)
         if not is_class(part, class, columns) then return nil end
         sum = sum - read(x, r * columns + class - 1)
      end
      if part.mean and rows > 1 then sum = sum / rows end
      part.output_tensor[0], part.total_weight_tensor[0] = sum, rows
      return part.output_tensor[0], rows
   end,
   backward = function(part, x, dims, rows, columns, target)
      local class_of = classes_of(dims, rows, target)
      if not class_of or part.mean and part.read(part.total_weight_tensor, 0) ~= rows then return false end
      local gx, share = part.gradInput, part.mean and -1 / rows or -1
      small.clear(gx, rows * columns * part.bytes)
      for r = 0, rows - 1 do
         local class = class_of(r)
         if not is_class(part, class, columns) then return false end
         gx[r * columns + class - 1] = share
      end
      return true
   end,
})

-- A criterion of the differences of input and target: their mean or sum by `loss(x, t, n, round)`, and `slopes(x, t, gx, n,
-- share, round)`, times a share.
local function of_differences(key, loss, slopes, quirk)
   local function numbers_of(part, target, n)
      local t, _, rows, columns = small.matrix(part, target)
      return t and rows * columns == n and t or nil
   end
   small.criterion(key, {
      quirk = quirk,
      settle = function(part, m)
         part.mean = m.sizeAverage
         return m.weights == nil
      end,
      forward = function(part, x, dims, rows, columns, target)
         local n = rows * columns
         local t = numbers_of(part, target, n)
         local sum = t and loss(x, t, n, part.round)
         if sum then return part.mean and part.round(sum / n) or sum end
      end,
      backward = function(part, x, dims, rows, columns, target)
         local n = rows * columns
         local t = numbers_of(part, target, n)
         if not t then return false end
         slopes(x, t, part.gradInput, n, part.mean and part.round(1 / n) or 1, part.round)
         return true
      end,
   })
end

of_differences('nn.MSECriterion', function(x, t, n, round)
   local sum = 0
   for i = 0, n - 1 do
      local d = round(x[i] - t[i])
      sum = round(sum + round(d * d))
   end
   return sum
end, function(x, t, gx, n, share, round)
   for i = 0, n - 1 do gx[i] = 2 * share * round(x[i] - t[i]) end
end)

of_differences('nn.AbsCriterion', function(x, t, n, round)
   local sum = 0
   for i = 0, n - 1 do sum = round(sum + abs(round(x[i] - t[i]))) end
   return sum
end, function(x, t, gx, n, share, round)
   for i = 0, n - 1 do gx[i] = round(x[i] - t[i]) >= 0 and share or -share end
end)

local TINY = 1e-12

of_differences('nn.BCECriterion', function(x, t, n, round)
   local sum = 0
   for i = 0, n - 1 do
      if not (x[i] >= 0 and x[i] <= 1) then return nil end
      sum = round(sum - (log(x[i] + TINY) * t[i] + log(1 - x[i] + TINY) * (1 - t[i])))
   end
   return sum
end, function(x, t, gx, n, share, round)
   for i = 0, n - 1 do gx[i] = round(share * round(x[i] - t[i])) / ((1 - x[i] + TINY) * (x[i] + TINY)) end
end, 'BCECriterion gradient')
