-- What of Python stands in Lua, and its errors.
--
-- A Python object is in Lua a userdata or a table that stands for a handle, an integer. This chunk makes and
-- finds these stand-ins, and turns what goes wrong in Python into a Lua error with the script's file and line; values.lua
-- encodes arguments and decodes results, calls.lua has calls. None of them knows a layer or an operation.
--
-- Arguments: host, a table of Python functions. Result: the table `core` that the other chunks use.

local host = ...
local core = {
   native_load = loadstring,   -- Lua's own, before a script's takes the name
   endings = {},               -- what packages do when a program has come to its end
}

local type, select, error, unpack = type, select, error, unpack
local setmetatable, getmetatable, newproxy = setmetatable, getmetatable, newproxy
local getinfo, collectgarbage, rawget = debug.getinfo, collectgarbage, rawget

-- Kinds, as in handles.Kind. A handle's kind is its remainder by 64; its remainder by 32 leaves out whether the type
-- is a CUDA type.
local TABLE = 17
local BARE = {['nil'] = 24, boolean = 25, number = 26, string = 27, table = 28, ['function'] = 29,
              userdata = 30, cdata = 30, thread = 30}
core.BARE = BARE

---------------------------------------------------------------------------------------------------------
-- Stand-ins

local handle_of = setmetatable({}, {__mode = 'k'})  -- userdata or table -> handle
local stand_in = setmetatable({}, {__mode = 'v'})   -- handle -> userdata or table
local owner_of = setmetatable({}, {__mode = 'k'})   -- table -> the userdata whose death releases its handle
core.handle_of, core.stand_in = handle_of, stand_in

local dead = {n = 0}                                -- handles with one reference to give back
local BATCH = 200

local function flush()
   local batch = dead
   dead = {n = 0}   -- one step: a finalizer that runs meanwhile writes to the one or to the other
   for first = 1, batch.n, BATCH do
      host.release(unpack(batch, first, first + BATCH - 1 < batch.n and first + BATCH - 1 or batch.n))
   end
end
core.flush = flush

-- A finalizer runs wherever the collector happens to be: it only takes a note.
local function bury(u)
   local handle = rawget(handle_of, u)
   if handle then
      local n = dead.n + 1
      dead.n = n
      dead[n] = handle
   end
end
core.bury = bury

-- A Python function that may move storages, as Lua must call it: see header.lua, which sets `hand_over`.
core.hand_over = function() end
function core.moving(f)
   return function(...)
      core.hand_over()
      return f(...)
   end
end

local function collect()
   collectgarbage()
   flush()
   host.collected()
end
core.collect = collect

local owner = newproxy(true)
getmetatable(owner).__gc = bury

-- Let a Lua table stand for a handle; the table's death gives the reference back.
local function own(t, handle)
   local u = newproxy(owner)
   handle_of[u] = handle
   owner_of[t] = u
   handle_of[t] = handle
   stand_in[handle] = t
end
core.own = own

local prototypes = {}   -- kind -> prototype userdata, for tensors and storages
core.prototypes = prototypes

local make = {}         -- kind -> function(handle), for everything else: set by the chunks that know it
core.make = make

-- The stand-in of a handle that carries one reference for us. A negative one says a collection is due.
local function wrap(handle)
   if handle < 0 then
      handle = -handle
      collect()
   end
   local known = stand_in[handle]
   local kind = handle % 64
   if known ~= nil then
      local n = dead.n + 1
      dead.n = n
      dead[n] = handle
      if n >= BATCH then flush() end
      if kind == TABLE then core.refresh(known, handle) end
      return known
   end
   if dead.n >= BATCH then flush() end
   local prototype = prototypes[kind]
   if prototype then
      local u = newproxy(prototype)
      handle_of[u] = handle
      stand_in[handle] = u
      return u
   end
   return make[kind](handle)
end
core.wrap = wrap

---------------------------------------------------------------------------------------------------------
-- Errors

local thrown, nthrown = {}, 0   -- Lua error values on their way through Python

local function keep_thrown(value)
   nthrown = nthrown + 1
   thrown[nthrown] = value
   return nthrown
end
core.keep_thrown = keep_thrown

local OURS = '=[torch7py]'

local create, resume, running, status = coroutine.create, coroutine.resume, coroutine.running, coroutine.status
local places = setmetatable({}, {__mode = 'k'})   -- thread of `on_a_new_stack` -> the script's position outside of it

-- 'file.lua:LINE: ' of the script's innermost frame.
local function position()
   for level = 2, 100000 do
      local info = getinfo(level, 'Sl')
      if not info then break end
      if info.currentline > 0 and info.source:sub(1, #OURS) ~= OURS then
         return info.short_src .. ':' .. info.currentline .. ': '
      end
   end
   -- a tail call has removed the frame, or it is in the stack that this one was begun from
   return places[running() or 0] or core.script and core.script .. ': ' or ''
end
core.position = position

-- Raise an error of ours as if the script's line had raised it.
local function fail(format, ...)
   error(position() .. (select('#', ...) > 0 and format:format(...) or format), 0)
end
core.fail = fail

local function results(thread, ok, ...)
   if not ok then error((...), 0) end
   if status(thread) ~= 'dead' then fail('attempt to yield from within deeply nested objects') end
   return ...
end

-- Call a function on a Lua stack of its own. One stack has room for some thousand levels of tables within tables, which
-- the nodes of a graph reach: who goes into such calls this every `core.LEVELS` levels.
function core.on_a_new_stack(f, ...)
   local thread = create(f)
   places[thread] = position()
   return results(thread, resume(thread, ...))
end
core.LEVELS = 150

-- Raise again what a call into Python raised.
local function rethrow(err)
   if type(err) == 'userdata' then
      local number, message = host.describe_error(err)
      if number then
         local value = thrown[number]
         thrown[number] = nil
         error(value, 0)
      end
      error(position() .. message, 0)
   end
   error(err, 0)
end
core.rethrow = rethrow

return core
