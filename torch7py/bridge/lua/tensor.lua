-- Tensors and storages in Lua: one metatable per type, methods that resolve themselves, elements without Python.
--
-- Arguments: core, host, config {types = {{name, code, ctype, size}, ...}, shared = address or nil}.
-- `shared` is an array of int64 that Python writes: [0] epoch, [1] address, [2] dimensions, [3..] sizes, strides.
-- Result: {metatables = {name -> metatable}, method = f(name), func = f(name), ...}.

local core, host, config = ...
local tensor = {metatables = {}}

local type, select, pcall, tonumber, tostring, ipairs, next = type, select, pcall, tonumber, tostring, ipairs, next
local newproxy, getmetatable, setmetatable, unpack = newproxy, getmetatable, setmetatable, unpack
local floor, ceil, char, concat = math.floor, math.ceil, string.char, table.concat
local handle_of, stand_in, wrap, read = core.handle_of, core.stand_in, core.wrap, core.read
local rethrow, fail, BARE, bury, pass = core.rethrow, core.fail, core.BARE, core.bury, core.pass

local ffi = config.shared and require 'ffi' or nil
-- LuaJIT gives up for good on a function in which its recorder keeps failing, and on every loop that calls it.
-- At a C function that it does not know it ends a trace in good order instead. One is called before what it
-- cannot compile, so that the fast ways through the same function stay fast. See also warm_up, below.
local barrier = coroutine.running

local STORAGE, SELF, HANDLE, PLAIN, MOVES = 8, 0, 1, 2, 4
local MAX_DIMS = 8   -- what a header has room for

---------------------------------------------------------------------------------------------------------
-- The header cache: where a tensor's elements are, valid for one epoch

-- Without FFI a header is a table, made anew each time, and its address is 0.
local shared, header_of, new_header
local advance = function() end

local function read_geometry(dims, ...)
   local h = {dims = dims, address = 0, size = {}, stride = {}}
   for i = 0, dims - 1 do
      h.size[i], h.stride[i] = select(2 * i + 1, ...)
   end
   return h
end

local function header(u) return read_geometry(core.raw(host.geometry, handle_of[u])) end

if ffi then
   pcall(ffi.cdef, [[
      typedef struct { int64_t epoch; int64_t address; int32_t dims; int64_t size[8]; int64_t stride[8]; } torch7py_header;
   ]])
   shared = ffi.cast('int64_t*', config.shared)
   header_of = setmetatable({}, {__mode = 'k'})
   new_header = ffi.typeof('torch7py_header')

   function advance() shared[0] = shared[0] + 1 end

   function header(u)
      local h = header_of[u]
      if h == nil then
         h = new_header()
         h.epoch = -1
         header_of[u] = h
      end
      if h.epoch ~= shared[0] then
         barrier()
         local ok, err = pcall(host.header, handle_of[u])
         if not ok then rethrow(err) end
         h.address = shared[1]
         h.dims = tonumber(shared[2])
         if h.dims > MAX_DIMS then fail('a tensor of %d dimensions: at most %d are supported', h.dims, MAX_DIMS) end
         for i = 0, h.dims - 1 do
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

local TABLE = 17
local LETTER = {}                                -- kind -> the letter that Python reads
for kind = 0, 31 do LETTER[kind] = char(65 + kind) end

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
            kind = handle % 32
         else
            kind = BARE[type(value)]
         end
      end
      letters[i] = LETTER[kind]
   end
   local key = concat(letters)
   local f = adapters[key]
   if f == nil then
      local ok, found, mode = pcall(resolve, key)
      if not ok then rethrow(found) end
      f = found
      adapters[key], modes[key] = f, mode
   end
   return results(modes[key], self, pcall(f, unpack(values, 1, n)))
end

-- `resolve`: kinds -> adapter, mode. Adapters are kept by a number made of the kinds when there are up to three
-- arguments and none is a table, else by a string of letters.
local function stub(resolve)
   local adapters, modes = {}, {}
   return function(a, b, c, ...)
      if select('#', ...) > 0 then return slowly(resolve, adapters, modes, a, a, b, c, ...) end
      local ha, hb, hc
      local key
      if a == nil then
         if b ~= nil or c ~= nil then return slowly(resolve, adapters, modes, a, a, b, c) end
         key = NIL
      else
         ha = handle_of[a]
         key = 32 + (ha and ha % 32 or BARE[type(a)])  -- a digit in front: a DoubleTensor's kind is 0
         if b ~= nil then
            hb = handle_of[b]
            key = key * 32 + (hb and hb % 32 or BARE[type(b)])
            if c ~= nil then
               hc = handle_of[c]
               key = key * 32 + (hc and hc % 32 or BARE[type(c)])
            end
         elseif c ~= nil then
            return slowly(resolve, adapters, modes, a, a, b, c)
         end
      end
      local f = adapters[key]
      if f == nil then
         if type(a) == 'table' or type(b) == 'table' or type(c) == 'table' then
            return slowly(resolve, adapters, modes, a, a, b, c)
         end
         local kinds = ''
         local number = key
         if a ~= nil then
            repeat
               kinds = LETTER[number % 32] .. kinds
               number = floor(number / 32)
            until #kinds == (c ~= nil and 3 or b ~= nil and 2 or 1)
         end
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

-- x[k] and x[k] = v where k is neither numbers nor a table of them: a mask, a LongStorage, or a mistake
local tensor_index, tensor_newindex = tensor.func('__index'), tensor.func('__newindex')
local storage_index, storage_newindex = tensor.func('__storage_index'), tensor.func('__storage_newindex')

-- An index counts from 1, a negative one from the end; the result counts from 0.
local function position_of(index, size, dim)
   if type(index) ~= 'number' then fail('an index is a %s: expected a number', type(index)) end
   local i = index < 0 and ceil(index) + size or floor(index) - 1
   if not (i >= 0 and i < size) or index == 0 then
      fail('index %s is out of bounds for dimension %d of size %d', tostring(index), dim, size)
   end
   return i
end

-- The fast ways: the offset of one element of a vector, or by a table of as many positive numbers as there are
-- dimensions, up to 4. False when k is something else, and not even an error then.
local function element_at(h, k)
   return h.dims == 1 and h.address ~= 0 and k >= 1 and k < h.size[0] + 1 and (floor(k) - 1) * h.stride[0]
end

local function element_in(h, k)
   local dims, i, j = h.dims, k[1], k[2]
   if type(i) ~= 'number' or h.address == 0 or not (i >= 1 and i < h.size[0] + 1) then return false end
   if dims == 1 then return j == nil and (floor(i) - 1) * h.stride[0] end
   if type(j) ~= 'number' or not (j >= 1 and j < h.size[1] + 1) then return false end
   local offset, l = (floor(i) - 1) * h.stride[0] + (floor(j) - 1) * h.stride[1], k[3]
   if dims == 2 then return l == nil and offset end
   if type(l) ~= 'number' or not (l >= 1 and l < h.size[2] + 1) then return false end
   local m = k[4]
   offset = offset + (floor(l) - 1) * h.stride[2]
   if dims == 3 then return m == nil and offset end
   return dims == 4 and type(m) == 'number' and m >= 1 and m < h.size[3] + 1 and k[5] == nil
      and offset + (floor(m) - 1) * h.stride[3]
end

-- The sub-tensor that k, a number or a table, selects in x: how many dimensions are left, where it starts
-- (in elements from x's own start), and in `left` the size and stride of each. A number in k takes one
-- element of its dimension, {a, b} the range, {a} one element without dropping the dimension, {} all.
local function locate(h, k, left)
   local dims = h.dims
   if dims == 0 then fail('indexing an empty tensor') end
   local n, offset, d = 0, 0, 0
   if type(k) == 'number' then
      offset = position_of(k, tonumber(h.size[0]), 1) * tonumber(h.stride[0])
      d = 1
   else
      if #k > dims then fail('too many indices: %d for a tensor of %d dimensions', #k, dims) end
      while d < dims do
         local entry = k[d + 1]
         if entry == nil then break end
         local size, stride = tonumber(h.size[d]), tonumber(h.stride[d])
         if type(entry) == 'number' then
            offset = offset + position_of(entry, size, d + 1) * stride
         elseif type(entry) == 'table' then
            local from, to = entry[1], entry[2]
            local first = from == nil and 0 or position_of(from, size, d + 1)
            local last = to == nil and (from == nil and size - 1 or first) or position_of(to, size, d + 1)
            if last < first then
               fail('range {%s, %s} of dimension %d ends before it starts', tostring(from), tostring(to), d + 1)
            end
            offset = offset + first * stride
            left[2 * n + 1], left[2 * n + 2] = last - first + 1, stride
            n = n + 1
         else
            fail('index %d is a %s: expected a number or a table {first, last}', d + 1, type(entry))
         end
         d = d + 1
      end
   end
   for rest = d, dims - 1 do
      left[2 * n + 1], left[2 * n + 2] = tonumber(h.size[rest]), tonumber(h.stride[rest])
      n = n + 1
   end
   return n, offset
end

-- A tensor on the memory of u, with its header known from the start.
local function view(u, h, n, offset, left, bytes)
   local made = wrap(core.raw(host.view, handle_of[u], offset, unpack(left, 1, 2 * n)))
   if ffi then
      local known = new_header()
      known.epoch, known.dims = shared[0], n
      known.address = h.address == 0 and 0 or h.address + offset * bytes
      for i = 0, n - 1 do
         known.size[i], known.stride[i] = left[2 * i + 1], left[2 * i + 2]
      end
      header_of[made] = known
   end
   return made
end

-- Give `value` to the elements of a sub-tensor.
local function assign(u, n, offset, left, value)
   local source = value ~= nil and handle_of[value]
   if source and source % 32 < STORAGE then
      core.raw(host.copy_view, handle_of[u], offset, source, unpack(left, 1, 2 * n))
   elseif type(value) == 'number' then
      core.raw(host.fill_view, handle_of[u], offset, value, unpack(left, 1, 2 * n))
   else
      fail('a tensor element cannot be set to a %s', type(value))
   end
end

-- Let a type's metatable read and write elements. `pointer_type` is nil where Lua cannot reach them.
local function make_tensor_access(mt, pointer_type, bytes)
   local cast, pointer
   if pointer_type then cast, pointer = ffi.cast, ffi.typeof(pointer_type) end

   -- any k
   local function get(u, k)
      if type(k) ~= 'number' and type(k) ~= 'table' then return tensor_index(u, k) end
      local h, left = header(u), {}
      local n, offset = locate(h, k, left)
      if n > 0 then return view(u, h, n, offset, left, bytes) end
      if h.address ~= 0 and pointer then return tonumber(cast(pointer, h.address)[offset]) end
      return core.raw(host.element, handle_of[u], offset)
   end

   local function set(u, k, v)
      if type(k) ~= 'number' and type(k) ~= 'table' then
         tensor_newindex(u, k, v)
         return
      end
      local h, left = header(u), {}
      local n, offset = locate(h, k, left)
      if n == 0 and type(v) == 'number' and h.address ~= 0 and pointer then
         cast(pointer, h.address)[offset] = v
      else
         assign(u, n, offset, left, v)
      end
   end

   if pointer then
      mt.__index = function(u, k)
         if type(k) == 'string' then return mt[k] end
         local at = type(k) == 'number' and element_at(header(u), k) or type(k) == 'table' and element_in(header(u), k)
         if at then return tonumber(cast(pointer, header(u).address)[at]) end
         barrier()
         return get(u, k)
      end
      mt.__newindex = function(u, k, v)
         if type(v) == 'number' then
            local at = type(k) == 'number' and element_at(header(u), k) or type(k) == 'table' and element_in(header(u), k)
            if at then
               cast(pointer, header(u).address)[at] = v
               return
            end
         end
         barrier()
         set(u, k, v)
      end
   else
      mt.__index = function(u, k)
         if type(k) == 'string' then return mt[k] end
         return get(u, k)
      end
      mt.__newindex = set
   end

   if not ffi then return end
   -- Sizes are asked for all the time; the header knows them.
   local size, stride, method = tensor.method('size'), tensor.method('stride'), {}
   function method.size(u, k)
      if type(k) ~= 'number' or getmetatable(u) ~= mt then return size(u, k) end
      local h = header(u)
      if k >= 1 and k < h.dims + 1 then return tonumber(h.size[floor(k) - 1]) end
      return size(u, k)
   end
   function method.stride(u, k)
      if type(k) ~= 'number' or getmetatable(u) ~= mt then return stride(u, k) end
      local h = header(u)
      if k >= 1 and k < h.dims + 1 then return tonumber(h.stride[floor(k) - 1]) end
      return stride(u, k)
   end
   for _, name in ipairs {'dim', 'nDimension'} do
      local dim = tensor.method(name)
      method[name] = function(u)
         if getmetatable(u) ~= mt then return dim(u) end
         return header(u).dims
      end
   end
   for _, name in ipairs {'nElement', 'numel'} do
      local count = tensor.method(name)
      method[name] = function(u)
         if getmetatable(u) ~= mt then return count(u) end
         local h, n = header(u), 1
         if h.dims == 0 then return 0 end
         for i = 0, h.dims - 1 do n = n * tonumber(h.size[i]) end
         return n
      end
   end
   tensor.fast[mt] = method
end
tensor.fast = {}   -- metatable -> methods that need no Python

local function make_storage_access(st, pointer_type)
   local cast, pointer
   if pointer_type then cast, pointer = ffi.cast, ffi.typeof(pointer_type) end

   st.__index = function(u, k)
      if type(k) == 'string' then return st[k] end
      if pointer and type(k) == 'number' then
         local h = header(u)
         if h.address ~= 0 and k >= 1 and k < h.size[0] + 1 then
            return tonumber(cast(pointer, h.address)[floor(k) - 1])
         end
      end
      barrier()
      return storage_index(u, k)
   end

   st.__newindex = function(u, k, v)
      if pointer and type(k) == 'number' and type(v) == 'number' then
         local h = header(u)
         if h.address ~= 0 and k >= 1 and k < h.size[0] + 1 then
            cast(pointer, h.address)[floor(k) - 1] = v
            return
         end
      end
      storage_newindex(u, k, v)
   end
end

-- Floats narrower than C's own have no pointer type; their elements take the slow way.
local POINTERS = {double = 'double*', float = 'float*', int64_t = 'int64_t*', int32_t = 'int32_t*',
                  int16_t = 'int16_t*', int8_t = 'int8_t*', uint8_t = 'uint8_t*'}

tensor.pointers = {}   -- metatable -> C type of a pointer to elements, where Lua can use one

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
   local pointer = ffi and name ~= 'Half' and POINTERS[ctype] or nil
   local mt = declare('torch.' .. name .. 'Tensor', code)
   tensor.pointers[mt] = pointer
   make_tensor_access(mt, pointer, t[4])
   mt.__len = tensor.method('__len')
   mt.__tostring = tensor.method('__tostring')
   for _, operator in ipairs {'add', 'sub', 'mul', 'div', 'mod', 'pow', 'unm'} do
      mt['__' .. operator] = tensor.func('__' .. operator)
   end
   mt.__factory = function() return wrap(core.raw(host.empty_tensor, code)) end

   local st = declare('torch.' .. name .. 'Storage', STORAGE + code)
   tensor.pointers[st] = pointer
   make_storage_access(st, pointer)
   st.__len = tensor.method('Storage.size')
   st.__tostring = tensor.method('Storage.__tostring')
   st.__eq = function(a, b) return core.raw(host.same_storage, handle_of[a], handle_of[b]) end
end

---------------------------------------------------------------------------------------------------------
-- Which way through a function LuaJIT compiles first is decided by the first hundred calls, and a loop takes in
-- a compiled function only if that way leads to its end. So each is called on its fast way first.

local function warm_up(u)
   local mt = getmetatable(u)
   local fast = tensor.fast[mt]
   for _ = 1, 300 do
      u[1] = 0
      local _ = u[1]
      if fast then
         local _, _, _, _ = fast.size(u, 1), fast.stride(u, 1), fast.dim(u), fast.nElement(u)
      end
   end
end

if ffi and jit then
   jit.off(warm_up)
   local memory = ffi.new('int64_t[1]')
   for _, prototype in next, core.prototypes do
      local u = newproxy(prototype)
      local h = new_header()
      h.epoch, h.address, h.dims, h.size[0], h.stride[0] = shared[0], ffi.cast('intptr_t', memory), 1, 1, 1
      header_of[u] = h
      if tensor.pointers[getmetatable(u)] then warm_up(u) end
   end
end

return tensor
