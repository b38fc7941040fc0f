-- Elementwise operations on tensors of any size without leaving Lua.
--
-- An operation may name the numpy function that does the same to every element (`vector` in ops/registry.py). Where the
-- tensors follow each other in memory without gaps, and a tensor for the result is there, the loop under that function is
-- called from here, by FFI. PyTorch's own takes 1.05 to 1.4 times as long, and the way to it 20 us, for after eight million
-- bytes nothing of Lua, Python and PyTorch is in the processor's cache any more. The result is the same to the last bit.
--
-- Arguments: core, host, config, headers, tensor.
-- Result: {method = f(name, method, metatable), func = f(name, function): the same, with the short way added; and what
-- routines.lua uses too}.

local core, host, config, headers, tensor = ...
local vectors = {}

local getmetatable, select, type, tonumber, ipairs, floor = getmetatable, select, type, tonumber, ipairs, math.floor
local next, rawset = next, rawset
local ffi = config.shared and require 'ffi' or nil
if not ffi then
   return {method = function(_, f) return f end, func = function(_, f) return f end}
end

local LARGE = 4096         -- elements from which on a header is worth a call of Python each time
local SHARED = 32768       -- elements from which on PyTorch has several threads do an operation, if it has several
local FILLED = 4096        -- bytes that are filled with a number before they are copied on
local BYTE = 6             -- the kind of a ByteTensor
local FLOATING = 1         -- the kinds of double and float are 0 and this
local THREADS = 19         -- where Python writes how many threads PyTorch has

local at_hand, count_dense, cache, header_of = headers.at_hand, headers.count_dense, headers.cache, headers.of
local shared, raw, cast, copy, fill = headers.shared, core.raw, ffi.cast, ffi.copy, ffi.fill
local handle_of, wrap = core.handle_of, core.wrap

local bytes = ffi.typeof('char*')
local loop_type = ffi.typeof('int (*)(void*, char**, const intptr_t*, const intptr_t*, void*)')
local pointer_type = ffi.typeof('void*')
local data, strides, count = ffi.new('char*[3]'), ffi.new('intptr_t[3]'), ffi.new('intptr_t[1]')

---------------------------------------------------------------------------------------------------------
-- Types of elements, by metatable: {kind, size, box = an element, round = f(number) -> whether the box has it now}

local function round_whole(box, low, high)
   return function(v)
      if not (v >= low and v <= high) or floor(v) ~= v then return false end
      box[0] = v
      return true
   end
end

local types = {}
for _, t in ipairs(config.types) do
   local name, code, ctype, size = t[1], t[2], t[3], t[4]
   if name ~= 'Half' then
      local box, round = ffi.new(ctype .. '[1]'), nil
      if name == 'Double' then
         round = function(v)
            box[0] = v
            return v == v
         end
      elseif name == 'Float' then
         round = function(v)
            box[0] = v
            local rounded = tonumber(box[0])
            return rounded - rounded == 0
         end
      elseif name == 'Byte' then
         round = round_whole(box, 0, 255)
      else
         local bits = size < 8 and 8 * size - 1 or 53
         round = round_whole(box, -2 ^ bits, 2 ^ bits - 1)
      end
      types[tensor.metatables['torch.' .. name .. 'Tensor']] = {
         kind = code, size = size, box = box, round = round, array = ffi.typeof('$[?]', ffi.typeof(ctype)),
      }
   end
end
local byte_tensor = tensor.metatables['torch.ByteTensor']

---------------------------------------------------------------------------------------------------------
-- Operations: name -> {update | inplace | query = true, none | number | tensor = numpy's function, zero = whether a
-- number may be 0, floating = of floating numbers only, loops = those found}

local known = {}
for _, entry in ipairs(config.vectors) do
   local name, form, shape, vector, zero = entry[1], entry[2], entry[3], entry[4], entry[5]
   local operation = known[name] or {zero = true, floating = entry[6], loops = {}}
   known[name], operation[form], operation[shape] = operation, true, vector
   if not zero then operation.zero = false end
end

-- {call, context, with} of numpy's for one of the shapes, or false
local function find(operation, shape, t)
   local key = shape .. t.kind
   local found = operation.loops[key]
   if found == nil then
      found = false
      local call, context, with
      if t.kind <= FLOATING or not operation.floating then
         call, context, with = raw(host.numpy_loop, operation[shape], t.kind)
      end
      if call then
         found = {cast(loop_type, call), cast(pointer_type, context), cast(pointer_type, with)}
      end
      operation.loops[key] = found
   end
   return found
end

-- A tensor's header, and how many elements it has if they follow each other. Of a large tensor it is brought up to date
-- each time; how large one is, is found out when it is wanted for the second time.
local function dense(u)
   local h = cache[u]
   if h ~= nil and h.epoch ~= shared[0] and
      (h.epoch < 0 and h.missed ~= 0 or h.dims > 0 and (count_dense(h) or 0) >= LARGE) then
      h = header_of(u)
   else
      h = at_hand(u)
   end
   if h == nil or h.dims == 0 then return nil end
   return h, count_dense(h)
end

local function same_sizes(h, g)
   if h.dims ~= g.dims then return false end
   for d = 0, h.dims - 1 do
      if h.size[d] ~= g.size[d] then return false end
   end
   return true
end

-- Whether n elements each of two tensors are the same memory or have none in common.
local function apart(h, size, g, other_size, n)
   if h.address == g.address then return size == other_size end
   return h.address + n * size <= g.address or g.address + n * other_size <= h.address
end

local function fill_with(address, n, t)
   local block = n * t.size < FILLED and n or FILLED / t.size
   local first, value = t.array(block), t.box[0]
   for i = 0, block - 1 do first[i] = value end
   local at, all = cast(bytes, address), n * t.size
   for place = 0, all - 1, FILLED do
      local rest = all - place
      copy(at + place, first, rest < FILLED and rest or FILLED)
   end
end

-- The shape of a call by its second operand, and the second operand's header where that is a tensor; nil where it is not
-- one for us. `t` gets a number into its box.
local function second_operand(operation, mt, t, n, y)
   local sort = type(y)
   if sort == 'nil' then return operation.none and 'none' end
   if sort == 'number' then
      return operation.number and t.round(y) and (y ~= 0 or operation.zero) and 'number'
   end
   if sort ~= 'userdata' or not operation.tensor or getmetatable(y) ~= mt then return nil end
   local g, m = dense(y)
   return m == n and 'tensor', g
end

-- Whether PyTorch would have several threads do it.
local function is_shared_out(n) return n >= SHARED and shared[THREADS] > 1 end

local function run(found, t, n, x, shape, y, target, result_size)
   local first, size = 0, t.size
   data[0], strides[0], count[0] = cast(bytes, x), size, n
   if shape == 'reversed' then
      data[0], strides[0], data[1], strides[1] = cast(bytes, t.box), 0, data[0], size
      first = 1
   elseif shape == 'number' then
      data[1], strides[1] = cast(bytes, t.box), 0
      first = 1
   elseif shape == 'tensor' then
      data[1], strides[1] = cast(bytes, y), size
      first = 1
   end
   data[first + 1], strides[first + 1] = cast(bytes, target), result_size
   found[1](found[2], data, count, strides, found[3])
end

-- Let `r` take what the operation makes of `x` and `y`, a tensor, a number or nil. False where nothing was done.
local function into(operation, r, x, y)
   local mt = getmetatable(x)
   local t = types[mt]
   if not t or getmetatable(r) ~= (operation.query and byte_tensor or mt) then return false end
   local h, n = dense(x)
   if not n or is_shared_out(n) then return false end
   local shape, g = second_operand(operation, mt, t, n, y)
   if not shape then return false end
   local size, result_size, target = t.size, operation.query and 1 or t.size, h
   if r ~= x then
      local m
      target, m = dense(r)
      if m ~= n or not same_sizes(h, target) or not apart(target, result_size, h, size, n) then return false end
   elseif operation.query then
      return false
   end
   if shape == 'tensor' and not apart(target, result_size, g, size, n) then return false end

   local vector = operation[shape]
   if vector == 'copy' then
      if g.address ~= target.address then copy(cast(bytes, target.address), cast(bytes, g.address), n * size) end
   elseif vector == 'fill' then
      fill_with(target.address, n, t)
   elseif vector == 'zero' then
      fill(cast(bytes, target.address), n * size)
   else
      local found = find(operation, shape, t)
      if not found then return false end
      run(found, t, n, h.address, shape, g and g.address, target.address, result_size)
   end
   return true
end

-- The same as a new tensor, of a large one; nil where nothing was done. `reversed`: `y` is a number and comes first.
local function made(operation, x, y, reversed)
   local mt = getmetatable(x)
   local t = types[mt]
   if not t then return nil end
   local h, n = dense(x)
   if not n or n < LARGE or is_shared_out(n) then return nil end
   local shape, g = second_operand(operation, mt, t, n, y)
   if not shape then return nil end
   local found = find(operation, reversed and 'reversed' or shape, t)
   if not found then return nil end
   local kind = operation.query and BYTE or t.kind
   local handle, address = raw(host.new_like, handle_of[x], kind)
   local u, k = wrap(handle), headers.new()
   k.epoch, k.address, k.kind, k.dims = shared[0], address, kind, h.dims
   for d = 0, h.dims - 1 do k.size[d], k.stride[d] = h.size[d], h.stride[d] end
   cache[u] = k
   run(found, t, n, h.address, reversed and 'reversed' or shape, g and g.address, address, operation.query and 1 or t.size)
   return u
end

---------------------------------------------------------------------------------------------------------

-- x:op(...): UPDATE x:op(y), x:op(src, y), and of one operand x:op(), x:op(src); INPLACE x:op(y); QUERY x:op(src, y).
function vectors.method(name, method, mt)
   local operation = known[name]
   if not operation or not types[mt] then return method end
   local update, query, alone = operation.update, operation.query, operation.none
   return function(x, a, b, ...)
      if select('#', ...) == 0 then
         local done = false
         if query then
            done = b ~= nil and type(a) == 'userdata' and into(operation, x, a, b)
         elseif b ~= nil then
            done = update and type(a) == 'userdata' and into(operation, x, a, b)
         elseif alone and update and a ~= nil then
            done = type(a) == 'userdata' and into(operation, x, a)
         else
            done = into(operation, x, x, a)
         end
         if done then return x end
      end
      return method(x, a, b, ...)
   end
end

-- torch.op(r, src, y), and of one operand torch.op(r, src); as a new tensor
-- torch.op(src, y) and torch.op(src).
function vectors.func(name, f)
   local operation = known[name]
   if not operation or operation.inplace then return f end
   local alone = operation.none
   return function(r, a, b, ...)
      if select('#', ...) == 0 and type(r) == 'userdata' then
         if alone and b == nil or not alone and b ~= nil then
            if type(a) == 'userdata' and into(operation, r, a, b) then return r end
            if a == nil and not operation.inplace then
               local u = made(operation, r)
               if u ~= nil then return u end
            end
         elseif b == nil and a ~= nil and not alone then
            local u = made(operation, r, a)
            if u ~= nil then return u end
         end
      end
      return f(r, a, b, ...)
   end
end

-- An operator, of two tensors or of a tensor and a number; Lua hands the operand of a sign over twice.
function vectors.operator(name, f)
   local operation = known[name]
   if not operation then return f end
   local alone = operation.none
   return function(a, b)
      local u
      if type(a) == 'userdata' then
         if alone then u = made(operation, a) else u = made(operation, a, b) end
      elseif operation.reversed and type(a) == 'number' then
         u = made(operation, b, a, true)
      end
      if u ~= nil then return u end
      return f(a, b)
   end
end

for mt in next, types do
   for name in next, known do
      if string.sub(name, 1, 2) == '__' then rawset(mt, name, vectors.operator(name, mt[name])) end
   end
end

vectors.types, vectors.dense, vectors.same_sizes, vectors.apart, vectors.is_shared_out =
   types, dense, same_sizes, apart, is_shared_out

return vectors
