-- Elementwise operations of several steps or operands on floating tensors without leaving Lua.
--
-- As in vectors.lua, but what is called is a routine of our own (ops/machine.py): it takes whole blocks of bytes through all
-- steps at once. What is left of a vector goes there and back through a block of its own.
--
-- Arguments: core, host, config {routines = {{operation, operands}, ...}}, headers, tensor, vectors.
-- Result: {method = f(name, method, metatable): the same, with the short way added}.

local core, host, config, headers, tensor, vectors = ...
local routines = {}

local getmetatable, select, type, ipairs = getmetatable, select, type, ipairs
local ffi = config.shared and require 'ffi' or nil
if not ffi then return {method = function(_, f) return f end} end

local BLOCK = 64                     -- bytes that a routine takes at a time
local FLOATING = 1                   -- the kinds of double and float are 0 and this
local NUMBER, TENSOR, BASE = 1, 2, 3 -- digits of a number that says what the operands are

local raw, cast, copy = core.raw, ffi.cast, ffi.copy
local dense, same_sizes, apart, is_shared_out = vectors.dense, vectors.same_sizes, vectors.apart, vectors.is_shared_out
local bytes = ffi.typeof('char*')
local routine_type = ffi.typeof('void (*)(size_t, void*, void*, void*, void*, void*)')

-- operation -> {operands as a number -> {operands, loops = kind -> {call, numbers} or false}}
local known = {}
for _, entry in ipairs(config.routines) do
   local name, operands = entry[1], entry[2]
   local code = 0
   for letter in string.gmatch(operands, '.') do code = code * BASE + (letter == 'n' and NUMBER or TENSOR) end
   known[name] = known[name] or {}
   known[name][code] = {name = name, operands = operands, ordered = entry[3], loops = {}}
end

-- What to call for a type, and its numbers, behind the call's own ones those of the routine; or false.
local function find(way, t)
   local found = way.loops[t.kind]
   if found == nil then
      found = false
      local constants = {raw(host.routine, way.name, way.operands, t.kind)}
      if constants[1] then
         found = {call = cast(routine_type, constants[1]), numbers = t.array(8)}
         local _, count = string.gsub(way.operands, 'n', '')
         for k = 2, #constants do found.numbers[count + k - 2] = constants[k] end
      end
      way.loops[t.kind] = found
   end
   return found
end

local rooms = ffi.new('char[256]')   -- a block for each vector
local address = ffi.new('intptr_t[4]')
local at = {rooms = rooms}           -- pointers keep nothing alive
for k = 0, 3 do at[k] = cast(bytes, rooms) + k * BLOCK end

local function run(found, count, n)
   local whole = n - n % BLOCK
   local a, b, c, d = cast(bytes, address[0]), cast(bytes, address[1]), cast(bytes, address[2]), cast(bytes, address[3])
   if whole > 0 then found.call(whole, found.numbers, a, b, c, d) end
   local rest = n - whole
   if rest > 0 then
      for k = 0, count - 2 do copy(at[k], cast(bytes, address[k]) + whole, rest) end
      found.call(BLOCK, found.numbers, at[0], at[1], at[2], at[3])
      copy(cast(bytes, address[count - 1]) + whole, at[count - 1], rest)
   end
end

-- Let `r` take what is made of `x` and up to three operands; false where nothing was done.
local function into(way, mt, t, r, x, a, b, c)
   if getmetatable(r) ~= mt or getmetatable(x) ~= mt then return false end
   local found = find(way, t)
   if not found then return false end
   local h, n = dense(x)
   if not n or is_shared_out(n) then return false end
   local target = h
   if r ~= x then
      local m
      target, m = dense(r)
      if m ~= n or not same_sizes(h, target) or not apart(target, t.size, h, t.size, n) then return false end
   end
   address[0] = h.address
   local count, numbers, operand = 1, 0, a
   for k = 1, 3 do
      if operand == nil then break end
      if type(operand) == 'number' then
         if not t.round(operand) then return false end
         found.numbers[numbers] = t.box[0]
         numbers = numbers + 1
      else
         if getmetatable(operand) ~= mt then return false end
         local g, m = dense(operand)
         if m ~= n or not apart(target, t.size, g, t.size, n) then return false end
         address[count] = g.address
         count = count + 1
      end
      if k == 1 then operand = b else operand = c end
   end
   address[count] = target.address
   run(found, count + 1, n * t.size)
   return true
end

local function digit(value)
   local sort = type(value)
   return sort == 'number' and NUMBER or sort == 'userdata' and TENSOR
end

-- What the operands are, from the first of these on; nil where one is none.
local function code_of(a, b, c, d)
   local code = 0
   if a == nil then return b == nil and c == nil and d == nil and 0 or nil end
   local x = digit(a)
   if not x then return nil end
   code = x
   if b == nil then return c == nil and d == nil and code or nil end
   x = digit(b)
   if not x then return nil end
   code = code * BASE + x
   if c == nil then return d == nil and code or nil end
   x = digit(c)
   if not x then return nil end
   code = code * BASE + x
   if d == nil then return code end
   x = digit(d)
   return x and code * BASE + x
end

-- x:op(...), and x:op(src, ...).
function routines.method(name, method, mt)
   local ways, t = known[name], vectors.types[mt]
   if not ways or not t or t.kind > FLOATING then return method end
   return function(x, a, b, c, d, ...)
      if select('#', ...) == 0 then
         local code = code_of(a, b, c, d)
         local way = code and ways[code]
         if way then
            if (not way.ordered or a <= b) and into(way, mt, t, x, x, a, b, c) then return x end
         elseif type(a) == 'userdata' then
            code = code_of(b, c, d)
            way = code and ways[code]
            if way and (not way.ordered or b <= c) and into(way, mt, t, x, a, b, c, d) then return x end
         end
      end
      return method(x, a, b, c, d, ...)
   end
end

return routines
