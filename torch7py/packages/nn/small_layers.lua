-- The commonest layers and criterions as loops over few numbers (bridge/lua/small_steps.lua).
--
-- A layer's functions take the layer's `part`, whose fields are pointers to its tensors (`output`, `gradInput` and those whose
-- names `tensors` adds; nil where it has none), the input `x` and the gradient `g` of the output as pointers to
-- rows of numbers, and how many rows and columns the input has:
--
--    width(part, columns): the columns of the output; nil where the layer does not take such an input
--    forward(part, x, rows, columns): write the output
--    backward(part, x, g, rows, columns): write gradInput
--    accumulate(part, x, g, rows, columns, scale): add to the parameters' gradients, where there are parameters
--    lacks_gradient(part): whether there is nowhere to add them
--
-- A criterion's take the `model` too, and the dimensions of the input: forward returns the loss and what else the
-- method returns, or nothing where Python is to look at the call.
--
-- `quirk` is the name of what an older generation of the layer did differently (nn/quirks.py), which is left to Python.
-- `settle(part, m)`, of both, reads what a script may set on the module, and says whether the loops hold then. It is
-- called again after a field of any module was set.
--
-- Sums are kept as doubles, as the original's are.
--
-- Arguments: small, the registration of the bridge.

local small = ...
local exp, log, tanh, floor, abs = math.exp, math.log, math.tanh, math.floor, math.abs
local type = type

local function same(part, columns) return columns end

---------------------------------------------------------------------------------------------------------
-- Linear

local function weighted_sums(w, b, x, y, rows, columns, outputs)
   for r = 0, rows - 1 do
      local from, to = r * columns, r * outputs
      for o = 0, outputs - 1 do
         local row, sum = o * columns, 0
         for i = 0, columns - 1 do sum = sum + w[row + i] * x[from + i] end
         y[to + o] = sum
      end
      if b then
         for o = 0, outputs - 1 do y[to + o] = y[to + o] + b[o] end
      end
   end
end

local function back_through(w, g, gx, rows, columns, outputs)
   for r = 0, rows - 1 do
      local from, to = r * outputs, r * columns
      for i = 0, columns - 1 do gx[to + i] = 0 end
      for o = 0, outputs - 1 do
         local row, slope = o * columns, g[from + o]
         for i = 0, columns - 1 do gx[to + i] = gx[to + i] + slope * w[row + i] end
      end
   end
end

local function accumulate(gw, gb, x, g, rows, columns, outputs, scale)
   for r = 0, rows - 1 do
      local from, to = r * columns, r * outputs
      for o = 0, outputs - 1 do
         local row, slope = o * columns, scale * g[to + o]
         for i = 0, columns - 1 do gw[row + i] = gw[row + i] + slope * x[from + i] end
         if gb then gb[o] = gb[o] + slope end
      end
   end
end

small.layer('nn.Linear', {
   tensors = 'weight bias gradWeight gradBias',
   width = function(part, columns)
      if part.weight == nil or part.weight_dims ~= 2 or part.weight_2 ~= columns then return nil end
      if part.bias ~= nil and part.bias_1 ~= part.weight_1 then return nil end
      return part.weight_1
   end,
   lacks_gradient = function(part)
      return part.gradWeight == nil or part.gradWeight_1 ~= part.weight_1 or part.gradWeight_2 ~= part.weight_2
             or part.bias ~= nil and (part.gradBias == nil or part.gradBias_1 ~= part.bias_1)
   end,
   forward = function(part, x, rows, columns)
      weighted_sums(part.weight, part.bias, x, part.output, rows, columns, part.weight_1)
   end,
   backward = function(part, x, g, rows, columns)
      back_through(part.weight, g, part.gradInput, rows, columns, part.weight_1)
   end,
   accumulate = function(part, x, g, rows, columns, scale)
      accumulate(part.gradWeight, part.bias ~= nil and part.gradBias, x, g, rows, columns, part.weight_1, scale)
   end,
})

---------------------------------------------------------------------------------------------------------
-- Functions of each number; the slopes are taken from the output y or the input x

-- `a` and `b` are what `settle` gives.
local function elementwise(key, run, run_back, settle)
   small.layer(key, {
      width = same,
         settle = settle and function(part, m)
         part.a, part.b = settle(m)
         return part.a ~= nil
      end,
      forward = function(part, x, rows, columns) run(x, part.output, rows * columns, part.a, part.b) end,
      backward = function(part, x, g, rows, columns)
         run_back(x, part.output, g, part.gradInput, rows * columns, part.a, part.b)
      end,
   })
end

elementwise('nn.Tanh', function(x, y, n)
   for i = 0, n - 1 do y[i] = tanh(x[i]) end
end, function(x, y, g, gx, n)
   for i = 0, n - 1 do gx[i] = g[i] * (1 - y[i] * y[i]) end
end)

elementwise('nn.Sigmoid', function(x, y, n)
   for i = 0, n - 1 do y[i] = 1 / (1 + exp(-x[i])) end
end, function(x, y, g, gx, n)
   for i = 0, n - 1 do gx[i] = g[i] * (1 - y[i]) * y[i] end
end)

-- Numbers that are not above the limit become the value.
local function threshold(x, y, n, limit, value)
   for i = 0, n - 1 do
      local v = x[i]
      y[i] = v <= limit and value or v
   end
end

local function through_threshold(x, y, g, gx, n, limit)
   for i = 0, n - 1 do gx[i] = x[i] <= limit and 0 or g[i] end
end

local function limit_and_value(m)
   local limit, value = m.threshold, m.val
   if type(limit) == 'number' and type(value) == 'number' then return limit, value end
end

elementwise('nn.Threshold', threshold, through_threshold, limit_and_value)
elementwise('nn.ReLU', threshold, through_threshold, limit_and_value)

---------------------------------------------------------------------------------------------------------
-- Over the columns of each row

local function largest(x, from, columns)
   local most = x[from]
   for i = 1, columns - 1 do
      if x[from + i] > most then most = x[from + i] end
   end
   return most
end

small.layer('nn.LogSoftMax', {
   width = same,
   forward = function(part, x, rows, columns)
      local y = part.output
      for r = 0, rows - 1 do
         local from, sum = r * columns, 0
         local most = largest(x, from, columns)
         for i = 0, columns - 1 do sum = sum + exp(x[from + i] - most) end
         sum = log(sum)
         for i = 0, columns - 1 do y[from + i] = x[from + i] - most - sum end
      end
   end,
   backward = function(part, x, g, rows, columns)
      local y, gx = part.output, part.gradInput
      for r = 0, rows - 1 do
         local from, sum = r * columns, 0
         for i = 0, columns - 1 do sum = sum + g[from + i] end
         for i = 0, columns - 1 do gx[from + i] = g[from + i] - exp(y[from + i]) * sum end
      end
   end,
})

small.layer('nn.SoftMax', {
   width = same,
   forward = function(part, x, rows, columns)
      local y = part.output
      for r = 0, rows - 1 do
         local from, sum = r * columns, 0
         local most = largest(x, from, columns)
         for i = 0, columns - 1 do
            local power = exp(x[from + i] - most)
            y[from + i], sum = power, sum + power
         end
         for i = 0, columns - 1 do y[from + i] = y[from + i] / sum end
      end
   end,
   backward = function(part, x, g, rows, columns)
      local y, gx = part.output, part.gradInput
      for r = 0, rows - 1 do
         local from, sum = r * columns, 0
         for i = 0, columns - 1 do sum = sum + g[from + i] * y[from + i] end
         for i = 0, columns - 1 do gx[from + i] = (g[from + i] - sum) * y[from + i] end
      end
   end,
})

small.container('nn.Sequential')

---------------------------------------------------------------------------------------------------------
-- Criterions

-- Whether all targets are classes, none of which is to be ignored.
local function are_classes(part, target, rows, columns)
   for r = 0, rows - 1 do
      local class = target(r)
      if class ~= floor(class) or class < 1 or class > columns or class == part.ignored then return false end
   end
   return true
end

-- The classes of a batch or of one example: f(row), or nil.
local function classes_of(part, model, dims, rows, columns, target)
   local read, its_dims = small.numbers(target, rows)
   if not read or its_dims and its_dims > 1 or dims == 2 and rows > 1 and not its_dims then return nil end
   return are_classes(part, read, rows, columns) and read or nil
end

small.criterion('nn.ClassNLLCriterion', {
   tensors = 'output_tensor total_weight_tensor',
   settle = function(part, m)
      part.mean, part.ignored = m.sizeAverage, m.ignoreIndex
      return m.weights == nil and part.output_tensor ~= nil and part.total_weight_tensor ~= nil
   end,
   forward = function(part, model, x, dims, rows, columns, target)
      local class = classes_of(part, model, dims, rows, columns, target)
      if not class then return nil end
      local sum = 0
      for r = 0, rows - 1 do sum = sum - x[r * columns + class(r) - 1] end
      if part.mean and rows > 1 then sum = sum / rows end
      part.output_tensor[0], part.total_weight_tensor[0] = sum, rows
      return part.output_tensor[0], rows
   end,
   backward = function(part, model, x, dims, rows, columns, target)
      local class = classes_of(part, model, dims, rows, columns, target)
      if not class or part.mean and part.total_weight_tensor[0] ~= rows then return false end
      local gx, share = part.gradInput, part.mean and -1 / rows or -1
      for i = 0, rows * columns - 1 do gx[i] = 0 end
      for r = 0, rows - 1 do gx[r * columns + class(r) - 1] = share end
      return true
   end,
})

-- A criterion of the differences of input and target: their mean or sum by `loss(x, t, n)`, and `slopes(x, t, gx, n,
-- share)`, times a share.
local function of_differences(key, loss, slopes, quirk)
   local function numbers_of(model, target, n)
      local t, _, rows, columns = small.matrix(model, target)
      return t and rows * columns == n and t or nil
   end
   small.criterion(key, {
      quirk = quirk,
      settle = function(part, m)
         part.mean = m.sizeAverage
         return m.weights == nil
      end,
      forward = function(part, model, x, dims, rows, columns, target)
         local n = rows * columns
         local t = numbers_of(model, target, n)
         local sum = t and loss(x, t, n)
         if sum then return part.mean and sum / n or sum end
      end,
      backward = function(part, model, x, dims, rows, columns, target)
         local n = rows * columns
         local t = numbers_of(model, target, n)
         if not t then return false end
         slopes(x, t, part.gradInput, n, part.mean and 1 / n or 1)
         return true
      end,
   })
end

of_differences('nn.MSECriterion', function(x, t, n)
   local sum = 0
   for i = 0, n - 1 do sum = sum + (x[i] - t[i]) * (x[i] - t[i]) end
   return sum
end, function(x, t, gx, n, share)
   for i = 0, n - 1 do gx[i] = 2 * share * (x[i] - t[i]) end
end)

of_differences('nn.AbsCriterion', function(x, t, n)
   local sum = 0
   for i = 0, n - 1 do sum = sum + abs(x[i] - t[i]) end
   return sum
end, function(x, t, gx, n, share)
   for i = 0, n - 1 do gx[i] = x[i] - t[i] >= 0 and share or -share end
end)

local TINY = 1e-12

of_differences('nn.BCECriterion', function(x, t, n)
   local sum = 0
   for i = 0, n - 1 do
      if not (x[i] >= 0 and x[i] <= 1) then return nil end
      sum = sum - (log(x[i] + TINY) * t[i] + log(1 - x[i] + TINY) * (1 - t[i]))
   end
   return sum
end, function(x, t, gx, n, share)
   for i = 0, n - 1 do gx[i] = share * (x[i] - t[i]) / ((1 - x[i] + TINY) * (x[i] + TINY)) end
end, 'BCECriterion gradient')
