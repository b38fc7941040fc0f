-- Elements in memory as Lua's numbers.
--
-- LuaJIT tells its values apart by their 64 bits: what is no number looks like a NaN of a sort that processors do not
-- make. But memory may hold any NaN (PyTorch's log1p makes such ones; a file may hold them, and memory that nobody has
-- written), and FFI hands out the bits as they are: a nil where a number should be, or a pointer to nowhere. So the upper
-- bits of a floating element are looked at before it is read. The sign does not count: a minus turns it.
--
-- Result, nil where there is no FFI, a table of
--
--    read: {pointer type -> f(address, place) -> number}
--    is_plain: {'double*', 'float*' -> f(address, n) -> whether a loop may read the n elements as they are}

local has_ffi, ffi = pcall(require, 'ffi')
if not has_ffi then return nil end

local cast, tonumber, setmetatable = ffi.cast, tonumber, setmetatable
local arshift, lshift, band, bor = bit.arshift, bit.lshift, bit.band, bit.bor
local NAN = 0 / 0
local words, double, float = ffi.typeof('const int32_t*'), ffi.typeof('const double*'), ffi.typeof('const float*')
local UPPER = ffi.abi('le') and 1 or 0

local read, is_plain = {}, {}

-- The bits of the exponent are all ones in a NaN and in an infinity; the shifts give -1 for these alone. There is no branch
-- by the sign, for data have both.
local function is_nan(address, place)
   local w = cast(words, address) + 2 * place
   return lshift(w[UPPER], 12) ~= 0 or w[1 - UPPER] ~= 0
end

read['double*'] = function(address, place)
   if arshift(lshift(cast(words, address)[2 * place + UPPER], 1), 21) == -1 and is_nan(address, place) then return NAN end
   local value = cast(double, address)[place]
   return value
end

read['float*'] = function(address, place)
   local word = cast(words, address)[place]
   if arshift(lshift(word, 1), 24) == -1 and lshift(word, 9) ~= 0 then return NAN end
   local value = cast(float, address)[place]
   return value
end

-- Whether no element is a NaN of other bits than processors make. Adding one at the end of an exponent of ones turns the
-- sign; four elements at a time are put together without a branch.
local function find_strange(exponent, one, step, first, is_strange)
   return function(address, n)
      local w, signs = cast(words, address), 0
      for i = first, step * (n - 4) + first, 4 * step do
         signs = bor(signs, bor(bor(band(w[i], exponent) + one, band(w[i + step], exponent) + one),
                                bor(band(w[i + 2 * step], exponent) + one, band(w[i + 3 * step], exponent) + one)))
      end
      for i = n - n % 4, n - 1 do signs = bor(signs, band(w[step * i + first], exponent) + one) end
      if signs >= 0 then return true end
      for i = 0, n - 1 do
         if is_strange(w, i) then return false end
      end
      return true
   end
end

is_plain['double*'] = find_strange(0x7ff00000, 0x00100000, 2, UPPER, function(w, i)
   local upper, lower = band(w[2 * i + UPPER], 0x7fffffff), w[2 * i + 1 - UPPER]
   return upper >= 0x7ff00000 and not ((upper == 0x7ff00000 or upper == 0x7ff80000) and lower == 0)
end)

is_plain['float*'] = find_strange(0x7f800000, 0x00800000, 1, 0, function(w, i)
   local word = band(w[i], 0x7fffffff)
   return word > 0x7f800000 and word ~= 0x7fc00000
end)

setmetatable(read, {__index = function(_, pointer)
   local whole = ffi.typeof(pointer)
   local function f(address, place)
      local value = tonumber(cast(whole, address)[place])
      return value
   end
   read[pointer] = f
   return f
end})

return {read = read, is_plain = is_plain}
