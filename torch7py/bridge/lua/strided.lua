-- Few elements that do not lie in one piece: copied to memory where they do, and back.
--
-- Loaded anew for each type of element, so that LuaJIT compiles the loops for this type alone.
--
-- Arguments: headers, read (a pointer's number at a place), the C type of an element, its bytes. Result: the functions below, and
-- `scratch`, four arrays for as many elements as a small tensor has.

local headers, read, element, bytes = ...
local ffi = require 'ffi'
local cast, tonumber, floor, loadstring = ffi.cast, tonumber, math.floor, loadstring
local count_dense, same_size = headers.count_dense, headers.same_size
local pointer, array = ffi.typeof('$*', element), ffi.typeof('$[?]', element)
local strided = {scratch = {}}

local memory = array(4 * headers.small)
strided.memory = memory   -- pointers keep nothing
for i = 1, 4 do strided.scratch[i] = memory + (i - 1) * headers.small end

-- How many elements a tensor has that Lua can reach, else 0.
function strided.count(h)
   local dims = h.dims
   if dims == 0 or h.address == 0 then return 0 end
   local n = 1
   for d = 0, dims - 1 do n = n * tonumber(h.size[d]) end
   return n
end

-- A function that goes over the n elements of a header's tensor, row by row: `row * columns + c` is an element's number, from 0, and
-- `first + c * step` its place.
local function traversing(arguments, body)
   return loadstring([[
local read, floor, tonumber = ...
return function(h, n, ]] .. arguments .. [[)
   local last = h.dims - 1
   local columns, step = tonumber(h.size[last]), tonumber(h.stride[last])
   for row = 0, n / columns - 1 do
      local first, rest = 0, row
      for d = last - 1, 0, -1 do
         local size = tonumber(h.size[d])
         local above = floor(rest / size)
         first = first + (rest - above * size) * tonumber(h.stride[d])
         rest = above
      end
      for c = 0, columns - 1 do ]] .. body .. [[ end
   end
end]], '=[torch7py] strided')(read, floor, tonumber)
end

local gather = traversing('from, to', 'to[row * columns + c] = read(from, first + c * step)')
local scatter = traversing('from, to', 'to[first + c * step] = read(from, row * columns + c)')

-- A pointer to the n elements in a row: where they lie, or copied to `spare`.
function strided.place(h, n, spare)
   local p = cast(pointer, h.address)
   if count_dense(h) == n then return p end
   gather(h, n, p, spare)
   return spare
end

-- Put n elements that were computed at a pointer where they belong, if that is elsewhere.
function strided.settle(h, n, p)
   local home = cast(pointer, h.address)
   if p ~= home or count_dense(h) ~= n then scatter(h, n, p, home) end
end

-- Whether no two elements share a place: each stride leads beyond what the shorter ones reach.
function strided.is_injective(h)
   for d = 0, h.dims - 1 do
      if h.size[d] ~= 1 then
         local stride, reach = h.stride[d], 0
         for k = 0, h.dims - 1 do
            if k ~= d and h.size[k] ~= 1 and (h.stride[k] < stride or h.stride[k] == stride and k > d) then
               reach = reach + h.stride[k] * (h.size[k] - 1)
            end
         end
         if stride <= reach then return false end
      end
   end
   return true
end

local function reach(h)
   local most = 1
   for d = 0, h.dims - 1 do most = most + tonumber(h.stride[d]) * (tonumber(h.size[d]) - 1) end
   return most * bytes
end

-- Whether elements of `g` are what they were when they are read, although those of `h` are written in their order. `in_order`: each
-- element is read just before its result is written, where `g` is dense.
function strided.is_apart(h, g, in_order)
   local from, to = tonumber(h.address), tonumber(g.address)
   if from + reach(h) <= to or to + reach(g) <= from then return true end
   if from == to and same_size(h, g) then
      local is_same = true
      for d = 0, h.dims - 1 do is_same = is_same and (h.size[d] == 1 or h.stride[d] == g.stride[d]) end
      if is_same then return true end
   end
   return in_order and count_dense(g) ~= nil
end

return strided
