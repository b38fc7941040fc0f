-- Torch7's quicksort and quickselect with jumps, for rows with NaN among their numbers: every comparison with NaN is
-- false, so what comes out is no order but what these very steps leave.
--
-- REAL stands for the numbers' type. keys: rows x n of them, used up, NaN only with its plain bits. places: rows x n
-- longs, the positions. k: the place that is selected, from 0; below 0 all is sorted.

local ffi = require 'ffi'
local rshift = bit.rshift
local reals, longs = ffi.typeof('REAL*'), ffi.typeof('int64_t*')

local SMALL = 10
local stack = ffi.new('int32_t[?]', 128)

local function exchange(keys, places, i, j)
   keys[i], keys[j] = keys[j], keys[i]
   places[i], places[j] = places[j], places[i]
end

local function partition(keys, places, low, high)
   local second = low + 1
   exchange(keys, places, rshift(low + high, 1), second)
   if keys[second] > keys[high] then exchange(keys, places, second, high) end
   if keys[low] > keys[high] then exchange(keys, places, low, high) end
   if keys[second] > keys[low] then exchange(keys, places, second, low) end
   local pivot = keys[low]
   local i, j = second, high
   while true do
      repeat i = i + 1 until not (keys[i] < pivot)
      repeat j = j - 1 until not (keys[j] > pivot)
      if j < i then break end
      exchange(keys, places, i, j)
   end
   exchange(keys, places, low, j)
   return i, j
end

local function break_up(keys, places, n)
   local low, high, top = 0, n - 1, 0
   while true do
      local i, j = partition(keys, places, low, high)
      local left, right = j - 1 - low >= SMALL, high - i >= SMALL
      if left and right then
         if j - low > high - i then
            stack[top], stack[top + 1] = low, j - 1
            low = i
         else
            stack[top], stack[top + 1] = i, high
            high = j - 1
         end
         top = top + 2
      elseif left then
         high = j - 1
      elseif right then
         low = i
      else
         if top == 0 then return end
         top = top - 2
         low, high = stack[top], stack[top + 1]
      end
   end
end

local function insert(keys, places, n)
   for i = n - 2, 0, -1 do
      local key, place, j = keys[i], places[i], i + 1
      while j < n and keys[j] < key do
         keys[j - 1], places[j - 1] = keys[j], places[j]
         j = j + 1
      end
      keys[j - 1], places[j - 1] = key, place
   end
end

local function select(keys, places, n, k)
   local low, high = 0, n - 1
   while high > low do
      if high == low + 1 then
         if keys[low] > keys[high] then exchange(keys, places, low, high) end
         return
      end
      local i, j = partition(keys, places, low, high)
      if j <= k then low = i end
      if j >= k then high = j - 1 end
   end
end

return function(keys, rows, n, k, places)
   keys, places = ffi.cast(reals, keys), ffi.cast(longs, places)
   for _ = 1, rows do
      for i = 0, n - 1 do places[i] = i end
      if k >= 0 then
         select(keys, places, n, k)
      else
         if n > SMALL + 1 then break_up(keys, places, n) end
         insert(keys, places, n)
      end
      keys, places = keys + n, places + n
   end
end
