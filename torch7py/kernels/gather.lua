-- Elements taken from rows, or put into them, by their places.
--
-- WORD stands for a number type as wide as an element. A tensor is `outer` x n x `inner` elements, an index `outer` x m x
-- `inner` longs from 1 to n. gather: taken[o][j][k] = rows[o][index[o][j][k]][k]. scatter: the other way round, in the
-- order of j; with a step of 0 all get the first of `taken`. The result is false where a place is none: then all before
-- it have been taken or put.

local ffi = require 'ffi'
local cast = ffi.cast
local words, longs, unsigned = ffi.typeof('WORD*'), ffi.typeof('int64_t*'), ffi.typeof('uint64_t')

local function gather(rows, index, taken, n, m, inner)
   if inner == 1 then
      for j = 0, m - 1 do
         local place = index[j] - 1
         if cast(unsigned, place) >= n then return false end
         taken[j] = rows[place]
      end
      return true
   end
   for j = 0, m * inner - inner, inner do
      for k = 0, inner - 1 do
         local place = index[j + k] - 1
         if cast(unsigned, place) >= n then return false end
         taken[j + k] = rows[place * inner + k]
      end
   end
   return true
end

local function scatter(rows, index, taken, n, m, inner, step)
   if inner == 1 then
      for j = 0, m - 1 do
         local place = index[j] - 1
         if cast(unsigned, place) >= n then return false end
         rows[place] = taken[step * j]
      end
      return true
   end
   for j = 0, m * inner - inner, inner do
      for k = 0, inner - 1 do
         local place = index[j + k] - 1
         if cast(unsigned, place) >= n then return false end
         rows[place * inner + k] = taken[step * (j + k)]
      end
   end
   return true
end

return function(put, rows, index, taken, outer, n, m, inner, step)
   rows, index, taken = cast(words, rows), cast(longs, index), cast(words, taken)
   local move, last = put and scatter or gather, cast(unsigned, n)
   for _ = 1, outer do
      if not move(rows, index, taken, last, m, inner, step) then return false end
      rows, index, taken = rows + n * inner, index + m * inner, taken + step * m * inner
   end
   return true
end
