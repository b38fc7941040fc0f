-- The subscripts of the elements that are not 0, from 1, in the order of the elements.
--
-- WORD stands for a number type as wide as an element. numbers: the elements; `sign`: 1 for floating numbers, which are 0
-- whatever their highest bit, else 0. sizes: `dims` longs. places: as many int32 as the last size. out: `dims` longs for
-- each of the elements that are not 0.

local ffi = require 'ffi'
local bit = require 'bit'
local bor, lshift, rshift, tobit = bit.bor, bit.lshift, bit.rshift, bit.tobit
local ints, longs = ffi.typeof('int32_t*'), ffi.typeof('int64_t*')

local WIDE = ffi.sizeof('WORD') == 8
local words = WIDE and ints or ffi.typeof('WORD*')
local STEP = WIDE and 2 or 1

-- Where in a row they are, and how many. A place is written down each time and kept or not: 1 is added where any bit is
-- set. (`-word` would be a jump, for 0.)
local function find(numbers, n, sign, places)
   local found = 0
   if WIDE then
      for i = 0, n - 1 do
         places[found] = i + 1
         local word = bor(numbers[2 * i], lshift(numbers[2 * i + 1], sign))
         found = found + rshift(bor(word, tobit(0 - word)), 31)
      end
   else
      for i = 0, n - 1 do
         places[found] = i + 1
         local word = lshift(numbers[i], sign)
         found = found + rshift(bor(word, tobit(0 - word)), 31)
      end
   end
   return found
end

return function(numbers, sign, sizes, dims, places, out)
   numbers, sizes = ffi.cast(words, numbers), ffi.cast(longs, sizes)
   places, out = ffi.cast(ints, places), ffi.cast(longs, out)
   if not WIDE and sign == 1 then sign = 33 - 8 * ffi.sizeof('WORD') end
   local size, last = {}, dims - 1
   for d = 0, last do size[d] = tonumber(sizes[d]) end
   local rows, at = 1, {}
   for d = 0, last - 1 do rows, at[d] = rows * size[d], 1 end
   for _ = 1, rows do
      local found = find(numbers, size[last], sign, places)
      for d = 0, last - 1 do
         local place = at[d]
         for i = 0, found - 1 do out[dims * i + d] = place end
      end
      for i = 0, found - 1 do out[dims * i + last] = places[i] end
      numbers, out = numbers + STEP * size[last], out + dims * found
      for d = last - 1, 0, -1 do
         at[d] = at[d] + 1
         if at[d] <= size[d] then break end
         at[d] = 1
      end
   end
end
