-- Tensors and storages in Lua: one metatable per type, methods that resolve themselves, elements without Python.
--
-- Arguments: core, host, config {types = {{name, code, ctype, size}, ...}, shared = address or nil}.
-- `shared` is an array of int64 that Python writes: [0] epoch, [1] address, [2] dimensions, [3..] sizes, strides.
-- Result: {metatables = {name -> metatable}, method = f(name), func = f(name), ...}.

local core, host, config = ...
local tensor = {metatables = {}}

local type, select, pcall, error, tonumber, rawequal = type, select, pcall, error, tonumber, rawequal
local newproxy, getmetatable, setmetatable, unpack = newproxy, getmetatable, setmetatable, unpack
local floor = math.floor
local handle_of, stand_in, wrap, read = core.handle_of, core.stand_in, core.wrap, core.read
local rethrow, fail, BARE, bury = core.rethrow, core.fail, core.BARE, core.bury

local ffi = config.shared and require 'ffi' or nil
local STORAGE, SELF, HANDLE, PLAIN, MOVES = 8, 0, 1, 2, 4

---------------------------------------------------------------------------------------------------------
-- The header cache: where a tensor's elements are, valid for one epoch

local shared, header_of, header
local advance = function() end

if ffi then
   pcall(ffi.cdef, [[
      typedef struct { int64_t epoch; int64_t address; int32_t dims; int64_t size[8]; int64_t stride[8]; } torch7py_header;
   ]])
   shared = ffi.cast('int64_t*', config.shared)
   header_of = setmetatable({}, {__mode = 'k'})
   local new_header = ffi.typeof('torch7py_header')

   function advance() shared[0] = shared[0] + 1 end

   function header(u)
      local h = header_of[u]
      if h == nil then
         h = new_header()
         h.epoch = -1
         header_of[u] = h
      end
      if h.epoch ~= shared[0] then
         local ok, err = pcall(host.header, handle_of[u])
         if not ok then rethrow(err) end
         h.address = shared[1]
         h.dims = tonumber(shared[2])
         for i = 0, 7 do
            h.size[i] = shared[3 + i]
            h.stride[i] = shared[11 + i]
         end
         h.epoch = shared[0]
      end
      return h
   end
end
tensor.advance = advance
tensor.header = header

---------------------------------------------------------------------------------------------------------
-- Operations: a stub finds the adapter for its arguments' kinds and calls it

local NIL = BARE['nil']

-- The kinds of all arguments as a string, for the slow way.
local function kinds_of(...)
   local kinds = {}
   for i = 1, select('#', ...) do
      local value = select(i, ...)
      local handle = value ~= nil and handle_of[value]
      if not handle and type(value) == 'table' then
         value = core.pass(value)
         handle = value
      end
      kinds[i] = string.char(65 + (handle and handle % 32 or BARE[type(value)]))
   end
   return table.concat(kinds)
end

local function results(mode, self, ok, a, ...)
   if not ok then rethrow(a) end
   if mode >= MOVES then
      advance()
      mode = mode - MOVES
   end
   if mode == SELF then return self end
   if mode == HANDLE then return wrap(a) end
   if mode == PLAIN then return a, ... end
   return read(a, ...)
end

-- Any number of arguments of any sort.
local function slowly(resolve, self, ...)
   local n = select('#', ...)
   local ok, f, mode = pcall(resolve, kinds_of(...))
   if not ok then rethrow(f) end
   local values = {...}
   for i = 1, n do
      local value = values[i]
      if value ~= nil then values[i] = (core.pass(value)) end
   end
   return results(mode, self, pcall(f, unpack(values, 1, n)))
end

-- `resolve`: kinds -> adapter, mode. Adapters are kept by a number made of the first three kinds and the count.
local function stub(resolve)
   local adapters, modes = {}, {}
   return function(a, b, c, ...)
      if select('#', ...) > 0 then return slowly(resolve, a, a, b, c, ...) end
      local ha, hb, hc
      local key
      if a == nil then
         if b ~= nil or c ~= nil then return slowly(resolve, a, a, b, c) end
         key = NIL
      else
         ha = handle_of[a]
         key = ha and ha % 32 or BARE[type(a)]
         if b ~= nil then
            hb = handle_of[b]
            key = key * 32 + (hb and hb % 32 or BARE[type(b)])
            if c ~= nil then
               hc = handle_of[c]
               key = key * 32 + (hc and hc % 32 or BARE[type(c)])
            end
         elseif c ~= nil then
            return slowly(resolve, a, a, b, c)
         end
      end
      local f = adapters[key]
      if f == nil then
         if type(a) == 'table' or type(b) == 'table' or type(c) == 'table' then
            return slowly(resolve, a, a, b, c)
         end
         local kinds
         if a == nil then kinds = '' elseif b == nil then kinds = kinds_of(a)
         elseif c == nil then kinds = kinds_of(a, b) else kinds = kinds_of(a, b, c) end
         local ok, found, mode = pcall(resolve, kinds)
         if not ok then rethrow(found) end
         f = found
         adapters[key], modes[key] = f, mode
      end
      local mode = modes[key]
      if c ~= nil then return results(mode, a, pcall(f, ha or a, hb or b, hc or c)) end
      if b ~= nil then return results(mode, a, pcall(f, ha or a, hb or b)) end
      if a ~= nil then return results(mode, a, pcall(f, ha or a)) end
      return results(mode, a, pcall(f))
   end
end

function tensor.method(name)
   return stub(function(kinds) return host.resolve(name, true, kinds) end)
end

function tensor.func(name)
   return stub(function(kinds) return host.resolve(name, false, kinds) end)
end

---------------------------------------------------------------------------------------------------------
-- Metatables

-- x[k] and x[k] = v the slow way
local tensor_slow = {tensor.func('__index'), tensor.func('__newindex')}
local storage_slow = {tensor.func('__storage_index'), tensor.func('__storage_newindex')}

-- x[i] and x[i] = v on memory this process can reach; otherwise the operation does it.
local function make_access(mt, pointer_type, wide, slow)
   local index, newindex = slow[1], slow[2]
   if not ffi or not pointer_type then
      mt.__index = function(u, k)
         if type(k) == 'string' then return mt[k] end
         return index(u, k)
      end
      mt.__newindex = function(u, k, v) newindex(u, k, v) end
      return
   end
   local cast, pointer = ffi.cast, ffi.typeof(pointer_type)

   mt.__index = function(u, k)
      if type(k) == 'number' then
         local h = header(u)
         if h.dims == 1 and h.address ~= 0 and k >= 1 and k <= h.size[0] then
            local i = floor(k)
            if wide then return tonumber(cast(pointer, h.address)[(i - 1) * h.stride[0]]) end
            return cast(pointer, h.address)[(i - 1) * h.stride[0]]
         end
         return index(u, k)
      end
      if type(k) == 'string' then return mt[k] end
      if type(k) == 'table' and handle_of[k] == nil then
         local i, j = k[1], k[2]
         if type(i) == 'number' and type(j) == 'number' and k[3] == nil then
            local h = header(u)
            if h.dims == 2 and h.address ~= 0 and i >= 1 and i <= h.size[0] and j >= 1 and j <= h.size[1] then
               local value = cast(pointer, h.address)[(floor(i) - 1) * h.stride[0] + (floor(j) - 1) * h.stride[1]]
               return tonumber(value)
            end
         end
      end
      return index(u, k)
   end

   mt.__newindex = function(u, k, v)
      if type(v) == 'number' then
         if type(k) == 'number' then
            local h = header(u)
            if h.dims == 1 and h.address ~= 0 and k >= 1 and k <= h.size[0] then
               cast(pointer, h.address)[(floor(k) - 1) * h.stride[0]] = v
               return
            end
         elseif type(k) == 'table' and handle_of[k] == nil then
            local i, j = k[1], k[2]
            if type(i) == 'number' and type(j) == 'number' and k[3] == nil then
               local h = header(u)
               if h.dims == 2 and h.address ~= 0 and i >= 1 and i <= h.size[0] and j >= 1 and j <= h.size[1] then
                  cast(pointer, h.address)[(floor(i) - 1) * h.stride[0] + (floor(j) - 1) * h.stride[1]] = v
                  return
               end
            end
         end
      end
      newindex(u, k, v)
   end
end

-- Floats narrower than C's own have no pointer type; their elements take the slow way.
local POINTERS = {double = 'double*', float = 'float*', int64_t = 'int64_t*', int32_t = 'int32_t*',
                  int16_t = 'int16_t*', int8_t = 'int8_t*', uint8_t = 'uint8_t*'}

local function declare(name, kind)
   local prototype = newproxy(true)
   local mt = getmetatable(prototype)
   core.prototypes[kind] = prototype
   tensor.metatables[name] = mt
   mt.__typename = name
   mt.__gc = bury
   return mt
end

for _, t in ipairs(config.types) do
   local name, code, ctype = t[1], t[2], t[3]
   local pointer = name ~= 'Half' and POINTERS[ctype] or nil
   local mt = declare('torch.' .. name .. 'Tensor', code)
   make_access(mt, pointer, ctype == 'int64_t', tensor_slow)
   mt.__len = tensor.method('__len')
   mt.__tostring = tensor.method('__tostring')
   for _, operator in ipairs {'add', 'sub', 'mul', 'div', 'mod', 'pow', 'unm'} do
      mt['__' .. operator] = tensor.func('__' .. operator)
   end
   mt.__factory = function() return wrap(core.raw(host.empty_tensor, code)) end

   local st = declare('torch.' .. name .. 'Storage', STORAGE + code)
   make_access(st, pointer, ctype == 'int64_t', storage_slow)
   st.__len = tensor.method('Storage.size')
   st.__tostring = tensor.method('Storage.__tostring')
   st.__eq = function(a, b) return core.raw(host.same_storage, handle_of[a], handle_of[b]) end
end

return tensor
