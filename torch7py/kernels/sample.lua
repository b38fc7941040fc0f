-- Categories drawn by their probabilities, as Torch7's multinomial draws them.
--
-- sums: rows x n doubles, the cumulative probabilities of a row, which are overwritten. words: a random word of 32 bits, in
-- 64, for each sample. `once`: no category comes twice in a row. out: rows x samples longs, categories from 1.

local ffi = require 'ffi'
local doubles, words_type, longs = ffi.typeof('double*'), ffi.typeof('uint32_t*'), ffi.typeof('int64_t*')
local floor = math.floor

-- The first sum that is not below a point, by the original's bisection: the sums may not ascend.
local function category_of(sums, n, point)
   local from, to = 0, n
   while from < to do
      local middle = floor((from + to) / 2)
      if sums[middle] < point then from = middle + 1 else to = middle end
   end
   return from
end

-- Remove a drawn category and scale the other sums to end at 1 again.
local function remove(sums, n, category)
   local weight = sums[category]
   if category > 0 then weight = weight - sums[category - 1] end
   local left = 1 - weight
   for i = 0, category - 1 do sums[i] = sums[i] / left end
   for i = category, n - 1 do sums[i] = (sums[i] - weight) / left end
end

-- Few samples of many categories: most sums are never read again. So removals are recorded (`categories`, `weights`,
-- `left`) and applied to a sum when it is read, in order and computed as by `remove`; `seen` counts those applied to it.
local categories, weights, left, seen

local function update(sums, i, steps)
   local sum = sums[i]
   for step = seen[i], steps - 1 do
      if i >= categories[step] then sum = sum - weights[step] end
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
         if middle < n - 1 then sum = update(sums, middle, k) end
         if sum < point then from = middle + 1 else to = middle end
      end
      out[k] = from + 1
      local weight = 1
      if from < n - 1 then weight = update(sums, from, k) end
      if from > 0 then weight = weight - update(sums, from - 1, k) end
      categories[k], weights[k], left[k] = from, weight, 1 - weight
   end
end

-- Whether that is faster than updating all sums at every draw. The bisection reads its first few sums at every draw; the
-- others have on average half of all removals before them, each of which takes as long as updating four sums in a loop.
local function are_few(samples, n)
   return 2 * samples * (2 + math.log(2 * n / samples) / math.log(2)) < n
end

return function(sums, rows, n, words, samples, once, out)
   sums, words, out = ffi.cast(doubles, sums), ffi.cast(words_type, words), ffi.cast(longs, out)
   local few = once and are_few(samples, n)
   if few then
      categories = ffi.new('int32_t[?]', samples)
      weights, left = ffi.new('double[?]', samples), ffi.new('double[?]', samples)
      seen = ffi.new('int32_t[?]', n)
   end
   for row = 0, rows - 1 do
      if few then
         draw_few(sums, n, words, samples, out)
      else
         for k = 0, samples - 1 do
            sums[n - 1] = 1
            local category = category_of(sums, n, words[2 * k] * 2^-32)
            out[k] = category + 1
            if once and k < samples - 1 then remove(sums, n, category) end
         end
      end
      sums, words, out = sums + n, words + 2 * samples, out + samples
   end
   categories, weights, left, seen = nil, nil, nil, nil
end
