-- x[k], x[k] = v and the sizes of one type of tensor or storage. Elements that Lua can reach never leave it.
--
-- The fast ways, an element by numbers, end without a tail call and are taken first (see warm_up): LuaJIT
-- compiles the way that a function goes in its first hundred calls, and a loop takes a compiled function in only
-- if that way leads to its end.
--
-- Arguments: core, host, config, headers, tensor. Result: {tensors = f(metatable, pointer type, prototype), storages = ...}.

local core, host, config, headers, tensor = ...
local access = {}

local type, tonumber, tostring, ipairs, select, getmetatable = type, tonumber, tostring, ipairs, select, getmetatable
local floor, ceil, unpack, newproxy = math.floor, math.ceil, unpack, newproxy
local handle_of, wrap, raw, fail = core.handle_of, core.wrap, core.raw, core.fail
local header, at_hand, view, shared, barrier = headers.of, headers.at_hand, headers.view, headers.shared, headers.barrier

local ffi = config.shared and require 'ffi' or nil
local cast, copy = ffi and ffi.cast, ffi and ffi.copy
local STORAGE = 8

local tensor_index, tensor_newindex = tensor.func('__index'), tensor.func('__newindex')
local storage_index, storage_newindex = tensor.func('__storage_index'), tensor.func('__storage_newindex')

-- Whether k, which is neither a number nor a table of them, selects elements: a mask, or a LongStorage. Every
-- other key is looked for in the class, as in all objects, where it is not: x[nil] is nil. A CUDA tensor that is no
-- mask is an error all the same, because it was one in programs of before November 2016.
local function selects(k)
   local typename = handle_of[k] and getmetatable(k).__typename
   return typename == 'torch.ByteTensor' or typename == 'torch.LongStorage'
      or typename and string.match(typename, '^torch%.Cuda%a*Tensor$') ~= nil
end

local function refuse_field(mt) fail('the class %s cannot be indexed', mt.__typename) end

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

-- A tensor on the memory of u: Lua's own where Lua knows that memory.
local function part(u, h, kind, n, offset, left)
   if h.address ~= 0 then
      local made, known = view(u, h, kind, offset, n)
      for i = 0, n - 1 do
         known.size[i], known.stride[i] = left[2 * i + 1], left[2 * i + 2]
      end
      return made
   end
   return wrap(raw(host.view, handle_of[u], offset, unpack(left, 1, 2 * n)))
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
   local u, h = newproxy(prototype), headers.new()
   h.epoch, h.address, h.dims, h.size[0], h.stride[0] = shared[0], cast('intptr_t', memory), 1, 1, 1
   headers.cache[u] = h
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

-- x:resizeAs(y) of a tensor that has the size already, and of a small one that Lua has made, as in x.new():resizeAs(x)
local function resize_method(mt)
   local count_dense = headers.count_dense
   local resize, refit, small = tensor.method('resizeAs'), headers.refit, headers.small
   return function(u, like, ...)
      if getmetatable(u) == mt and type(like) == 'userdata' and getmetatable(like) == mt and select('#', ...) == 0 then
         local h = header(like)
         if h.dims > 0 and h.address ~= 0 then
            local n = 1
            for d = 0, h.dims - 1 do n = n * tonumber(h.size[d]) end
            local own = header(u)   -- asking where it is costs less than having it resized, which may move storages
            if count_dense(own) == n and headers.same_size(own, h) then return u end
            if n <= small and refit(u, n, h) then return u end
         end
      end
      barrier()
      return resize(u, like, ...)
   end
end

-- x:index(dim, i) and r:index(x, dim, i), which gives i, where few elements are picked, or whole rows of them
local LONG_ROW, MOST_IN_ROWS = 128, 16384   -- bytes, numbers

local function index_method(mt, pointer, kind)
   local index, long = tensor.method('index'), ffi.typeof('int64_t*')
   local count_dense, fresh, small, bytes = headers.count_dense, headers.fresh, headers.small, headers.bytes_of[kind]

   -- The new tensor; nil where something does not fit, and Python says what.
   local function pick(h, dim, g)
      local size, count = tonumber(h.size[dim - 1]), tonumber(g.size[0])
      local all = count_dense(h)
      if not all then return nil end
      local inner = 1
      for d = dim, h.dims - 1 do inner = inner * tonumber(h.size[d]) end
      if all / size * count > (inner * bytes >= LONG_ROW and MOST_IN_ROWS or small) then return nil end
      local rows, step = cast(long, g.address), tonumber(g.stride[0])
      for i = 0, count - 1 do
         local at = rows[i * step]
         if at < 1 or at > size then return nil end
      end
      local outer = all / size / inner
      local step_out = outer * count * inner
      local made, known = fresh(kind, step_out, h)
      for d = 0, h.dims - 1 do
         local n = d == dim - 1 and count or tonumber(h.size[d])
         step_out = step_out / n
         known.size[d], known.stride[d] = n, step_out
      end
      local from, to, at = cast(pointer, h.address), cast(pointer, known.address), 0
      for o = 0, outer - 1 do
         for i = 0, count - 1 do
            local first = (o * size + tonumber(rows[i * step]) - 1) * inner
            copy(to + at, from + first, inner * bytes)
            at = at + inner
         end
      end
      return made
   end

   local function picked(u, dim, i)
      if type(dim) == 'number' and type(i) == 'userdata' and getmetatable(u) == mt
         and getmetatable(i).__typename == 'torch.LongTensor' then
         local h, g = at_hand(u), at_hand(i)
         if h ~= nil and g ~= nil and h.address ~= 0 and g.address ~= 0 and g.dims == 1 and dim >= 1 and dim <= h.dims
            and dim % 1 == 0 then
            return pick(h, dim, g)
         end
      end
   end

   -- Copy a new tensor into `r`, which gets its size. False where that may be something for Python.
   local function put(r, made, x)
      local known, own, from = header(made), header(r), header(x)
      local n, bytes_there = count_dense(known), count_dense(from) * bytes
      if count_dense(own) == n and headers.same_size(own, known) then
         if own.address < from.address + bytes_there and from.address < own.address + n * bytes then return false end
      elseif not headers.refit(r, n, known) then
         return false
      end
      copy(cast(pointer, header(r).address), cast(pointer, known.address), n * bytes)
      return true
   end

   return function(u, dim, i, ...)
      local count = select('#', ...)
      if count == 0 then
         local made = picked(u, dim, i)
         if made then return made end
      elseif count == 1 and type(dim) == 'userdata' and getmetatable(u) == mt then
         local made = picked(dim, i, ...)
         if made and put(u, made, dim) then return (...) end
      end
      barrier()
      return index(u, dim, i, ...)
   end
end

-- Sizes are asked for all the time, and the header knows them; parts of a tensor are headers.
local function known_methods(mt, pointer, kind)
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

   local its_type = string.lower(string.match(mt.__typename, 'torch%.(%a+)Tensor') or '')
   if kind < 32 and tensor.method(its_type) then   -- `x:long()` of what is that
      local to_its_type = tensor.method(its_type)
      method[its_type] = function(u, ...)
         if getmetatable(u) == mt and select('#', ...) == 0 then return u end
         return to_its_type(u, ...)
      end
   end

   local narrow, select_one, read = tensor.method('narrow'), tensor.method('select'), tensor.read[mt]
   local function whole(a, b, c)
      return type(a) == 'number' and type(b) == 'number' and a % 1 == 0 and b % 1 == 0
         and (c == nil or type(c) == 'number' and c % 1 == 0)
   end
   function method.narrow(u, dim, first, size, ...)
      if getmetatable(u) == mt and size ~= nil and select('#', ...) == 0 and whole(dim, first, size) then
         local h = at_hand(u)
         if h ~= nil and h.address ~= 0 and dim >= 1 and dim <= h.dims and first >= 1 and size >= 1
            and first + size - 1 <= h.size[dim - 1] then
            local dims = h.dims
            local made, known = view(u, h, kind, (first - 1) * tonumber(h.stride[dim - 1]), dims)
            for d = 0, dims - 1 do known.size[d], known.stride[d] = h.size[d], h.stride[d] end
            known.size[dim - 1] = size
            return made
         end
      end
      barrier()
      return narrow(u, dim, first, size, ...)
   end
   function method.select(u, dim, at, ...)
      if getmetatable(u) == mt and select('#', ...) == 0 and whole(dim, at) then
         local h = at_hand(u)
         if h ~= nil and h.address ~= 0 and dim >= 1 and dim <= h.dims and at >= 1 and at <= h.size[dim - 1] then
            local dims, offset = h.dims - 1, (at - 1) * tonumber(h.stride[dim - 1])
            if dims > 0 then
               local made, known = view(u, h, kind, offset, dims)
               for d = 0, dims - 1 do
                  local from = d < dim - 1 and d or d + 1
                  known.size[d], known.stride[d] = h.size[from], h.stride[from]
               end
               return made
            elseif pointer then
               local value = read(h.address, offset)
               return value
            end
         end
      end
      barrier()
      return select_one(u, dim, at, ...)
   end
   if pointer and headers.has_array(kind) then method.index = index_method(mt, pointer, kind) end
   if headers.refit then method.resizeAs = resize_method(mt) end
   tensor.fast[mt] = method
end

-- Complete the metatable of a type of tensor. `pointer_type` is nil where Lua cannot read its elements.
function access.tensors(mt, pointer_type, prototype)
   local pointer, read, kind = pointer_type and ffi.typeof(pointer_type), tensor.read[mt], tensor.kinds[mt]
   local narrowed = tensor.narrowed[mt]

   -- any k
   local function get(u, k)
      if type(k) ~= 'number' and type(k) ~= 'table' then
         if k ~= nil and selects(k) then return tensor_index(u, k) end
         return nil
      end
      local h, left = header(u), {}
      local n, offset = locate(h, k, left)
      if n > 0 then return part(u, h, kind, n, offset, left) end
      if pointer and h.address ~= 0 then return read(h.address, offset) end
      return raw(host.element, handle_of[u], offset)
   end

   local function set(u, k, v)
      if type(v) == 'string' then v = tonumber(v) or v end
      if type(k) ~= 'number' and type(k) ~= 'table' then
         if k == nil or not selects(k) then refuse_field(mt) end
         tensor_newindex(u, k, v)
         return
      end
      local h, left = header(u), {}
      local n, offset = locate(h, k, left)
      if n == 0 and type(v) == 'number' and pointer and h.address ~= 0 then
         cast(pointer, h.address)[offset] = narrowed and narrowed(v) or v
      else
         assign(u, n, offset, left, v)
      end
   end

   if ffi then known_methods(mt, pointer, kind) end
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
         local value = read(h.address, at)
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
            cast(pointer, h.address)[at] = narrowed and narrowed(v) or v
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
         if type(k) == 'number' then return storage_index(u, k) end
         return nil
      end
      mt.__newindex = function(u, k, v)
         if type(k) ~= 'number' then refuse_field(mt) end
         storage_newindex(u, k, v)
      end
      return
   end

   local pointer, read = ffi.typeof(pointer_type), tensor.read[mt]
   local narrowed = tensor.narrowed[mt]

   mt.__index = function(u, k)
      if type(k) == 'string' then return mt[k] end
      if type(k) == 'number' then
         local h = header(u)
         local at = element_at(h, k)
         if at then
            local value = read(h.address, at)
            return value
         end
         barrier()
         return storage_index(u, k)
      end
      return nil
   end

   mt.__newindex = function(u, k, v)
      if type(k) == 'number' and type(v) == 'number' then
         local h = header(u)
         local at = element_at(h, k)
         if at then
            cast(pointer, h.address)[at] = narrowed and narrowed(v) or v
            return
         end
      end
      if type(k) ~= 'number' then refuse_field(mt) end
      barrier()
      storage_newindex(u, k, v)
   end

   warm_up(mt, prototype, ffi.new('int64_t[1]'))
end

return access
