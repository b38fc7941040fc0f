-- x[k], x[k] = v and the sizes of one type of tensor or storage. Elements that Lua can reach never leave it.
--
-- The fast ways, an element by numbers, end without a tail call and are taken first (see warm_up): LuaJIT
-- compiles the way that a function goes in its first hundred calls, and a loop takes a compiled function in only
-- if that way leads to its end.
--
-- Arguments: core, host, config, tensor. Result: {tensors = f(metatable, pointer type, bytes), storages = ...}.

local core, host, config, tensor = ...
local access = {}

local type, tonumber, tostring, ipairs, getmetatable = type, tonumber, tostring, ipairs, getmetatable
local floor, ceil, unpack, newproxy = math.floor, math.ceil, unpack, newproxy
local handle_of, wrap, raw, fail = core.handle_of, core.wrap, core.raw, core.fail
local header, header_of, new_header = tensor.header, tensor.header_of, tensor.new_header
local shared, barrier = tensor.shared, tensor.barrier

local ffi = config.shared and require 'ffi' or nil
local cast = ffi and ffi.cast
local STORAGE = 8

-- k is neither a number nor a table of them: a mask, a LongStorage, or a mistake
local tensor_index, tensor_newindex = tensor.func('__index'), tensor.func('__newindex')
local storage_index, storage_newindex = tensor.func('__storage_index'), tensor.func('__storage_newindex')

---------------------------------------------------------------------------------------------------------
-- Places

-- The offset of one element of a vector, or by a table of as many positive numbers as there are dimensions, up
-- to 4. False when k is something else, and not even an error then.
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

-- An index counts from 1, a negative one from the end; the result counts from 0.
local function position_of(index, size, dim)
   if type(index) ~= 'number' then fail('an index is a %s: expected a number', type(index)) end
   local i = index < 0 and ceil(index) + size or floor(index) - 1
   if not (i >= 0 and i < size) then
      fail('index %s is out of bounds for dimension %d of size %d', tostring(index), dim, size)
   end
   return i
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

---------------------------------------------------------------------------------------------------------
-- Parts

local view1, view2 = host.view1, host.view2

-- A tensor on the memory of u, its header known from the start.
local function part(u, h, n, offset, left, bytes)
   local made
   if n == 1 then
      made = raw(view1, handle_of[u], offset, left[1], left[2])
   elseif n == 2 then
      made = raw(view2, handle_of[u], offset, left[1], left[2], left[3], left[4])
   else
      made = raw(host.view, handle_of[u], offset, unpack(left, 1, 2 * n))
   end
   made = wrap(made)
   if ffi and n <= tensor.max_dims then
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

-- Give `value` to the elements of a part.
local function assign(u, n, offset, left, value)
   local source = value ~= nil and handle_of[value]
   if source and source % 32 < STORAGE then
      raw(host.copy_view, handle_of[u], offset, source, unpack(left, 1, 2 * n))
   elseif type(value) == 'number' then
      raw(host.fill_view, handle_of[u], offset, value, unpack(left, 1, 2 * n))
   else
      fail('a tensor element cannot be set to a %s', type(value))
   end
end

---------------------------------------------------------------------------------------------------------
-- Metatables

-- Go the fast ways, at a made-up tensor of one element.
local function warm_up(mt, prototype, memory)
   local u, h = newproxy(prototype), new_header()
   h.epoch, h.address, h.dims, h.size[0], h.stride[0] = shared[0], cast('intptr_t', memory), 1, 1, 1
   header_of[u] = h
   local fast = tensor.fast[mt]
   for _ = 1, 300 do
      u[1] = 0
      local _ = u[1]
      if fast then
         local _, _, _, _ = fast.size(u, 1), fast.stride(u, 1), fast.dim(u), fast.nElement(u)
      end
   end
end
if ffi then jit.off(warm_up) end

-- Sizes are asked for all the time, and the header knows them.
local function size_methods(mt)
   local size, stride, method = tensor.method('size'), tensor.method('stride'), {}
   function method.size(u, k)
      if type(k) == 'number' and getmetatable(u) == mt then
         local h = header(u)
         if k >= 1 and k < h.dims + 1 then
            local n = tonumber(h.size[floor(k) - 1])
            return n
         end
      end
      barrier()
      return size(u, k)
   end
   function method.stride(u, k)
      if type(k) == 'number' and getmetatable(u) == mt then
         local h = header(u)
         if k >= 1 and k < h.dims + 1 then
            local n = tonumber(h.stride[floor(k) - 1])
            return n
         end
      end
      barrier()
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
         local h = header(u)
         local dims = h.dims
         local n = dims > 0 and tonumber(h.size[0]) or 0
         if dims > 1 then n = n * tonumber(h.size[1]) end
         if dims > 2 then n = n * tonumber(h.size[2]) end
         if dims > 3 then n = n * tonumber(h.size[3]) end
         for i = 4, dims - 1 do n = n * tonumber(h.size[i]) end
         return n
      end
   end
   tensor.fast[mt] = method
end

-- Complete the metatable of a type of tensor. `pointer_type` is nil where Lua cannot read its elements.
function access.tensors(mt, pointer_type, bytes, prototype)
   local pointer = pointer_type and ffi.typeof(pointer_type)

   -- any k
   local function get(u, k)
      if type(k) ~= 'number' and type(k) ~= 'table' then return tensor_index(u, k) end
      local h, left = header(u), {}
      local n, offset = locate(h, k, left)
      if n > 0 then return part(u, h, n, offset, left, bytes) end
      if pointer and h.address ~= 0 then return tonumber(cast(pointer, h.address)[offset]) end
      return raw(host.element, handle_of[u], offset)
   end

   local function set(u, k, v)
      if type(v) == 'string' then v = tonumber(v) or v end
      if type(k) ~= 'number' and type(k) ~= 'table' then
         tensor_newindex(u, k, v)
         return
      end
      local h, left = header(u), {}
      local n, offset = locate(h, k, left)
      if n == 0 and type(v) == 'number' and pointer and h.address ~= 0 then
         cast(pointer, h.address)[offset] = v
      else
         assign(u, n, offset, left, v)
      end
   end

   if ffi then size_methods(mt) end
   if not pointer then
      mt.__index = function(u, k)
         if type(k) == 'string' then return mt[k] end
         return get(u, k)
      end
      mt.__newindex = set
      return
   end

   mt.__index = function(u, k)
      if type(k) == 'string' then return mt[k] end
      local h, at
      if type(k) == 'number' then
         h = header(u)
         at = element_at(h, k)
      elseif type(k) == 'table' then
         h = header(u)
         at = element_in(h, k)
      end
      if at then
         local value = tonumber(cast(pointer, h.address)[at])
         return value
      end
      barrier()
      return get(u, k)
   end

   mt.__newindex = function(u, k, v)
      if type(v) == 'number' then
         local h, at
         if type(k) == 'number' then
            h = header(u)
            at = element_at(h, k)
         elseif type(k) == 'table' then
            h = header(u)
            at = element_in(h, k)
         end
         if at then
            cast(pointer, h.address)[at] = v
            return
         end
      end
      barrier()
      set(u, k, v)
   end

   warm_up(mt, prototype, ffi.new('int64_t[1]'))
end

-- The same for a type of storage.
function access.storages(mt, pointer_type, prototype)
   if not pointer_type then
      mt.__index = function(u, k)
         if type(k) == 'string' then return mt[k] end
         return storage_index(u, k)
      end
      mt.__newindex = function(u, k, v) storage_newindex(u, k, v) end
      return
   end

   local pointer = ffi.typeof(pointer_type)

   mt.__index = function(u, k)
      if type(k) == 'string' then return mt[k] end
      if type(k) == 'number' then
         local h = header(u)
         local at = element_at(h, k)
         if at then
            local value = tonumber(cast(pointer, h.address)[at])
            return value
         end
      end
      barrier()
      return storage_index(u, k)
   end

   mt.__newindex = function(u, k, v)
      if type(k) == 'number' and type(v) == 'number' then
         local h = header(u)
         local at = element_at(h, k)
         if at then
            cast(pointer, h.address)[at] = v
            return
         end
      end
      barrier()
      storage_newindex(u, k, v)
   end

   warm_up(mt, prototype, ffi.new('int64_t[1]'))
end

return access
