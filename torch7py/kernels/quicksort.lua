-- Torch7's quicksort and quickselect of the rows of a matrix, as the positions of their elements.
--
-- keys: rows x n doubles, which are moved; a NaN in them has its plain bits. positions: rows x n longs, from 0. k: the
-- position that quickselect fills; below 0 the row is sorted. Every comparison with NaN is false, so a row with NaN
-- ends up as these very steps leave it.

local ffi = require 'ffi'
local rshift = bit.rshift
local doubles, longs = ffi.typeof('double*'), ffi.typeof('int64_t*')

local SMALL = 10   -- a range of at most so many elements is left to the insertion sort
local stack = ffi.new('int32_t[?]', 128)

local function exchange(keys, positions, i, j)
   keys[i], keys[j] = keys[j], keys[i]
   positions[i], positions[j] = positions[j], positions[i]
end

-- Around the median of three. The right part begins at the first result; the pivot is at the second.
local function partition(keys, positions, low, high)
   local second = low + 1
   exchange(keys, positions, rshift(low + high, 1), second)
   if keys[second] > keys[high] then exchange(keys, positions, second, high) end
   if keys[low] > keys[high] then exchange(keys, positions, low, high) end
   if keys[second] > keys[low] then exchange(keys, positions, second, low) end
   local pivot = keys[low]
   local i, j = second, high
   while true do
      repeat i = i + 1 until not (keys[i] < pivot)
      repeat j = j - 1 until not (keys[j] > pivot)
      if j < i then break end
      exchange(keys, positions, i, j)
   end
   exchange(keys, positions, low, j)
   return i, j
end

-- Partition ranges of more than SMALL elements until none is left.
local function partition_all(keys, positions, n)
   local low, high, top = 0, n - 1, 0
   while true do
      local i, j = partition(keys, positions, low, high)
      local left, right = j - 1 - low >= SMALL, high - i >= SMALL
      if left and right then
         -- The longer range waits on the stack, which therefore stays short.
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

local function insertion_sort(keys, positions, n)
   for i = n - 2, 0, -1 do
      local key, position, j = keys[i], positions[i], i + 1
      while j < n and keys[j] < key do
         keys[j - 1], positions[j - 1] = keys[j], positions[j]
         j = j + 1
      end
      keys[j - 1], positions[j - 1] = key, position
   end
end

local function select(keys, positions, n, k)
   local low, high = 0, n - 1
   while high > low do
      if high == low + 1 then
         if keys[low] > keys[high] then exchange(keys, positions, low, high) end
         return
      end
      local i, j = partition(keys, positions, low, high)
      if j <= k then low = i end
      if j >= k then high = j - 1 end
   end
end

return function(keys, rows, n, k, positions)
   keys, positions = ffi.cast(doubles, keys), ffi.cast(longs, positions)
   for _ = 1, rows do
      for i = 0, n - 1 do positions[i] = i end
      if k >= 0 then
         select(keys, positions, n, k)
      else
         if n > SMALL + 1 then partition_all(keys, positions, n) end
         insertion_sort(keys, positions, n)
      end
      keys, positions = keys + n, positions + n
   end
end
