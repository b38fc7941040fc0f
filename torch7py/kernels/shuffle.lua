-- The exchanges of Torch7's randperm: each element with a random one from itself on.
--
-- words: `count` random words of 32 bits, in 64; order: n int32, exchanged from position `first` on.

local ffi = require 'ffi'
local words_type, ints = ffi.typeof('uint32_t*'), ffi.typeof('int32_t*')
local floor = math.floor

return function(words, count, order, first, n)
   words, order = ffi.cast(words_type, words), ffi.cast(ints, order)
   for k = 0, count - 1 do
      local i = first + k
      local word, rest = words[2 * k], n - i
      -- Exact: a quotient of such numbers is a whole one, or off it by more than rounding.
      local j = i + (word - floor(word / rest) * rest)
      order[i], order[j] = order[j], order[i]
   end
end
