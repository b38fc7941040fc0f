-- Elements taken from rows, or put into them, by their places.
--
-- WORD stands for a number type as wide as an element. A tensor is `outer` x n x `inner` elements, an index `outer` x m x
-- `inner` longs from 1 to n. gather: taken[o][j][k] = rows[o][index[o][j][k]][k]. scatter: the other way round, in the
-- order of j; with a step of 0 all get the first of `taken`.

local ffi = require 'ffi'
local words, ints = ffi.typeof('WORD*'), ffi.typeof('int32_t*')

local function gather(rows, index, taken, m, inner)
   if inner == 1 then
      for j = 0, m - 1 do taken[j] = rows[index[2 * j] - 1] end
      return
   end
   for j = 0, m * inner - inner, inner do
      for k = 0, inner - 1 do taken[j + k] = rows[(index[2 * (j + k)] - 1) * inner + k] end
   end
end

local function scatter(rows, index, taken, m, inner, step)
   if inner == 1 then
      for j = 0, m - 1 do rows[index[2 * j] - 1] = taken[step * j] end
      return
   end
   for j = 0, m * inner - inner, inner do
      for k = 0, inner - 1 do rows[(index[2 * (j + k)] - 1) * inner + k] = taken[step * (j + k)] end
   end
end

return function(put, rows, index, taken, outer, n, m, inner, step)
   rows, index, taken = ffi.cast(words, rows), ffi.cast(ints, index), ffi.cast(words, taken)
   local move = put and scatter or gather
   for _ = 1, outer do
      move(rows, index, taken, m, inner, step)
      rows, index, taken = rows + n * inner, index + 2 * m * inner, taken + step * m * inner
   end
end
