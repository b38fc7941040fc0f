-- Where the elements of tensors and storages are, as Lua knows it; and the tensors that Lua makes itself.
--
-- A header is what Lua reads and writes elements by: address, sizes, strides. Python fills it in, and it holds
-- for one epoch: whatever may move a storage begins a new one. Without FFI, or for a tensor of too many dimensions, a
-- header is a table, made anew each time, and its address 0.
--
-- With FFI Lua makes two sorts of tensor without Python, its *own*: small results, with elements in memory of
-- Lua's, and views of tensors whose memory it knows. They are headers alone, without a handle, until something
-- looks one up in `handle_of`: then Python gets a tensor of its own (and the elements of a small result move
-- there), and nobody sees a difference. A view hangs loosely on its base only until the epoch ends: before storages
-- may move (`hand_over`), it is tied to an *anchor*, a second tensor on the same memory which no script can aim
-- elsewhere.
--
-- Arguments: core, host, config {shared = address or nil}. `shared` is an array of int64 that Python writes:
-- [0] epoch, [1] address, [2] dimensions, [3..] sizes, strides.
-- Result: {of = f(userdata), small, barrier, advance, bytes_of, tie = f() to be called before storages move, and with FFI: at_hand,
-- cache, shared, new, count_dense, same_size, view, fresh, refit, has_array}.

local core, host, config = ...
local headers = {}

local select, tonumber, pcall, unpack, next, type, ipairs = select, tonumber, pcall, unpack, next, type, ipairs
local setmetatable, getmetatable, newproxy, rawget, rawset = setmetatable, getmetatable, newproxy, rawget, rawset
local handle_of, stand_in, prototypes, raw, rethrow, fail =
   core.handle_of, core.stand_in, core.prototypes, core.raw, core.rethrow, core.fail

local ffi = config.shared and require 'ffi' or nil
local MAX_DIMS = 8   -- what a header has room for
local CUDA = 32      -- kinds from here on are of CUDA types
local SMALL = 256    -- elements up to which a loop of LuaJIT's beats a call of PyTorch

-- LuaJIT gives up for good on a function in which its recorder keeps failing, and on every loop that calls it.
-- At a C function that it does not know it ends a trace in good order instead. One is called before what it
-- cannot compile, so that the fast ways through the same function stay fast. See also warm_up in access.lua.
local barrier = coroutine.running

local function read_geometry(dims, ...)
   local h = {dims = dims, address = 0, size = {}, stride = {}}
   for i = 0, dims - 1 do
      h.size[i], h.stride[i] = select(2 * i + 1, ...)
   end
   return h
end

local function from_python(u) return read_geometry(raw(host.geometry, handle_of[u])) end

headers.of, headers.small, headers.barrier, headers.bytes_of = from_python, SMALL, barrier, {}
function headers.advance() end
function headers.tie() end
if not ffi then return headers end

---------------------------------------------------------------------------------------------------------
-- Headers

pcall(ffi.cdef, [[
   typedef struct {
      int64_t epoch; int64_t address; int32_t dims; int32_t kind; int64_t size[8]; int64_t stride[8];
      int64_t missed;  /* the epoch in which it was wanted though out of date */
      int64_t offset;  /* of a view of Lua's: how far from its base it starts, in elements */
   } torch7py_header;
]])
local shared = ffi.cast('int64_t*', config.shared)
core.epoch = ffi.cast('int32_t*', config.shared)     -- [0]: the same epoch as a number of Lua's, to compare for equality
local cache = setmetatable({}, {__mode = 'k'})       -- tensor or storage -> header
local new_header = ffi.typeof('torch7py_header')
local intptr = ffi.typeof('intptr_t')

local memory_of = setmetatable({}, {__mode = 'k'})   -- a small result of Lua's -> its elements, a C array
local loose = setmetatable({}, {__mode = 'k'})       -- a view of Lua's -> the tensor whose memory it is in
local tied = setmetatable({}, {__mode = 'k'})        -- the same from an earlier epoch -> its anchor
local nloose = 0                                     -- how many became loose in this epoch
local bytes_of = headers.bytes_of                                  -- kind -> size of an element, set where a type is declared

-- The header of a tensor or storage, brought up to date.
local header
function header(u)
   local h = cache[u]
   if h == nil then
      h = new_header()
      h.epoch = -1
      cache[u] = h
   end
   if h.epoch ~= shared[0] then
      barrier()
      if memory_of[u] ~= nil then
         h.epoch = shared[0]   -- nothing that Python does can move it
         return h
      end
      local anchor = tied[u]
      if anchor ~= nil then
         h.address, h.epoch = header(anchor).address + h.offset * bytes_of[h.kind], shared[0]
         return h
      end
      local ok, err = pcall(host.header, handle_of[u])
      if not ok then rethrow(err) end
      h.address = shared[1]
      h.dims = tonumber(shared[2])
      if h.dims > MAX_DIMS then return from_python(u) end
      for i = 0, h.dims - 1 do
         h.size[i] = shared[3 + i]
         h.stride[i] = shared[11 + i]
      end
      h.epoch = shared[0]
   end
   return h
end

-- The header, or nil where it is out of date and wanted for the first time in this epoch: where storages move
-- all the time, fetching it costs more than it saves.
local function header_at_hand(u)
   local h = cache[u]
   if h ~= nil and h.epoch == shared[0] then return h end
   if h == nil then
      h = new_header()
      h.epoch = -1
      cache[u] = h
   end
   if h.missed ~= shared[0] and memory_of[u] == nil then
      h.missed = shared[0]
      return nil
   end
   return header(u)
end

-- How many elements a header's tensor has when each follows the other, otherwise nil.
local function count_dense(h)
   if h.address == 0 then return nil end
   local n = 1
   for d = h.dims - 1, 0, -1 do
      local size = tonumber(h.size[d])
      if size ~= 1 and h.stride[d] ~= n then return nil end
      n = n * size
   end
   return n
end

-- Whether two headers are of the same sizes.
local function same_size(h, g)
   if h.dims ~= g.dims then return false end
   for d = 0, h.dims - 1 do
      if h.size[d] ~= g.size[d] then return false end
   end
   return true
end

---------------------------------------------------------------------------------------------------------
-- Tensors of Lua's own

-- The number of a type of tensor (a handle's remainder by 64) -> a C array of its elements
local arrays = {}
for _, t in ipairs(config.types) do
   if t[1] ~= 'Half' then arrays[t[2]] = ffi.typeof(t[3] .. '[?]') end
end

-- A new tensor of n zeros, and its header. Its sizes are those of the header `like`; without one it is a vector, of no numbers
-- empty.
local function fresh(kind, n, like)
   local u, memory, h = newproxy(prototypes[kind]), arrays[kind](n), new_header()
   h.epoch, h.kind, h.address = shared[0], kind, ffi.cast(intptr, memory)
   if like then
      local dims, step = like.dims, 1
      h.dims = dims
      for d = dims - 1, 0, -1 do
         h.size[d], h.stride[d] = like.size[d], step
         step = step * like.size[d]
      end
   else
      h.dims, h.size[0], h.stride[0] = n > 0 and 1 or 0, n, 1
   end
   cache[u], memory_of[u] = h, memory
   return u, h
end

-- Give a tensor of Lua's own, of `n` numbers or none, the sizes of the header `like`. Returns whether that was possible: not for
-- other tensors, and not where numbers would have to stay.
local function refit(u, n, like)
   if memory_of[u] == nil then return false end
   local h = cache[u]
   local held = h.dims > 0 and 1 or 0
   for d = 0, h.dims - 1 do held = held * tonumber(h.size[d]) end
   if held ~= n then
      if held > 0 then return false end
      local memory = arrays[h.kind](n)
      memory_of[u], h.address = memory, ffi.cast(intptr, memory)
   end
   local step = 1
   h.dims, h.epoch = like.dims, shared[0]
   for d = like.dims - 1, 0, -1 do
      h.size[d], h.stride[d] = like.size[d], step
      step = step * like.size[d]
   end
   return true
end

-- A new tensor in the memory of `base`, whose header is `h`: `offset` elements from its start, of `dims` dimensions.
-- Their sizes and strides are the caller's to fill in, in the header, the second result.
local function view(base, h, kind, offset, dims)
   if memory_of[base] ~= nil then local _ = handle_of[base] end   -- its elements find their last place
   local u, made = newproxy(prototypes[kind]), new_header()
   made.epoch, made.kind, made.dims, made.address = shared[0], kind, dims, h.address + offset * bytes_of[kind]
   cache[u] = made
   local anchor = tied[base]
   if anchor ~= nil then
      made.offset = h.offset + offset
      tied[u] = anchor
      return u, made
   end
   local below = loose[base]
   if below ~= nil then
      base, offset = below, h.offset + offset
   end
   made.offset = offset
   loose[u] = base
   nloose = nloose + 1
   return u, made
end

---------------------------------------------------------------------------------------------------------
-- Handing them over

local function keep_handle(u, handle)
   rawset(handle_of, u, handle)
   stand_in[handle] = u
   return handle
end

local function give_memory(u)
   local h, sizes = cache[u], {}
   for d = 0, h.dims - 1 do sizes[d + 1] = tonumber(h.size[d]) end
   local handle, address = raw(host.adopt, h.kind, tonumber(h.address), unpack(sizes))
   h.address = address
   memory_of[u] = nil
   return keep_handle(u, handle)
end

local function give_view(u, base)
   local h = cache[u]
   if h.epoch ~= shared[0] and loose[u] ~= nil then
      fail('a view was not kept up to date; this is an error in torch7py')
   end
   local below, offset, handle = handle_of[base], tonumber(h.offset), nil
   if h.dims == 1 and h.kind < CUDA then
      handle = raw(host.view1, below, offset, tonumber(h.size[0]), tonumber(h.stride[0]))
   elseif h.dims == 2 and h.kind < CUDA then
      handle = raw(host.view2, below, offset, tonumber(h.size[0]), tonumber(h.stride[0]), tonumber(h.size[1]),
                   tonumber(h.stride[1]))
   else
      local shape = {}
      for d = 0, h.dims - 1 do
         shape[2 * d + 1], shape[2 * d + 2] = tonumber(h.size[d]), tonumber(h.stride[d])
      end
      handle = raw(h.kind < CUDA and host.view or host.cuda_view, below, offset, unpack(shape))
   end
   loose[u], tied[u] = nil, nil
   return keep_handle(u, handle)
end

-- What handle_of says of a value that has no handle yet.
getmetatable(handle_of).__index = function(_, u)
   if type(u) ~= 'userdata' then return nil end
   local base = loose[u] or tied[u]
   if base ~= nil then
      barrier()
      return give_view(u, base)
   end
   if memory_of[u] ~= nil then
      barrier()
      return give_memory(u)
   end
end

-- A second tensor on the same memory, which stays where it is when the first goes elsewhere.
local function anchor_for(base)
   local handle = raw(host.alias, handle_of[base])
   local u = newproxy(prototypes[handle % 64])
   rawset(handle_of, u, handle)
   return u
end

local function hand_over()
   if nloose == 0 then return end
   nloose = 0
   local anchors, views = {}, loose
   loose = setmetatable({}, {__mode = 'k'})
   for u, base in next, views do
      local anchor = anchors[base]
      if anchor == nil then
         anchor = anchor_for(base)
         anchors[base] = anchor
      end
      tied[u] = anchor
   end
end
core.hand_over, headers.tie = hand_over, hand_over

---------------------------------------------------------------------------------------------------------

headers.of, headers.at_hand, headers.cache, headers.new, headers.shared = header, header_at_hand, cache, new_header, shared
headers.count_dense, headers.view, headers.fresh, headers.refit, headers.same_size = count_dense, view, fresh, refit, same_size
headers.has_array = function(kind) return arrays[kind] ~= nil end
function headers.advance() shared[0] = shared[0] + 1 end

return headers
