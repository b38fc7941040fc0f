-- Tensors and storages in Lua: one metatable per type, methods that resolve themselves, elements without Python.
--
-- Arguments: core, host, config {types = {{name, code, ctype, size}, ...}, shared = address or nil}, headers, reading, chunk
-- (name -> function of that file).
-- Result: {metatables = {name -> metatable}, kinds = {metatable of tensors -> kind}, method = f(name), func = f(name),
-- pointers = {metatable -> C type of a pointer to its elements, where Lua can use one}, read = {metatable -> f(address,
-- place) -> number, there}, is_plain = {metatable of double or float -> f(address, n) -> whether loops may read n elements
-- as they are (kernels/reading.lua)}, narrowed = {metatable of whole numbers of at most 32 bits -> f(number) -> what C makes of it at
-- first}, operations = {count = how many Python has done}, fast = {metatable -> methods that need no Python}}.

local core, host, config, headers, reading, chunk = ...
local tensor = {
   metatables = {}, kinds = {}, pointers = {}, read = {}, is_plain = {}, narrowed = {}, fast = {}, operations = {count = 0},
}

local type, select, pcall, tonumber, tostring, ipairs, next = type, select, pcall, tonumber, tostring, ipairs, next
local newproxy, getmetatable, setmetatable, unpack = newproxy, getmetatable, setmetatable, unpack
local floor, ceil, char, concat = math.floor, math.ceil, string.char, table.concat
local handle_of, stand_in, wrap, read = core.handle_of, core.stand_in, core.wrap, core.read
local rethrow, fail, BARE, bury, pass = core.rethrow, core.fail, core.BARE, core.bury, core.pass

local advance = headers.advance
local ffi = config.shared and require 'ffi' or nil

local STORAGE, SELF, HANDLE, PLAIN, MOVES = 8, 0, 1, 2, 4

---------------------------------------------------------------------------------------------------------
-- Operations: a stub finds the adapter for its arguments' kinds and calls it

local NIL, NUMBER = BARE['nil'], BARE.number
local NEGATIVE_ZERO = core.NEGATIVE_ZERO

local TABLE = 17
local LETTER = {}                                -- kind -> the letter that Python reads
for kind = 0, 63 do LETTER[kind] = char(65 + kind) end

local operations = tensor.operations

-- How often operations have given a tensor or a storage other memory or another shape (ops/memory.py), and what that was last.
local moves, known_moves = ffi and ffi.cast('int32_t*', config.moves), 0

local function results(mode, self, ok, a, ...)
   operations.count = operations.count + 1
   if mode >= MOVES then
      if moves and moves[0] ~= known_moves then
         known_moves = moves[0]
         advance()
      end
      mode = mode - MOVES
   end
   if not ok then rethrow(a) end
   if mode == SELF then return self end
   if mode == HANDLE then return wrap(a) end
   if mode == PLAIN then return a, ... end
   return read(a, ...)
end

-- Ask Python for the adapter of these kinds and keep it.
local function find(resolve, adapters, modes, key, kinds)
   local ok, f, mode = pcall(resolve, kinds)
   if not ok then rethrow(f) end
   if mode >= MOVES then
      local run, tie = f, headers.tie   -- an operation looks at no module: `core.moving` would tell Python what these have
      f = function(...)
         tie()
         return run(...)
      end
   end
   adapters[key], modes[key] = f, mode
   return f
end

-- Any number of arguments of any sort.
local function slowly(resolve, adapters, modes, self, ...)
   local values, letters = {...}, {}
   local n = select('#', ...)
   while n > 0 and values[n] == nil do n = n - 1 end
   for i = 1, n do
      local value = values[i]
      local kind = NIL
      if value ~= nil then
         local handle = handle_of[value]
         if type(value) == 'table' and (handle == nil or handle % 32 == TABLE) then handle = pass(value) end
         if handle then
            values[i] = handle
            kind = handle % 64
         else
            kind = BARE[type(value)]
            if value == 0 and 1 / value < 0 then values[i] = NEGATIVE_ZERO end
         end
      end
      letters[i] = LETTER[kind]
   end
   local key = concat(letters)
   local f = adapters[key] or find(resolve, adapters, modes, key, key)
   return results(modes[key], self, pcall(f, unpack(values, 1, n)))
end
if jit then jit.off(slowly) end

-- The adapter for a number made of kinds, the first time.
local function find_by_number(resolve, adapters, modes, key)
   local kinds, rest = '', key
   while rest > 1 do
      kinds = LETTER[rest % 64] .. kinds
      rest = floor(rest / 64)
   end
   return find(resolve, adapters, modes, key, kinds)
end

-- What stands for a value in a call, and its kind.
local function sort_of(value)
   if type(value) == 'number' then return value == 0 and 1 / value < 0 and NEGATIVE_ZERO or value, NUMBER end
   local handle = handle_of[value]
   if handle then return handle, handle % 64 end
   return value, BARE[type(value)]
end

-- `resolve`: kinds -> adapter, mode. Adapters are kept by a number made of the kinds (with a 1 in front, since a
-- DoubleTensor's kind is 0) when there are up to six arguments and no table, else by a string of letters.
local function stub(resolve)
   local adapters, modes = {}, {}
   return function(a, b, c, d, e, f, ...)
      if select('#', ...) > 0 or type(a) == 'table' or type(b) == 'table' or type(c) == 'table' then
         return slowly(resolve, adapters, modes, a, a, b, c, d, e, f, ...)
      end
      local more = d ~= nil or e ~= nil or f ~= nil
      if a == nil and b == nil and c == nil and not more then
         local adapter = adapters[1] or find_by_number(resolve, adapters, modes, 1)
         return results(modes[1], a, pcall(adapter))
      end
      local x, k = sort_of(a)
      local key = 64 + k
      if b == nil and c == nil and not more then
         local adapter = adapters[key] or find_by_number(resolve, adapters, modes, key)
         return results(modes[key], a, pcall(adapter, x))
      end
      local y, z
      y, k = sort_of(b)
      key = key * 64 + k
      if c == nil and not more then
         local adapter = adapters[key] or find_by_number(resolve, adapters, modes, key)
         return results(modes[key], a, pcall(adapter, x, y))
      end
      z, k = sort_of(c)
      key = key * 64 + k
      if not more then
         local adapter = adapters[key] or find_by_number(resolve, adapters, modes, key)
         return results(modes[key], a, pcall(adapter, x, y, z))
      end
      if type(d) == 'table' or type(e) == 'table' or type(f) == 'table' then
         return slowly(resolve, adapters, modes, a, a, b, c, d, e, f)
      end
      local u, v, w
      u, k = sort_of(d)
      key = key * 64 + k
      if e == nil and f == nil then
         local adapter = adapters[key] or find_by_number(resolve, adapters, modes, key)
         return results(modes[key], a, pcall(adapter, x, y, z, u))
      end
      v, k = sort_of(e)
      key = key * 64 + k
      if f == nil then
         local adapter = adapters[key] or find_by_number(resolve, adapters, modes, key)
         return results(modes[key], a, pcall(adapter, x, y, z, u, v))
      end
      w, k = sort_of(f)
      key = key * 64 + k
      local adapter = adapters[key] or find_by_number(resolve, adapters, modes, key)
      return results(modes[key], a, pcall(adapter, x, y, z, u, v, w))
   end
end

function tensor.method(name)
   return stub(function(kinds) return host.resolve(name, true, kinds) end)
end

-- `cuda`: the result is of a CUDA type.
function tensor.func(name, cuda)
   return stub(function(kinds) return host.resolve(name, false, kinds, cuda or false) end)
end

---------------------------------------------------------------------------------------------------------
-- Metatables

-- Floats narrower than C's own have no pointer type; their elements take the slow way.
local POINTERS = {double = 'double*', float = 'float*', int64_t = 'int64_t*', int32_t = 'int32_t*',
                  int16_t = 'int16_t*', int8_t = 'int8_t*', uint8_t = 'uint8_t*'}

local function declare(name, kind)
   local prototype = newproxy(true)
   local mt = getmetatable(prototype)
   core.prototypes[kind] = prototype
   tensor.metatables[name] = mt
   mt.__typename, mt.__version = name, 1
   mt.__gc = bury
   return mt, prototype
end

-- Views of CUDA tensors are CUDA tensors.
local cuda_host = setmetatable({view = host.cuda_view}, {__index = host})

-- A number for an element of at most 32 bits, which C converts to 32 at first: what they do not hold becomes the least
-- that they do.
local function narrowed(number)
   if number > -2147483649 and number < 2147483648 then return number end
   return -2147483648
end

local IS_NARROW = {int32_t = true, int16_t = true, int8_t = true, uint8_t = true}

-- Make the metatables of a type, {name, code, C type, bytes}.
function tensor.declare(t)
   local name, code, ctype = t[1], t[2], t[3]
   local pointer = ffi and POINTERS[ctype] or nil
   -- Loaded anew for each type: functions of its own, which LuaJIT compiles for this type alone.
   local access = chunk('access.lua')(core, code >= 32 and cuda_host or host, config, headers, tensor)
   local mt, prototype = declare('torch.' .. name .. 'Tensor', code)
   local read = pointer and reading.read[pointer]
   tensor.is_plain[mt] = pointer and reading.is_plain[pointer]
   tensor.pointers[mt], tensor.read[mt], tensor.kinds[mt], headers.bytes_of[code] = pointer, read, code, t[4]
   tensor.narrowed[mt] = IS_NARROW[ctype] and narrowed
   access.tensors(mt, pointer, prototype)
   mt.__len = tensor.method('__len')
   mt.__tostring = tensor.method('__tostring')
   for _, operator in ipairs {'add', 'sub', 'mul', 'div', 'mod', 'pow', 'unm'} do
      mt['__' .. operator] = tensor.func('__' .. operator)
   end
   mt.__factory = function() return wrap(core.raw(host.empty_tensor, code)) end

   local st, storage_prototype = declare('torch.' .. name .. 'Storage', STORAGE + code)
   tensor.pointers[st], tensor.read[st], tensor.narrowed[st] = pointer, read, tensor.narrowed[mt]
   access.storages(st, pointer, storage_prototype)
   st.__len = tensor.method('Storage.size')
   st.__tostring = tensor.method('Storage.__tostring')
   st.__eq = function(a, b) return core.raw(host.same_storage, handle_of[a], handle_of[b]) end
end

for _, t in ipairs(config.types) do tensor.declare(t) end

return tensor
