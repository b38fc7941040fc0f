-- Short vectors in place without leaving Lua.
--
-- An operation may say what it does to an element as an expression (`loop` in ops/registry.py): `x` is the
-- element, `v` the number of the call, `y` the element of its tensor. On a DoubleTensor of few elements, whose
-- memory is at hand, a loop made of that expression takes 0.1 us where a call of PyTorch takes 1.3. The result
-- is the same to the last bit: these are single additions and multiplications of doubles.
--
-- Arguments: config, tensor. Result: f(name, method) -> the method for DoubleTensors.

local config, tensor = ...

local getmetatable, select, type, loadstring = getmetatable, select, type, loadstring
local ffi = config.shared and require 'ffi' or nil
local LIMIT = 32   -- elements; beyond this PyTorch's vector code wins

local loops = {}   -- name -> {none = f, number = f, tensor = f}
if ffi then
   for _, entry in ipairs(config.loops) do
      local name, shape, expression = entry[1], entry[2], entry[3]
      local body = expression:gsub('%f[%a]([xy])%f[%A]', '%1[i]')
      loops[name] = loops[name] or {}
      loops[name][shape] = loadstring(
         ('return function(x, n, v, y) for i = 0, n - 1 do x[i] = %s end end'):format(body), '=[torch7py] loop')()
   end
end

local header, header_of, new_header, shared = tensor.header, tensor.header_of, tensor.new_header, tensor.shared
local cast, pointer = ffi and ffi.cast, ffi and ffi.typeof('double*')

-- The header of a short dense vector, or nil. A header out of date is fetched only when it is wanted a second
-- time in the same epoch: where storages move all the time, fetching would cost more than it saves.
local function short_vector(u)
   local h = header_of[u]
   if h == nil or h.epoch ~= shared[0] then
      if h == nil then
         h = new_header()
         h.epoch = -1
         header_of[u] = h
      end
      if h.missed ~= shared[0] then
         h.missed = shared[0]
         return nil
      end
      h = header(u)
   end
   if h.dims == 1 and h.address ~= 0 and h.size[0] <= LIMIT and (h.stride[0] == 1 or h.size[0] == 1) then
      return h
   end
   return nil
end

return function(name, method)
   local made = loops[name]
   if not made then return method end
   local none, number, both = made.none, made.number, made.tensor
   local mt = tensor.metatables['torch.DoubleTensor']
   return function(x, a, ...)
      if select('#', ...) == 0 and getmetatable(x) == mt then
         local kind = type(a)
         if kind == 'number' and number or kind == 'nil' and none then
            local h = short_vector(x)
            if h ~= nil then
               (kind == 'number' and number or none)(cast(pointer, h.address), tonumber(h.size[0]), a)
               return x
            end
         elseif both and kind == 'userdata' and getmetatable(a) == mt then
            local h, g = short_vector(x), short_vector(a)
            if h ~= nil and g ~= nil and h.size[0] == g.size[0] then
               both(cast(pointer, h.address), tonumber(h.size[0]), nil, cast(pointer, g.address))
               return x
            end
         end
      end
      return method(x, a, ...)
   end
end
