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

-- Few samples of many categories: a sum goes through what was done to it when it is next looked at, step after step, and
-- most of them never are. Each is computed as by `take_away`. `places`, `weights` and `left` say what was done, `seen` how
-- much of it a sum has gone through.
local places, weights, left, seen

local function bring_up(sums, i, steps)
   local sum = sums[i]
   for step = seen[i], steps - 1 do
      if i >= places[step] then sum = sum - weights[step] end
      sum = sum / left[step]
   end
   sums[i], seen[i] = sum, steps
   return sum
end

local function draw_few(sums, n, words, samples, out)
   ffi.fill(seen, 4 * n)
   for k = 0, samples - 1 do
      local point, from, to = words[2 * k] * 2^-32, 0, n
      while from < to do
         local middle = floor((from + to) / 2)
         local sum = 1
         if middle < n - 1 then sum = bring_up(sums, middle, k) end
         if sum < point then from = middle + 1 else to = middle end
      end
      out[k] = from + 1
      local weight = 1
      if from < n - 1 then weight = bring_up(sums, from, k) end
      if from > 0 then weight = weight - bring_up(sums, from - 1, k) end
      places[k], weights[k], left[k] = from, weight, 1 - weight
   end
end

-- Whether that takes less than all sums at every step. Of the sums that a draw looks at the first few are looked at every
-- time, the others have on average half of all steps before them; a step of theirs takes as long as four of many sums.
local function are_few(samples, n)
   return 2 * samples * (2 + math.log(2 * n / samples) / math.log(2)) < n
end

return function(sums, rows, n, words, samples, once, out)
   sums, words, out = ffi.cast(doubles, sums), ffi.cast(words_type, words), ffi.cast(longs, out)
   local few = once and are_few(samples, n)
   if few then
      places, weights, left = ffi.new('int32_t[?]', samples), ffi.new('double[?]', samples), ffi.new('double[?]', samples)
      seen = ffi.new('int32_t[?]', n)
   end
   for row = 0, rows - 1 do
      if few then
         draw_few(sums, n, words, samples, out)
      else
         for k = 0, samples - 1 do
            sums[n - 1] = 1
            local place = place_of(sums, n, words[2 * k] * 2^-32)
            out[k] = place + 1
            if once and k < samples - 1 then take_away(sums, n, place) end
         end
      end
      sums, words, out = sums + n, words + 2 * samples, out + samples
   end
   places, weights, left, seen = nil, nil, nil, nil
end
