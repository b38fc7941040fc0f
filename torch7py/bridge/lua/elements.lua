-- What a script does with elements one by one: apply, map, map2, totable, and pointers to them.
--
-- Where Lua reaches the memory (FFI, a tensor of the CPU) these are loops over it that never leave Lua, so the
-- script's function may fail, yield and be compiled with the loop. Elsewhere the elements come and go in
-- portions.
--
-- Arguments: core, host, config, headers, tensor, torch.

local core, host, config, headers, tensor, torch = ...

local type, tonumber, select, unpack, rawset, ipairs = type, tonumber, select, unpack, rawset, ipairs
local getmetatable, setmetatable = getmetatable, setmetatable
local handle_of, wrap, fail, header = core.handle_of, core.wrap, core.fail, headers.of

local ffi = config.shared and require 'ffi' or nil
local STORAGE, PORTION = 8, 100
local MAX_DIMS, flat = 8, tensor.method('view')   -- Lua reaches the memory of tensors with no more dimensions

-- The elements of u as a pointer of its type, and what reads one; nil where Lua cannot.
local function pointer_to(u, h)
   local mt = getmetatable(u)
   local pointer = tensor.pointers[mt]
   if pointer and h.address ~= 0 then return ffi.cast(pointer, h.address), tensor.read[mt] end
end

local function count_of(h)
   local n = h.dims > 0 and 1 or 0
   for d = 0, h.dims - 1 do n = n * tonumber(h.size[d]) end
   return n
end

-- Whether one element follows the other.
local function in_order(h)
   local step = 1
   for d = h.dims - 1, 0, -1 do
      if h.size[d] ~= 1 then
         if h.stride[d] ~= step then return false end
         step = step * tonumber(h.size[d])
      end
   end
   return true
end

-- Where the elements lie from the first, in logical order; nil when one follows the other.
local function places_of(h, n)
   if in_order(h) then return nil end
   local places, count = ffi.new('double[?]', n), 1
   for d = 0, h.dims - 1 do
      local size, stride = tonumber(h.size[d]), tonumber(h.stride[d])
      for i = count - 1, 0, -1 do
         local first = places[i]
         for j = size - 1, 0, -1 do places[i * size + j] = first + j * stride end
      end
      count = count * size
   end
   return places
end

---------------------------------------------------------------------------------------------------------
-- All elements in a Lua array, in logical order

local function put(t, at, ...)
   for i = 1, select('#', ...) do t[at + i] = select(i, ...) end
end

-- `flat`, the second result, is a vector in Python with the same elements.
local function fetch(u)
   local flat = wrap(core.raw(host.flat, handle_of[u]))
   local n = core.raw(host.count, handle_of[flat])
   local t = {}
   for at = 0, n - 1, PORTION do put(t, at, core.raw(host.elements, handle_of[flat], at, PORTION)) end
   return t, flat, n
end

local function read_all(u)
   local h = ffi and header(u)
   local p, read
   if h then p, read = pointer_to(u, h) end
   if not p then return (fetch(u)) end
   local n, t = count_of(h), {}
   local places = places_of(h, n)
   if places then
      for i = 1, n do t[i] = read(p, places[i - 1]) end
   else
      for i = 1, n do t[i] = read(p, i - 1) end
   end
   return t
end

local function nest(values, at, h, d)
   local t, size = {}, tonumber(h.size[d])
   if d == h.dims - 1 then
      for i = 1, size do t[i] = values[at + i] end
      return t, at + size
   end
   for i = 1, size do t[i], at = nest(values, at, h, d + 1) end
   return t, at
end

local function totable(u)
   local handle = u ~= nil and handle_of[u]
   if not handle or handle % 32 >= 2 * STORAGE then fail('obj must be a Storage or a Tensor') end
   local values = read_all(u)
   if handle % 32 >= STORAGE then return values end
   local h = header(u)
   if h.dims < 2 then return values end
   return (nest(values, 0, h, 0))
end

---------------------------------------------------------------------------------------------------------
-- apply, map, map2

local function check_result(value)
   if value and type(value) ~= 'number' then
      fail('the function should return a number or nil, not a %s', type(value))
   end
   return value
end

-- One loop for each number of tensors: x is written, y and z are read. f(x[i], y[i], z[i]) by pointers ...
local loops = {
   function(f, read, n, x, px)
      for i = 0, n - 1 do
         local at = px and px[i] or i
         local value = check_result(f(read(x, at)))
         if value then x[at] = value end
      end
   end,
   function(f, read, n, x, px, y, py)
      for i = 0, n - 1 do
         local at = px and px[i] or i
         local value = check_result(f(read(x, at), read(y, py and py[i] or i)))
         if value then x[at] = value end
      end
   end,
   function(f, read, n, x, px, y, py, z, pz)
      for i = 0, n - 1 do
         local at = px and px[i] or i
         local value = check_result(f(read(x, at), read(y, py and py[i] or i), read(z, pz and pz[i] or i)))
         if value then x[at] = value end
      end
   end,
}

-- ... and in Lua arrays, x then going back to Python.
local function in_arrays(f, x, ...)
   local others = {...}
   local values, flat, n = fetch(x)
   for i, other in ipairs(others) do others[i] = read_all(other) end
   local y, z = others[1], others[2]
   for i = 1, n do
      local value
      if z then value = f(values[i], y[i], z[i])
      elseif y then value = f(values[i], y[i])
      else value = f(values[i]) end
      if check_result(value) then values[i] = value end
   end
   for at = 0, n - 1, PORTION do
      core.raw(host.put_elements, handle_of[flat], at, unpack(values, at + 1, at + PORTION < n and at + PORTION or n))
   end
   core.raw(host.copy_elements, handle_of[x], handle_of[flat])
end

local function traverse(name, f, ...)
   local x = ...
   local count = select('#', ...)
   local arguments, reachable, n, read = {}, ffi ~= nil, nil, nil
   for i = 1, count do
      local u = select(i, ...)
      local handle = u ~= nil and handle_of[u]
      if not handle or handle % 32 >= STORAGE then
         fail("bad argument #%d to '%s' (tensor expected)", i - 1, name)
      end
      if getmetatable(u) ~= getmetatable(x) then
         fail("bad argument #%d to '%s' (%s expected, got %s)", i - 1, name, getmetatable(x).__typename,
              getmetatable(u).__typename)
      end
      local h = header(u)
      local size = count_of(h)
      n = n or size
      if size ~= n then fail('%s: size mismatch: %d elements against %d', name, n, size) end
      if h.dims > MAX_DIMS and in_order(h) then
         u = flat(u, size)
         h = header(u)
      end
      local p
      if ffi then p, read = pointer_to(u, h) end
      reachable = reachable and p ~= nil
      if reachable then arguments[2 * i - 1], arguments[2 * i] = p, places_of(h, n) end
   end
   if type(f) ~= 'function' then
      -- a callable object
      local mt = getmetatable(f)
      if type(mt) ~= 'table' or not mt.__call then fail("%s: function expected, got %s", name, type(f)) end
   end
   if n == 0 then return x end
   if reachable then loops[count](f, read, n, unpack(arguments, 1, 2 * count)) else in_arrays(f, ...) end
   return x
end

local function apply(x, f) return traverse('apply', f, x) end
local function map(x, y, f) return traverse('map', f, x, y) end
local function map2(x, y, z, f) return traverse('map2', f, x, y, z) end

---------------------------------------------------------------------------------------------------------
-- Pointers

local kept = setmetatable({}, {__mode = 'k'})   -- pointer -> the tensor or storage whose memory it is in

local function data(u)
   if u == nil then return nil end
   if not ffi then fail('data: there are no pointers in plain Lua 5.1; LuaJIT is needed') end
   local _ = handle_of[u]   -- elements of Lua's own find their last place
   local h = header(u)
   if h.dims == 0 then return nil end
   if h.address == 0 then fail('data: the elements are not in memory that Lua can reach, but on another device') end
   local pointer = ffi.cast(tensor.pointers[getmetatable(u)] or 'uint16_t*', h.address)
   kept[pointer] = u
   return pointer
end

-- A pointer that C code takes for none of Torch7's structures: there is none behind a tensor here.
if ffi then pcall(ffi.cdef, 'struct torch7py_no_structure;') end

-- Names of Torch7's structures, so that a program may declare functions with them. Nothing is known of what is in them.
if ffi then
   local names = {'THGenerator', 'THAllocator', 'THFile'}
   for _, kind in ipairs {'Byte', 'Char', 'Short', 'Int', 'Long', 'Float', 'Double', 'Half'} do
      names[#names + 1] = 'TH' .. kind .. 'Storage'
      names[#names + 1] = 'TH' .. kind .. 'Tensor'
   end
   for _, name in ipairs(names) do pcall(ffi.cdef, ('typedef struct %s %s;'):format(name, name)) end
end
local structure = ffi and ffi.typeof('struct torch7py_no_structure*')

-- Programs that hand tensors to threads by their address read and write fields of the structures.
local function no_fields(_, name)
   fail("cdata: there are no C structures of Torch7's here, so none has a field '%s'", tostring(name))
end
if ffi then pcall(ffi.metatype, 'struct torch7py_no_structure', {__index = no_fields, __newindex = no_fields}) end

local behind = setmetatable({}, {__mode = 'k'})   -- such a pointer -> the tensor or storage it stands for

local function cdata(u)
   if not ffi then fail('cdata: there are no pointers in plain Lua 5.1; LuaJIT is needed') end
   local pointer = ffi.cast(structure, core.raw(host.pointer, handle_of[u]))
   behind[pointer] = u
   return pointer
end

core.behind = behind   -- for functions that take such pointers

function torch.data(u, as_number)
   local pointer = data(u)
   if pointer ~= nil and as_number then return ffi.cast('intptr_t', pointer) end
   return pointer
end

torch.cdata = cdata
torch.totable = totable

for name, mt in next, tensor.metatables do
   rawset(mt, 'totable', totable)
   rawset(mt, 'data', data)
   rawset(mt, 'cdata', cdata)
   if name:match('Tensor$') then
      rawset(mt, 'apply', apply)
      rawset(mt, 'map', map)
      rawset(mt, 'map2', map2)
   end
end
