-- Elements in memory as Lua's numbers.
--
-- LuaJIT tells its values apart by their 64 bits: what is no number looks like a NaN of a sort that processors do not
-- make. But memory may hold any NaN (PyTorch's log1p makes such ones; a file may hold them), and FFI hands out the
-- bits as they are: a nil where a number should be, or a pointer to nowhere. So the upper bits of a floating element are
-- looked at before it is read.
--
-- Result: {pointer type -> f(address, place) -> number}, or nil where there is no FFI.

local has_ffi, ffi = pcall(require, 'ffi')
if not has_ffi then return nil end

local cast, tonumber, setmetatable = ffi.cast, tonumber, setmetatable
local NAN = 0 / 0
local words, double, float = ffi.typeof('const int32_t*'), ffi.typeof('const double*'), ffi.typeof('const float*')
local UPPER = ffi.abi('le') and 1 or 0

local read = {}

-- The NaNs from 0xfff90000... on; as a signed word the last ones before 0.
read['double*'] = function(address, place)
   local upper = cast(words, address)[2 * place + UPPER]
   if upper >= -0x70000 and upper < 0 then return NAN end
   local value = cast(double, address)[place]
   return value
end

read['float*'] = function(address, place)
   local word = cast(words, address)[place]
   if word > -0x400000 and word < 0 then return NAN end
   local value = cast(float, address)[place]
   return value
end

return setmetatable(read, {__index = function(_, pointer)
   local whole = ffi.typeof(pointer)
   local function f(address, place)
      local value = tonumber(cast(whole, address)[place])
      return value
   end
   read[pointer] = f
   return f
end})
