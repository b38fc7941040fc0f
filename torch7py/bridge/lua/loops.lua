-- Small tensors without leaving Lua.
--
-- An operation may say what it does to an element as an expression (`loop` in ops/registry.py): `x` is the
-- element, `v` the number of the call, `y` the element of its tensor; of a sum `s` is what came before. On a
-- DoubleTensor or FloatTensor of few elements, whose memory is at hand, a loop made of that expression takes
-- 0.1 us where a call of PyTorch takes 1.3, in place as for a new tensor. The result is the same to the last bit: these are
-- single additions, multiplications and divisions, and rounding a double that was computed from floats by one of
-- these gives what the float unit gives.
--
-- Arguments: config, headers, tensor.
-- Result: {method = f(name, method, metatable), func = f(name, function): the same, with the short way added}.

local config, headers, tensor = ...
local loops = {}

local getmetatable, select, type, loadstring, tonumber = getmetatable, select, type, loadstring, tonumber
local ipairs, next, rawset = ipairs, next, rawset
local ffi = config.shared and require 'ffi' or nil
if not ffi then
   return {method = function(_, f) return f end, func = function(_, f) return f end}
end

local SMALL = headers.small
local at_hand, header, count_dense, fresh, cast = headers.at_hand, headers.of, headers.count_dense, headers.fresh, ffi.cast

local SOURCES = {
   none = 'function(r, n, x) for i = 0, n - 1 do r[i] = %s end end',
   number = 'function(r, n, x, v) for i = 0, n - 1 do r[i] = %s end end',
   tensor = 'function(r, n, x, y) for i = 0, n - 1 do r[i] = %s end end',
   fold = 'function(n, x) local s = 0 for i = 0, n - 1 do s = %s end return s end',
}
SOURCES.reversed = SOURCES.number

-- What is different for each type of element. A number is rounded to it first; false: leave it to Python.
local box = ffi.new('float[1]')
local TYPES = {
   ['torch.DoubleTensor'] = {pointer = ffi.typeof('double*'), round = function(v) return v end},
   ['torch.FloatTensor'] = {pointer = ffi.typeof('float*'), round = function(v)
      box[0] = v
      v = tonumber(box[0])
      return v - v == 0 and v
   end},
}

-- name -> {in_place = whether the method is, function_in_place, none | number | reversed | tensor | fold = expression}
local known = {}
for _, entry in ipairs(config.loops) do
   local name, shape, expression = entry[1], entry[2], entry[3]
   known[name] = known[name] or {in_place = entry[4], function_in_place = entry[5]}
   known[name][shape] = string.gsub(expression, '%f[%a]([xy])%f[%A]', 'read(%1, i)')
end

-- The loops of an operation, compiled for one type alone.
local function compile(operation, read)
   local made = {}
   for shape, source in next, SOURCES do
      local expression = operation[shape]
      made[shape] = expression and loadstring('local read = ... return ' .. string.format(source, expression), '=[torch7py] loop')(read) or false
   end
   return made
end

-- The short way for one type: f(a, b) -> done, result. `in_place`: into the first operand.
local function short_way(operation, mt, in_place)
   local made, kind, t = compile(operation, tensor.read[mt]), tensor.kinds[mt], TYPES[mt.__typename]
   local pointer, round = t.pointer, t.round
   local none, number, reversed, both, fold = made.none, made.number, made.reversed, made.tensor, made.fold

   -- Where the result goes: its pointer, and the tensor.
   local function target(x, h, n)
      if in_place then return cast(pointer, h.address), x end
      local u, g = fresh(kind, n, h)
      return cast(pointer, g.address), u
   end

   return function(a, b)
      local first, second = type(a), type(b)
      local x, run, v = a, none, nil
      if first == 'number' then
         if not reversed then return false end
         x, run, v = b, reversed, round(a)
      elseif second == 'number' then
         run, v = number, round(b)
      elseif second == 'userdata' then
         run = both
         if getmetatable(b) ~= mt then return false end
      elseif second ~= 'nil' then
         return false
      elseif fold then
         run = fold
      end
      if not run or v == false or getmetatable(x) ~= mt then return false end
      if run == fold then   -- in the original's order a loop is faster than PyTorch, however many there are
         local h = header(x)
         local n = h.dims > 0 and count_dense(h)
         if not n then return false end
         return true, fold(n, h.address)
      end
      local h = at_hand(x)
      local n = h ~= nil and h.dims > 0 and count_dense(h)
      if not n or n > SMALL then return false end
      if run == both then
         local g = at_hand(b)
         if g == nil or g.dims == 0 or count_dense(g) ~= n then return false end
         local r, result = target(x, h, n)
         both(r, n, h.address, g.address)
         return true, result
      end
      local r, result = target(x, h, n)
      run(r, n, h.address, v)
      return true, result
   end
end

function loops.method(name, method, mt)
   local operation = known[name]
   if not operation or not TYPES[mt.__typename] then return method end
   local try = short_way(operation, mt, operation.in_place)
   return function(x, a, ...)
      if select('#', ...) == 0 then
         local done, result = try(x, a)
         if done then return result end
      end
      return method(x, a, ...)
   end
end

-- A function that takes its operands in any order; `in_place` as for the method where it has no other form.
function loops.func(name, f)
   local operation = known[name]
   if not operation then return f end
   local ways = {}
   for type_name in next, TYPES do
      local mt = tensor.metatables[type_name]
      ways[mt] = short_way(operation, mt, operation.function_in_place)
   end
   return function(a, b, ...)
      if select('#', ...) == 0 then
         local try = ways[getmetatable(type(a) == 'userdata' and a or b)]
         if try then
            local done, result = try(a, b)
            if done then return result end
         end
      end
      return f(a, b, ...)
   end
end

for type_name in next, TYPES do
   local mt = tensor.metatables[type_name]
   for name in next, known do
      if string.sub(name, 1, 2) == '__' then rawset(mt, name, loops.func(name, mt[name])) end
   end
end

return loops
