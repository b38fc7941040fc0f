-- Categories drawn by their probabilities, as Torch7's multinomial draws them.
--
-- sums: rows x n doubles, the probabilities of a row added up to 1; they are used up. words: a random word of 32 bits, in
-- 64, for each sample. `once`: no category comes twice in a row. out: rows x samples longs, categories from 1.

local ffi = require 'ffi'
local doubles, words_type, longs = ffi.typeof('double*'), ffi.typeof('uint32_t*'), ffi.typeof('int64_t*')
local floor = math.floor

-- The first that is not below a point, by bisection: of sums that do not ascend another way finds another one.
local function place_of(sums, n, point)
   local from, to = 0, n
   while from < to do
      local middle = floor((from + to) / 2)
      if sums[middle] < point then from = middle + 1 else to = middle end
   end
   return from
end

-- What was drawn is taken away and the rest made to end at 1 again.
local function take_away(sums, n, place)
   local weight = sums[place]
   if place > 0 then weight = weight - sums[place - 1] end
   local left = 1 - weight
   for i = 0, place - 1 do sums[i] = sums[i] / left end
   for i = place, n - 1 do sums[i] = (sums[i] - weight) / left end
end

return function(sums, rows, n, words, samples, once, out)
   sums, words, out = ffi.cast(doubles, sums), ffi.cast(words_type, words), ffi.cast(longs, out)
   for row = 0, rows - 1 do
      for k = 0, samples - 1 do
         sums[n - 1] = 1
         local place = place_of(sums, n, words[2 * k] * 2^-32)
         out[k] = place + 1
         if once and k < samples - 1 then take_away(sums, n, place) end
      end
      sums, words, out = sums + n, words + 2 * samples, out + samples
   end
end
