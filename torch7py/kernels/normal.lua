-- Normal numbers in single precision. The caller computes logarithms, cosines and sines for many numbers at a time.
--
-- words: random words of 32 bits in pairs, the second of a pair first in memory, a pair for two numbers.
-- prepare: the arguments of these functions. finish: the numbers, 2 * `pairs` floats, from the functions' values. These
-- may differ from the C library's in the last bits, and where that could change a float it is computed again with the C
-- library's functions, as in Torch7.

local ffi = require 'ffi'
local words_type, doubles, floats = ffi.typeof('uint32_t*'), ffi.typeof('double*'), ffi.typeof('float*')
local sqrt = math.sqrt

ffi.cdef 'double log(double); double sin(double); double cos(double);'
local C = ffi.C

local UNIT = 2^-32
local PI = math.pi
local OFF = 2^-44       -- more than 100 times the relative error of the values

local rounded = ffi.new('float[4]')

local normal = {}

function normal.prepare(words, pairs, ones, angles)
   words, ones, angles = ffi.cast(words_type, words), ffi.cast(doubles, ones), ffi.cast(doubles, angles)
   for k = 0, pairs - 1 do
      angles[k] = 2 * PI * (words[2 * k + 1] * UNIT)
      ones[k] = 1 - words[2 * k] * UNIT
   end
end

function normal.finish(words, pairs, logs, cosines, sines, out, mean, stdv)
   words, out = ffi.cast(words_type, words), ffi.cast(floats, out)
   logs, cosines, sines = ffi.cast(doubles, logs), ffi.cast(doubles, cosines), ffi.cast(doubles, sines)
   local more, less = stdv * (1 + OFF), stdv * (1 - OFF)
   for k = 0, pairs - 1 do
      local rho = sqrt(-2 * logs[k])
      local x, y = rho * cosines[k], rho * sines[k]
      rounded[0], rounded[1] = x * more + mean, x * less + mean
      rounded[2], rounded[3] = y * more + mean, y * less + mean
      local a, b = rounded[0], rounded[2]
      if a ~= rounded[1] or b ~= rounded[3] then
         rho = sqrt(-2 * C.log(1 - words[2 * k] * UNIT))
         local angle = 2 * PI * (words[2 * k + 1] * UNIT)
         a, b = rho * C.cos(angle) * stdv + mean, rho * C.sin(angle) * stdv + mean
      end
      out[2 * k], out[2 * k + 1] = a, b
   end
end

return function(name, ...) normal[name](...) end
