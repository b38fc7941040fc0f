-- Random words turned into numbers of a distribution, each step rounded as in Torch7, with the C library's functions.
--
-- OUT stands for the type of the results. words: random words of 32 bits in pairs, the second of a pair first in memory;
-- out: count numbers. normal and log_normal take two words for two numbers.

local ffi = require 'ffi'
local bxor = require('bit').bxor
local words_type, outs = ffi.typeof('uint32_t*'), ffi.typeof('OUT*')
local floor, sqrt = math.floor, math.sqrt

ffi.cdef 'double log(double); double exp(double); double sin(double); double cos(double); double tan(double);'
local C = ffi.C

local UNIT = 2^-32
local PI = math.pi

local draw = {}

function draw.uniform(words, count, out, a, b)
   local range = b - a
   for i = 0, count - 2, 2 do
      out[i] = words[i + 1] * UNIT * range + a
      out[i + 1] = words[i] * UNIT * range + a
   end
   if count % 2 == 1 then out[count - 1] = words[count] * UNIT * range + a end
end

function draw.normal(words, count, out, mean, stdv)
   for i = 0, count - 2, 2 do
      local rho = sqrt(-2 * C.log(1 - words[i] * UNIT))
      local angle = 2 * PI * (words[i + 1] * UNIT)
      out[i] = rho * C.cos(angle) * stdv + mean
      out[i + 1] = rho * C.sin(angle) * stdv + mean
   end
end

function draw.log_normal(words, count, out, mean, stdv)
   for i = 0, count - 2, 2 do
      local rho = sqrt(-2 * C.log(1 - words[i] * UNIT))
      local angle = 2 * PI * (words[i + 1] * UNIT)
      out[i] = C.exp(rho * C.cos(angle) * stdv + mean)
      out[i + 1] = C.exp(rho * C.sin(angle) * stdv + mean)
   end
end

function draw.exponential(words, count, out, rate)
   local factor = -1 / rate
   for i = 0, count - 1 do out[i] = factor * C.log(1 - words[bxor(i, 1)] * UNIT) end
end

function draw.cauchy(words, count, out, median, sigma)
   for i = 0, count - 1 do out[i] = median + sigma * C.tan(PI * (words[bxor(i, 1)] * UNIT - 0.5)) end
end

-- Whole numbers from low on, `range` of them: below 2^53 in all, so that doubles are exact. The quotient is cut right
-- without a division: `part` is above 1 / range, by less than 2^-51 of it, so that the product is no less than the
-- quotient, and below the next whole number, from which quotients of words of 32 bits keep a greater distance.
function draw.random(words, count, out, low, range)
   local part = 1 / range * (1 + 2^-52)
   for i = 0, count - 2, 2 do
      local first, second = words[i + 1], words[i]
      out[i] = first - floor(first * part) * range + low
      out[i + 1] = second - floor(second * part) * range + low
   end
   if count % 2 == 1 then
      local word = words[count]
      out[count - 1] = word - floor(word * part) * range + low
   end
end

return function(name, words, count, out, a, b)
   draw[name](ffi.cast(words_type, words), count, ffi.cast(outs, out), a, b)
end
