-- Several steps over every element of vectors, each a loop of numpy's, a piece of the vectors at a time.
--
-- What lies between two steps then never leaves the first cache. REAL stands for the elements' type, PIECE for how many make
-- a piece. plan: for each of `steps` steps the addresses of the loop, of its context and of what belongs to it, then
-- the numbers of four operands from 0, the last one's the result's, behind which they are -1. The first `vectors` operands
-- are vectors, the next `numbers` are numbers, all others pieces of scratch memory.
--
-- The result is a function for these steps, compiled from a text of its own: f(room, count, ...), with memory for a piece for
-- each number and each other operand, the number of elements, the vectors' addresses and the numbers.

local ffi = require 'ffi'
local concat = table.concat

ffi.cdef [[
typedef int (*step_loop)(void *context, char **data, const intptr_t *counts, const intptr_t *strides, void *with);
typedef struct { step_loop loop; void *context, *with; int64_t operands[4]; } step_plan;
]]
local SIZE = ffi.sizeof('REAL')
local BYTES = PIECE * SIZE

local plans, chars, reals = ffi.typeof('step_plan*'), ffi.typeof('char*'), ffi.typeof('REAL*')
local strides, counts = ffi.new('intptr_t[4]', SIZE, SIZE, SIZE, SIZE), ffi.new('intptr_t[1]')
local data = ffi.new('char*[4]')

local function address(operand) return ffi.cast(chars, operand) end

local function fill(room, number, value)
   local piece = ffi.cast(reals, room + number * BYTES)
   for i = 0, PIECE - 1 do piece[i] = value end
end

local function text(plan, steps, vectors, numbers)
   local before, given, setting, loop = {}, {}, {}, {}
   for k = 0, steps - 1 do
      before[#before + 1] = ('local loop%d, context%d, with%d = plan[%d].loop, plan[%d].context, plan[%d].with'):format(
         k, k, k, k, k, k)
      for d = 0, 3 do
         local operand = tonumber(plan[k].operands[d])
         if operand >= vectors then
            loop[#loop + 1] = ('data[%d] = room + %d'):format(d, (operand - vectors) * BYTES)
         elseif operand >= 0 then
            loop[#loop + 1] = ('data[%d] = o%d + first * %d'):format(d, operand, SIZE)
         end
      end
      loop[#loop + 1] = ('loop%d(context%d, data, counts, strides, with%d)'):format(k, k, k)
   end
   for operand = 0, vectors + numbers - 1 do
      given[operand + 1] = ', o' .. operand
      setting[operand + 1] = operand < vectors and ('o%d = address(o%d)'):format(operand, operand) or
         ('fill(room, %d, o%d)'):format(operand - vectors, operand)
   end
   return concat {
      'local plan, data, counts, strides, address, fill = ...\n', concat(before, '\n'),
      '\nreturn function(room, count', concat(given), ')\nroom = address(room)\n', concat(setting, '\n'),
      '\ncounts[0] = PIECE\nfor first = 0, count - 1, PIECE do\n',
      'if count - first < PIECE then counts[0] = count - first end\n', concat(loop, '\n'), '\nend\nend'
   }
end

return function(plan, steps, vectors, numbers)
   plan = ffi.cast(plans, plan)
   return loadstring(text(plan, steps, vectors, numbers), '=steps')(plan, data, counts, strides, address, fill)
end
