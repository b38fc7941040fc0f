-- The C library's functions over arrays of doubles, as compiled loops (see ops/libm.py).
--
-- Arguments: reading. Result: f(name, address_in, address_out, n), or nil where there is no FFI or the functions are out of reach.

local reading = ...
if not reading then return nil end
local ffi, read = require 'ffi', reading.read['double*']

ffi.cdef 'double log(double); double exp(double); double sin(double); double cos(double); double tan(double);'

local loops = {}
for _, name in ipairs {'log', 'exp', 'sin', 'cos', 'tan'} do
   local found, f = pcall(function() return ffi.C[name] end)
   if not found then return nil end
   loops[name] = function(from, to, n)
      for i = 0, n - 1 do to[i] = f(read(from, i)) end
   end
end

return function(name, from, to, n)
   loops[name](ffi.cast('const double*', from), ffi.cast('double*', to), n)
end
