-- Many strings sorted bytewise, 5 to 10 times as fast as by table.sort, which compares strings all over the memory.
--
-- A radix sort: six bytes of each string are taken as a number of 48 bits, and the numbers are sorted in four passes
-- of 12 bits. Strings whose six bytes are the same are sorted among themselves, by their next six if they are many.
--
-- Needs LuaJIT's arrays. Result: f(keys, count), which returns a new table with the `count` strings of `keys` in
-- ascending order; nil where there are no such arrays.

local found, ffi = pcall(require, 'ffi')
if not found then return nil end

local bit = require 'bit'
local band, bor, lshift, rshift = bit.band, bit.bor, bit.lshift, bit.rshift
local byte, sort = string.byte, table.sort
local int32s = ffi.typeof('int32_t[?]')

local TAKEN = 6         -- bytes of a string that one sort looks at
local FEW = 64          -- so many strings are left to table.sort
local BUCKETS = 4096

-- How many bytes all strings begin with in common.
local function common(keys, count)
   local first = keys[1]
   local n = #first
   for i = 2, count do
      local key, same = keys[i], 0
      while same < n and byte(key, same + 1) == byte(first, same + 1) do same = same + 1 end
      n = same
      if n == 0 then break end
   end
   return n
end

-- One pass: the places in `from` to `to`, in the order of 12 bits of their numbers.
local function pass(count, numbers, shift, from, to, starts)
   ffi.fill(starts, ffi.sizeof(starts))
   for i = 0, count - 1 do
      local bucket = band(rshift(numbers[i], shift), BUCKETS - 1)
      starts[bucket + 1] = starts[bucket + 1] + 1
   end
   for bucket = 1, BUCKETS - 1 do starts[bucket] = starts[bucket] + starts[bucket - 1] end
   for i = 0, count - 1 do
      local place = from[i]
      local bucket = band(rshift(numbers[place], shift), BUCKETS - 1)
      to[starts[bucket]] = place
      starts[bucket] = starts[bucket] + 1
   end
end

local sorted

-- The strings sorted[first..last] begin with the same bytes: put them in order.
local function among(result, first, last, depth)
   local group, n = {}, 0
   local ended = false
   for i = first, last do
      n = n + 1
      group[n] = result[i]
      ended = ended or #group[n] <= depth + TAKEN
   end
   -- Strings that end here differ in nothing but zero bytes.
   if n <= FEW or ended then sort(group) else group = sorted(group, n) end
   for i = 1, n do result[first + i - 1] = group[i] end
end

function sorted(keys, count)
   local depth = common(keys, count)
   local high, low = int32s(count), int32s(count)
   for i = 1, count do
      local a, b, c, d, e, f = byte(keys[i], depth + 1, depth + TAKEN)
      high[i - 1] = bor(lshift(a or 0, 16), lshift(b or 0, 8), c or 0)
      low[i - 1] = bor(lshift(d or 0, 16), lshift(e or 0, 8), f or 0)
   end
   local places, others, starts = int32s(count), int32s(count), int32s(BUCKETS + 1)
   for i = 0, count - 1 do places[i] = i end
   pass(count, low, 0, places, others, starts)
   pass(count, low, 12, others, places, starts)
   pass(count, high, 0, places, others, starts)
   pass(count, high, 12, others, places, starts)
   local result = {}
   for i = 1, count do result[i] = keys[places[i - 1] + 1] end
   local first = 1
   for i = 2, count + 1 do
      local place, before = i <= count and places[i - 1], places[first - 1]
      if not place or high[place] ~= high[before] or low[place] ~= low[before] then
         if i - first > 1 then among(result, first, i - 1, depth) end
         first = i
      end
   end
   return result
end

return sorted
