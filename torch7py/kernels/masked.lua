-- The elements under the ones of a mask taken one after the other, or put there.
--
-- WORD stands for a number type as wide as an element. numbers and mask: n elements, the mask's bytes of 0 and 1. elements:
-- as many as there are ones, or when they are put there as many or more; with a step of 0 all get the first one.

local ffi = require 'ffi'
local find = (...)('ones')
local words, bytes = ffi.typeof('WORD*'), ffi.typeof('uint8_t*')

local BLOCK = 512
local places = ffi.new('int32_t[?]', BLOCK + 1)

return function(put, numbers, mask, n, elements, step)
   numbers, mask, elements = ffi.cast(words, numbers), ffi.cast(bytes, mask), ffi.cast(words, elements)
   for first = 0, n - 1, BLOCK do
      local found = find(mask + first, n - first < BLOCK and n - first or BLOCK, places)
      local piece = numbers + first
      if put then
         for k = 0, found - 1 do piece[places[k]] = elements[step * k] end
      else
         for k = 0, found - 1 do elements[k] = piece[places[k]] end
      end
      elements = elements + step * found
   end
end
