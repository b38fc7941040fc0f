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

local type, select, error, unpack, pcall, rawequal, tostring = type, select, error, unpack, pcall, rawequal, tostring
local gmatch, gsub, find, match, sub = string.gmatch, string.gsub, string.find, string.match, string.sub
local concat, traceback = table.concat, debug.traceback
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
   host.drop()
   collectgarbage()
   flush()
   host.collected()
end
core.collect = collect

local owner = newproxy(true)
core.owner = owner
getmetatable(owner).__gc = bury

-- Let a Lua table stand for a handle; the table's death gives the reference back. A negative one says a collection is due.
local function own(t, handle)
   if handle < 0 then
      handle = -handle
      collect()
   end
   local u = newproxy(owner)
   handle_of[u] = handle
   owner_of[t] = u
   handle_of[t] = handle
   stand_in[handle] = t
   return handle
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

local references, nreferences = {}, 0   -- number -> Lua value that Python holds: functions, tables, thrown values
core.references = references

-- Keep a value until Python lets go of its number.
function core.refer(value)
   nreferences = nreferences + 1
   references[nreferences] = value
   return nreferences
end

function core.referred(number) return references[number] end

-- What no pcall of a program stops: `os.exit`, and a Python exception that ends more than a program (KeyboardInterrupt,
-- SystemExit), which Python keeps meanwhile. `text` has the position in the script where it was met.
local EXIT = setmetatable({}, {__tostring = function() return 'os.exit' end})
local UNWIND = setmetatable({text = ''}, {__tostring = function() return 'interrupted' end})
core.EXIT, core.UNWIND = EXIT, UNWIND

local function is_final(err) return rawequal(err, EXIT) or rawequal(err, UNWIND) end
core.is_final = is_final

local OURS = '=[torch7py]'

local create, resume, running, status = coroutine.create, coroutine.resume, coroutine.running, coroutine.status
local places = setmetatable({}, {__mode = 'k'})   -- thread of `on_a_new_stack` -> the script's position outside of it

-- 'file.lua:LINE: ' of the script's innermost frame.
local function position()
   for level = 2, 100000 do
      local info = getinfo(level, 'Sl')
      if not info then break end
      if info.currentline > 0 and string.sub(info.source, 1, #OURS) ~= OURS then
         return info.short_src .. ':' .. info.currentline .. ': '
      end
   end
   -- a tail call has removed the frame, or it is in the stack that this one was begun from
   return places[running() or 0] or core.script and core.script .. ': ' or ''
end
core.position = position

-- Raise an error of ours as if the script's line had raised it.
local function fail(format, ...)
   error(position() .. (select('#', ...) > 0 and string.format(format, ...) or format), 0)
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

-- What a script sees of an error: in the place of a Python exception a text, or the Lua value that it carries.
local function seen(err)
   if type(err) ~= 'userdata' or handle_of[err] then return err end
   local number, message, ends_all = host.describe_error(err)
   if number then return references[number] end
   if message == nil then return err end   -- a userdata of the script's
   if ends_all then
      UNWIND.text = position() .. message
      return UNWIND
   end
   return position() .. message
end
core.seen = seen

-- Raise again what a call into Python raised.
local function rethrow(err) error(seen(err), 0) end
core.rethrow = rethrow

-- What an error value says, whatever it is. `type_name` is set by the chunk that knows classes.
core.type_name = type
local function text_of(err)
   if type(err) == 'string' then return err end
   local shown
   if type(err) == 'table' and getmetatable(err) then
      local ok, text = pcall(tostring, err)
      shown = ok and type(text) == 'string' and text
   end
   return 'error object: ' .. (shown or 'a ' .. core.type_name(err))
end

-- What LuaJIT says without a place.
local BARE = {['stack overflow'] = true, ['C stack overflow'] = true, ['not enough memory'] = true, ["invalid key to 'next'"] = true}

-- coroutine.wrap puts a place of its own before the one that an error has: the script's is enough.
local OUR_PLACES = '%[torch7py%] [^:]*:%d+: '
local function without_ours(err)
   local before, inside = match(err, '^(.-:%d+: )(%[torch7py%] .*)')
   return before and before .. (gsub(inside, OUR_PLACES, '')) or err
end

-- An error with the script's place, not one in these files or none. After a tail call there may be no frame of the
-- script's: then the place in these files is better than none.
local function placed(err)
   if type(err) ~= 'string' then return err end
   if BARE[err] then return position() .. err end
   if sub(err, 1, #OURS - 1) ~= sub(OURS, 2) then return without_ours(err) end
   local at = position()
   return at == '' and err or at .. (gsub(err, OUR_PLACES, ''))
end
core.placed = placed

-- The handler of calls from Python: an error with what it says, from where, and the Lua stack without the bridge's frames.
local Caught = {}
local function catch(err)
   err = seen(err)
   if is_final(err) or getmetatable(err) == Caught then return err end
   local text = placed(text_of(err))
   if type(err) ~= 'string' then text = position() .. text end
   local lines, n = {}, 0
   for line in gmatch(traceback('', 2), '[^\n]+') do
      if not find(line, '[torch7py]', 1, true) and not find(line, '[C]:', 1, true) then
         n = n + 1
         lines[n] = line
      end
   end
   return setmetatable({value = err, text = text, stack = concat(lines, '\n')}, Caught)
end
core.catch = catch

-- What Python is told of an error that a call from it met: see `read_answer` in calls.py.
function core.tell(err)
   err = seen(err)
   if rawequal(err, UNWIND) then return false, 0, UNWIND.text, '' end
   if getmetatable(err) == Caught then return false, core.refer(err.value), err.text, err.stack end
   return false, core.refer(err), without_ours(text_of(err)), ''  -- where the handler found no room
end

return core
