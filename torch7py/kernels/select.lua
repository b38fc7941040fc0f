-- The k elements of each row that Torch7's quickselect brings to its front (or its end), as positions in its order.
--
-- WORD stands for the keys' type, int32_t or int64_t. All memory is the caller's and comes as addresses.

local include = ...
local ffi = require 'ffi'
local bit = require 'bit'
local band, bxor, rshift, arshift, tobit = bit.band, bit.bxor, bit.rshift, bit.arshift, bit.tobit
local keys_type, ints, longs = ffi.typeof('WORD*'), ffi.typeof('int32_t*'), ffi.typeof('int64_t*')

local LAST = 8 * ffi.sizeof('WORD') - 1  -- the bit of the sign

-- A difference has the wrong sign where it leaves the type: then a and b have different ones, and a's is right.
local function below(a, b)
   local difference = a - b
   return tobit(rshift(bxor(difference, band(bxor(a, b), bxor(difference, a))), LAST))
end

local partition = include('partition')(below)

-- Keys in the order of the numbers. `real` is -1 for floating numbers, whose bits run backwards below 0, from -0 on.
local function prepare(words, n, real, keys, places)
   for i = 0, n - 1 do
      local word = words[i]
      local backwards = band(arshift(word, LAST), real)
      keys[i] = bxor(word, rshift(backwards, 1)) - backwards
      places[i] = i
   end
end

local function select(keys, places, n, k)
   local low, high = 0, n - 1
   while high > low do
      if high == low + 1 then
         if keys[low] > keys[high] then
            places[low], places[high] = places[high], places[low]
         end
         return
      end
      local i, j = partition(keys, places, low, high)
      if j <= k then low = i end
      if j >= k then high = j - 1 end
   end
end

-- words: rows x n keys; scratch: n more, and n int32; out: rows x k longs. From the end unless `smallest`.
return function(words, real, rows, n, k, smallest, scratch, out)
   local keys = ffi.cast(keys_type, scratch)
   local places = ffi.cast(ints, keys + n)
   words, out = ffi.cast(keys_type, words), ffi.cast(longs, out)
   real = ffi.cast('WORD', real)
   if ffi.sizeof('WORD') == 4 then real = tonumber(real) end
   local first = smallest and 0 or n - k
   for row = 0, rows - 1 do
      prepare(words + row * n, n, real, keys, places)
      if smallest then
         select(keys, places, n, k - 1)
      elseif k < n then
         select(keys, places, n, first - 1)
      end
      for i = 0, k - 1 do out[row * k + i] = places[first + i] end
   end
end
