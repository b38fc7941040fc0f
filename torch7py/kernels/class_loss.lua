-- The negative scores of the target classes, and the gradient of their sum. Classes count from 1.
--
-- REAL stands for the scores' type, NUMBER for that of the targets. scores, gradient: rows x classes; targets: rows.
-- Both functions return false where a target is no class; the results are then undefined.
--
-- Argument: reading.

local reading = ...
local ffi = require 'ffi'
local reals = ffi.typeof('REAL*')
local SIZE = ffi.sizeof('REAL')
local real, number = reading.read['REAL*'], reading.read['NUMBER*']

local loss = {}

-- Write the sum of each group of `count` rows, divided by `divisor`, to losses, and count to weight. Returns the last loss.
function loss.forward(scores, targets, groups, count, classes, divisor, losses, weight)
   losses = ffi.cast(reals, losses)
   for group = 0, groups - 1 do
      local sum = 0
      for row = group * count, group * count + count - 1 do
         local class = number(targets, row)
         if not (class >= 1 and class < classes + 1) then return false end
         class = class - class % 1
         sum = sum - real(scores, row * classes + class - 1)
      end
      losses[group] = sum / divisor
   end
   ffi.cast(reals, weight)[0] = count
   return real(losses, groups - 1)
end

-- weight: the address of the number that the gradient is divided by, or 0.
function loss.backward(gradient, targets, rows, classes, weight)
   gradient = ffi.cast(reals, gradient)
   local share = weight ~= 0 and real(weight, 0) or 1
   local value = share > 0 and -1 / share or 0
   ffi.fill(gradient, rows * classes * SIZE)
   for row = 0, rows - 1 do
      local class = number(targets, row)
      if not (class >= 1 and class < classes + 1) then return false end
      class = class - class % 1
      gradient[row * classes + class - 1] = value
   end
   return true
end

return loss
