-- The powers of a number, by the C library's pow: from and to are count doubles each.

local ffi = require 'ffi'
local doubles = ffi.typeof('double*')

ffi.cdef 'double pow(double, double);'
local pow = ffi.C.pow

return function(base, from, to, count)
   from, to = ffi.cast(doubles, from), ffi.cast(doubles, to)
   for i = 0, count - 1 do to[i] = pow(base, from[i]) end
end
