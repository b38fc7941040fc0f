-- How many numbers lie in each of `last` + 1 equal parts of a range.
--
-- REAL stands for float or double. numbers: `count` of them. low, high, width: the bounds of the range, which belong to it, and
-- how far they are apart, all three numbers of that type. found: `last` + 1 longs, which begin as zeros.

local ffi = require 'ffi'
local reals, longs = ffi.typeof('REAL*'), ffi.typeof('int64_t*')
local step = ffi.new('REAL[1]') -- every step is rounded to that type

return function(numbers, count, low, high, width, last, found)
   numbers, found = ffi.cast(reals, numbers), ffi.cast(longs, found)
   local parts = last + 1
   for i = 0, count - 1 do
      local x = numbers[i]
      if x >= low and x <= high then
         step[0] = x - low
         step[0] = step[0] / width
         step[0] = step[0] * parts
         local part = step[0]
         if part < last then
            found[part] = found[part] + 1
         else -- the upper bound itself, too
            found[last] = found[last] + 1
         end
      end
   end
end
