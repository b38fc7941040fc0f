-- What a script does with elements one by one: apply, map, map2, totable, and pointers to them.
--
-- Where Lua reaches the memory (FFI, a tensor of the CPU) these are loops over it that never leave Lua, so the
-- script's function may fail, yield and be compiled with the loop. Elsewhere the elements come and go in
-- portions.
--
-- Arguments: core, host, config, headers, tensor, torch.

local core, host, config, headers, tensor, torch = ...

local floor = math.floor
local type, tonumber, select, unpack, rawset, ipairs = type, tonumber, select, unpack, rawset, ipairs
local getmetatable, setmetatable = getmetatable, setmetatable
local handle_of, wrap, fail, header = core.handle_of, core.wrap, core.fail, headers.of

local ffi = config.shared and require 'ffi' or nil
local STORAGE, PORTION = 8, 100
local LONGEST = 2 ^ 26   -- entries of a table
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

-- The places of elements where one does not follow the other: `places` for up to BLOCK of them at a time, and a function that
-- fills it with the next ones in logical order. Nil where nothing is to be filled.
local BLOCK = 4096

local function places_of(h, n)
   if in_order(h) then return nil end
   local most, last = n < BLOCK and n or BLOCK, h.dims - 1
   local places, index, size, stride = ffi.new('double[?]', most), {}, {}, {}
   for d = 0, last do index[d], size[d], stride[d] = 0, tonumber(h.size[d]), tonumber(h.stride[d]) end
   local first = 0   -- the place of the element that comes next
   return places, function()
      local i = 0
      while i < most and index[0] < size[0] do
         local step = stride[last]
         local count = size[last] - index[last]
         if count > most - i then count = most - i end
         for j = 0, count - 1 do places[i + j] = first + j * step end
         i, first, index[last] = i + count, first + count * step, index[last] + count
         local d = last
         while d > 0 and index[d] == size[d] do
            first, index[d] = first - size[d] * stride[d] + stride[d - 1], 0
            d = d - 1
            index[d] = index[d] + 1
         end
      end
   end
end

---------------------------------------------------------------------------------------------------------
-- All elements in a Lua array, in logical order

local function check_room(n)
   if n > LONGEST then fail('a table has no room for %.0f elements', n) end
end

local function put(t, at, ...)
   for i = 1, select('#', ...) do t[at + i] = select(i, ...) end
end

-- `flat`, the second result, is a vector in Python with the same elements.
local function fetch(u)
   local flat = wrap(core.raw(host.flat, handle_of[u]))
   local n = core.raw(host.count, handle_of[flat])
   check_room(n)
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
   check_room(n)
   local places, fill = places_of(h, n)
   if places then
      for first = 0, n - 1, BLOCK do
         fill()
         for i = 0, (first + BLOCK < n and BLOCK or n - first) - 1 do t[first + i + 1] = read(p, places[i]) end
      end
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

-- One loop for each number of tensors: x is written, y and z are read. f(x[i], y[i], z[i]) by pointers, until the function
-- has done something after which they may point elsewhere (then the result is how many elements are done) ...
local shared = headers.shared
local loops = {
   function(f, read, from, n, x, px)
      local epoch = shared[0]
      for i = from, n - 1 do
         local at = px and px[i] or i
         local value = check_result(f(read(x, at)))
         if shared[0] ~= epoch then return i, value end
         if value then x[at] = value end
      end
   end,
   function(f, read, from, n, x, px, y, py)
      local epoch = shared[0]
      for i = from, n - 1 do
         local at = px and px[i] or i
         local value = check_result(f(read(x, at), read(y, py and py[i] or i)))
         if shared[0] ~= epoch then return i, value end
         if value then x[at] = value end
      end
   end,
   function(f, read, from, n, x, px, y, py, z, pz)
      local epoch = shared[0]
      for i = from, n - 1 do
         local at = px and px[i] or i
         local value = check_result(f(read(x, at), read(y, py and py[i] or i), read(z, pz and pz[i] or i)))
         if shared[0] ~= epoch then return i, value end
         if value then x[at] = value end
      end
   end,
}

local function same_geometry(h, g)
   if h.dims ~= g.dims or g.address == 0 then return false end
   for d = 0, h.dims - 1 do
      if h.size[d] ~= g.size[d] or h.stride[d] ~= g.stride[d] then return false end
   end
   return true
end

local function resized(name) fail('%s: the function gave a tensor another size', name) end

-- `again`: the function has been called meanwhile.
local function pointer_in_order(name, u, count, again)
   local h = header(u)
   if again and (count_of(h) ~= count or h.address == 0 or not in_order(h)) then resized(name) end
   return pointer_to(u, h)
end

-- The elements of several tensors, `count` in all in each, by pointers: where one follows the other ...
local function in_a_row(name, f, count, x, y, z)
   local at, value = -1, nil
   repeat
      local p, read = pointer_in_order(name, x, count, at >= 0)
      if value then p[at] = value end
      if z then
         local q, r = pointer_in_order(name, y, count, at >= 0), pointer_in_order(name, z, count, at >= 0)
         at, value = loops[3](f, read, at + 1, count, p, nil, q, nil, r, nil)
      elseif y then
         at, value = loops[2](f, read, at + 1, count, p, nil, pointer_in_order(name, y, count, at >= 0), nil)
      else
         at, value = loops[1](f, read, at + 1, count, p, nil)
      end
   until not at
end

-- ... and anywhere.
local function by_pointers(name, f, count, ...)
   local operands, arguments, block, read = {...}, {}, count, nil
   for i, u in ipairs(operands) do
      local h, before = header(u), headers.new()
      ffi.copy(before, h, ffi.sizeof(before))
      local places, fill = places_of(h, count)
      if places then block = BLOCK end
      operands[i] = {u = u, before = before, places = places, fill = fill}
   end

   local function point(first)
      for i, operand in ipairs(operands) do
         local h, pointer = header(operand.u), nil
         if not same_geometry(operand.before, h) then resized(name) end
         pointer, read = pointer_to(operand.u, h)
         arguments[2 * i - 1], arguments[2 * i] = operand.places and pointer or pointer + first, operand.places
      end
   end

   for first = 0, count - 1, block do
      for _, operand in ipairs(operands) do
         if operand.fill then operand.fill() end
      end
      local n, from = first + block < count and block or count - first, 0
      while from < n do
         point(first)
         local at, value = loops[#operands](f, read, from, n, unpack(arguments, 1, 2 * #operands))
         if not at then break end
         if value then
            point(first)
            local x, places = arguments[1], arguments[2]
            x[places and places[at] or at] = value
         end
         from = at + 1
      end
   end
end

-- ... and in Lua arrays, x then going back to Python.
local function in_arrays(name, f, x, ...)
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
   for _, u in ipairs({x, ...}) do
      if count_of(header(u)) ~= n then resized(name) end
   end
   for at = 0, n - 1, PORTION do
      core.raw(host.put_elements, handle_of[flat], at, unpack(values, at + 1, at + PORTION < n and at + PORTION or n))
   end
   core.raw(host.copy_elements, handle_of[x], handle_of[flat])
end

-- ... and one by one, where what is written changes what is read later.
local function place_of(h, i)
   local place = 0
   for d = h.dims - 1, 0, -1 do
      local size = tonumber(h.size[d])
      place = place + i % size * tonumber(h.stride[d])
      i = floor(i / size)
   end
   return place
end

local function one_by_one(f, n, ...)
   local operands, values = {...}, {}
   for i = 0, n - 1 do
      for k, u in ipairs(operands) do values[k] = core.raw(host.element, handle_of[u], place_of(header(u), i)) end
      local value = check_result(f(unpack(values, 1, #operands)))
      if value then
         local x = operands[1]
         core.raw(host.fill_view, handle_of[x], place_of(header(x), i), value)
      end
   end
end

local function order_matters(operands)
   local handles = {}
   for i, u in ipairs(operands) do handles[i] = handle_of[u] end
   return core.raw(host.order_matters, unpack(handles))
end

local function traverse(name, f, ...)
   local x = ...
   local operands, reachable, ordered, n = {...}, ffi ~= nil, true, nil
   for i = 1, select('#', ...) do
      local u = operands[i]
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
         h, operands[i] = header(u), u
      end
      reachable = reachable and pointer_to(u, h) ~= nil
      ordered = ordered and in_order(h)
   end
   if type(f) ~= 'function' then
      -- a callable object
      local mt = getmetatable(f)
      if type(mt) ~= 'table' or not mt.__call then fail("%s: function expected, got %s", name, type(f)) end
   end
   if n == 0 then return x end
   local narrowed, give = tensor.narrowed[getmetatable(x)], f
   if narrowed then
      f = function(...)
         local value = give(...)
         return type(value) == 'number' and narrowed(value) or value
      end
   end
   if not reachable and order_matters(operands) then one_by_one(f, n, unpack(operands))
   elseif not reachable then in_arrays(name, f, ...)
   elseif ordered then in_a_row(name, f, n, operands[1], operands[2], operands[3])
   else by_pointers(name, f, n, unpack(operands)) end
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
   for _, name in ipairs(names) do pcall(ffi.cdef, string.format('typedef struct %s %s;', name, name)) end
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
   if string.match(name, 'Tensor$') then
      rawset(mt, 'apply', apply)
      rawset(mt, 'map', map)
      rawset(mt, 'map2', map2)
   end
end
