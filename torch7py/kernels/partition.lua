-- Sedgewick's partition of a piece of a row ("Implementing Quicksort Programs", 1978, program 2), without jumps.
--
-- What a comparison finds is written down each time and kept or not (Edelkamp and Weiss, "BlockQuicksort", 2016): a
-- jump that goes either way costs more than all else together. The exchanges are those of the program, in its order.
--
-- Result: f(below), which gives a partition for keys of which below(a, b) is 1 when a < b, else 0.

local ffi = require 'ffi'
local rshift = bit.rshift

local BLOCK = 128                -- elements that are compared before any is moved

local lefts, rights = ffi.new('int32_t[?]', 2 * BLOCK + 1), ffi.new('int32_t[?]', 2 * BLOCK + 1)

return function(below)

local function exchange(keys, places, i, j)
   keys[i], keys[j] = keys[j], keys[i]
   places[i], places[j] = places[j], places[i]
end

-- Which of the elements from i upwards are not below the pivot: two at a time, since LuaJIT counts in floating numbers and
-- one addition has to wait for the last.
local function scan_up(keys, i, count, pivot)
   local found = 0
   for k = 0, count - 2, 2 do
      local first, second = 1 - below(keys[i + k], pivot), 1 - below(keys[i + k + 1], pivot)
      lefts[found] = k
      lefts[found + first] = k + 1
      found = found + (first + second)
   end
   return found
end

-- Which of those from j downwards are not above it.
local function scan_down(keys, j, count, pivot)
   local found = 0
   for k = 0, count - 2, 2 do
      local first, second = 1 - below(pivot, keys[j - k]), 1 - below(pivot, keys[j - k - 1])
      rights[found] = k
      rights[found + first] = k + 1
      found = found + (first + second)
   end
   return found
end

-- Both of these at once, and behind the last of either what lies beyond the piece.
local function scan_both(keys, i, j, count, pivot)
   local up, down = 0, 0
   for k = 0, count - 1 do
      lefts[up], rights[down] = k, k
      up = up + (1 - below(keys[i + k], pivot))
      down = down + (1 - below(pivot, keys[j - k]))
   end
   lefts[up], rights[down] = count, count
end

local function exchange_found(keys, places, i, j, left, right, count)
   for k = 0, count - 1 do
      exchange(keys, places, i + lefts[left + k], j - rights[right + k])
   end
end

-- Around the median of three; the right piece begins at the first result, the pivot lies at the second.
return function(keys, places, low, high)
   local second = low + 1
   exchange(keys, places, rshift(low + high, 1), second)
   if keys[second] > keys[high] then exchange(keys, places, second, high) end
   if keys[low] > keys[high] then exchange(keys, places, low, high) end
   if keys[second] > keys[low] then exchange(keys, places, second, low) end
   local pivot = keys[low]
   local i, j = low + 2, high - 1
   local left, right, more_left, more_right = 0, 0, 0, 0
   while j - i >= 2 * BLOCK do
      if more_left == 0 then left, more_left = 0, scan_up(keys, i, BLOCK, pivot) end
      if more_right == 0 then right, more_right = 0, scan_down(keys, j, BLOCK, pivot) end
      local both = more_left < more_right and more_left or more_right
      exchange_found(keys, places, i, j, left, right, both)
      left, right = left + both, right + both
      more_left, more_right = more_left - both, more_right - both
      if more_left == 0 then i = i + BLOCK end
      if more_right == 0 then j = j - BLOCK end
   end
   if more_left > 0 then i = i + lefts[left] end
   if more_right > 0 then j = j - rights[right] end
   local count = j - i + 1
   -- What was exchanged last stops a scan, or what lies beyond.
   local stop_up, stop_down = j + 1, i - 1
   scan_both(keys, i, j, count, pivot)
   local k = 0
   local up, down = i + lefts[0], j - rights[0]
   while up < down do
      exchange(keys, places, up, down)
      stop_up, stop_down = down, up
      k = k + 1
      up, down = i + lefts[k], j - rights[k]
   end
   if up == down then up, down = i + lefts[k + 1], j - rights[k + 1] end
   i, j = up < stop_up and up or stop_up, down > stop_down and down or stop_down
   exchange(keys, places, low, j)
   return i, j
end

end
