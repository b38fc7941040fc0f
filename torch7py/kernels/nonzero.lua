-- The subscripts of the ones of a mask, from 1, in the order of the elements.
--
-- mask: bytes of 0 and 1. sizes: `dims` longs. places: one int32 more than the last size. out: `dims` longs for each one.

local ffi = require 'ffi'
local find = (...)('ones')
local ints, longs, bytes = ffi.typeof('int32_t*'), ffi.typeof('int64_t*'), ffi.typeof('uint8_t*')

return function(mask, sizes, dims, places, out)
   mask, sizes = ffi.cast(bytes, mask), ffi.cast(longs, sizes)
   places, out = ffi.cast(ints, places), ffi.cast(longs, out)
   local size, last = {}, dims - 1
   for d = 0, last do size[d] = tonumber(sizes[d]) end
   local rows, at = 1, {}
   for d = 0, last - 1 do rows, at[d] = rows * size[d], 1 end
   for _ = 1, rows do
      local found = find(mask, size[last], places)
      for d = 0, last - 1 do
         local place = at[d]
         for i = 0, found - 1 do out[dims * i + d] = place end
      end
      for i = 0, found - 1 do out[dims * i + last] = places[i] + 1 end
      mask, out = mask + size[last], out + dims * found
      for d = last - 1, 0, -1 do
         at[d] = at[d] + 1
         if at[d] <= size[d] then break end
         at[d] = 1
      end
   end
end
