-- The tables of the alias method (Walker, 1977), as Torch7's multinomialAliasSetup fills them.
--
-- REAL stands for the type of the probabilities. stay: n probabilities times n; alias: n longs; waiting: scratch memory for
-- 2 n int32.

local ffi = require 'ffi'
local reals, longs, ints = ffi.typeof('REAL*'), ffi.typeof('int64_t*'), ffi.typeof('int32_t*')

return function(stay, alias, waiting, n)
   stay, alias = ffi.cast(reals, stay), ffi.cast(longs, alias)
   local smaller, larger = ffi.cast(ints, waiting), ffi.cast(ints, waiting) + n
   local few, many = 0, 0
   for i = 0, n - 1 do
      alias[i] = -1
      if stay[i] < 1 then
         smaller[few] = i
         few = few + 1
      else
         larger[many] = i
         many = many + 1
      end
   end
   while few > 0 and many > 0 do
      few = few - 1
      local small, large = smaller[few], larger[many - 1]
      alias[small] = large
      stay[large] = stay[large] - (1 - stay[small])
      if stay[large] < 1 then
         smaller[few] = large
         few, many = few + 1, many - 1
      end
   end
end
