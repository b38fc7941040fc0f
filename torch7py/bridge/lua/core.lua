-- Values and calls between Lua and Python.
--
-- A Python object is in Lua a userdata or a table that stands for a handle, an integer. This chunk makes and
-- finds these stand-ins, encodes arguments, decodes results, and turns what goes wrong in Python into a Lua
-- error with the script's file and line. It knows no layer and no operation.
--
-- Arguments: host, a table of Python functions. Result: the table `core` that the other chunks use.

local host = ...
local core = {native_load = loadstring}   -- Lua's own, before a script's takes the name

local type, select, pcall, error, unpack, next = type, select, pcall, error, unpack, next
local setmetatable, getmetatable, newproxy, tostring = setmetatable, getmetatable, newproxy, tostring
local getinfo, collectgarbage, rawget, rawset = debug.getinfo, collectgarbage, rawget, rawset

-- Kinds, as in handles.Kind. A handle's kind is its remainder by 64; its remainder by 32 leaves out whether the type
-- is a CUDA type.
local MODULE, TABLE, OBJECT = 16, 17, 18
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

local refresh           -- brings a table up to what its Python list holds

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
      if kind == TABLE then refresh(known, handle) end
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

-- 'file.lua:LINE: ' of the script's innermost frame.
local function position()
   for level = 2, 1000 do
      local info = getinfo(level, 'Sl')
      if not info then break end
      if info.currentline > 0 and info.source:sub(1, #OURS) ~= OURS then
         return info.short_src .. ':' .. info.currentline .. ': '
      end
   end
   -- a tail call has removed the frame
   return core.script and core.script .. ': ' or ''
end
core.position = position

-- Raise an error of ours as if the script's line had raised it.
local function fail(format, ...)
   error(position() .. (select('#', ...) > 0 and format:format(...) or format), 0)
end
core.fail = fail

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

---------------------------------------------------------------------------------------------------------
-- Values out of Lua: the value to pass, and whether it is a handle

local references = {}      -- number -> Lua function that Python may call
local nreferences = 0

-- Keep a value until Python lets go of its number.
function core.refer(value)
   nreferences = nreferences + 1
   references[nreferences] = value
   return nreferences
end

function core.referred(number) return references[number] end

-- A handle for a function or table that stays in Lua, good for one call.
local function pass_reference(value, is_table)
   local made, dropped = host.new_reference(core.refer(value), is_table)
   if dropped then references[dropped] = nil end
   return made
end

-- lupa hands over whole numbers as ints, which have no -0: that one goes as a Python object.
local NEGATIVE_ZERO = host.negative_zero
core.NEGATIVE_ZERO = NEGATIVE_ZERO

local pass
local GROUP = 50           -- table entries passed in one call

local maps = setmetatable({}, {__mode = 'k'})   -- table -> whether Python has a dict for it, not a list

-- Give a table a list or dict in Python.
local function give_table(t, map)
   local handle = host.new_table(map)
   own(t, handle)
   maps[t] = map
   return handle
end

local function is_map(t, handle)
   local map = maps[t]
   if map == nil then
      map = host.is_map(handle)
      maps[t] = map
   end
   return map
end

-- The entries 1..n of a table of a few, for one call: how many are handles, as a mask, and the values.
local function pass_few(t, n)
   local values, mask = {}, 0
   for i = 1, n do
      local value, is_handle = pass(t[i])
      values[i] = value
      if is_handle then mask = mask + 2 ^ (i - 1) end
   end
   return mask, values
end

-- Make or fill the Python list behind a table with the table's entries 1..n.
local function pass_array(handle, t, n)
   if n <= GROUP then
      local mask, values = pass_few(t, n)
      handle = handle_of[t]   -- the table may be among its own entries
      if handle == nil then
         own(t, host.new_list(mask, unpack(values, 1, n)))
         maps[t] = false
      else
         host.fill_list(handle, mask, unpack(values, 1, n))
      end
      return
   end
   if handle == nil then handle = give_table(t, false) end
   host.start_list(handle, n)
   local at = 1
   while at <= n do
      local last = at + GROUP - 1
      if last > n then last = n end
      local values, mask = {}, 0
      for i = at, last do
         local value, is_handle = pass(t[i])
         values[i - at + 1] = value
         if is_handle then mask = mask + 2 ^ (i - at) end
      end
      host.extend_list(handle, mask, unpack(values, 1, last - at + 1))
      at = last + 1
   end
end

local function pass_map(handle, t)
   if handle == nil then handle = give_table(t, true) end
   host.start_map(handle)
   for key, value in next, t do
      local k, k_is = pass(key)
      local v, v_is = pass(value)
      host.set_entry(handle, (k_is and 1 or 0) + (v_is and 2 or 0), k, v)
   end
end

local active = {}   -- tables being passed, against cycles

local function pass_table(t)
   local handle = handle_of[t]
   if active[t] then return handle or give_table(t, false), true end
   local n = #t
   local map = next(t, n > 0 and n or nil) ~= nil
   if handle ~= nil and is_map(t, handle) ~= map then handle = give_table(t, map) end
   active[t] = true
   local ok, err = pcall(map and pass_map or pass_array, handle, t, n)
   active[t] = nil
   if not ok then error(err, 0) end
   return handle_of[t], true
end

function pass(value)
   local kind = type(value)
   if kind == 'nil' or kind == 'string' or kind == 'boolean' then return value, false end
   if kind == 'number' then return value == 0 and 1 / value < 0 and NEGATIVE_ZERO or value, false end
   local handle = handle_of[value]
   if handle then
      if handle % 32 == TABLE then return pass_table(value) end
      return handle, true
   end
   if kind == 'table' then
      local mt = getmetatable(value)
      if mt and mt.__torch7py_peer then return mt.__torch7py_peer(value), true end
      return pass_table(value)
   end
   if kind == 'function' then return pass_reference(value, false), true end
   if kind == 'cdata' and tonumber(value) then return tonumber(value), false end
   fail('a %s cannot be passed to this function', kind)
end
core.pass = pass

-- mask, values... of some arguments
local function pass_all(...)
   local n = select('#', ...)
   if n == 0 then return 0 end
   if n == 1 then
      local value, is_handle = pass((...))
      return is_handle and 1 or 0, value
   end
   if n == 2 then
      local a, b = ...
      local x, x_is = pass(a)
      local y, y_is = pass(b)
      return (x_is and 1 or 0) + (y_is and 2 or 0), x, y
   end
   local values, mask = {...}, 0
   for i = 1, n do
      local value, is_handle = pass(values[i])
      values[i] = value
      if is_handle then mask = mask + 2 ^ (i - 1) end
   end
   return mask, unpack(values, 1, n)
end
core.pass_all = pass_all

---------------------------------------------------------------------------------------------------------
-- Values into Lua

local function read(mask, ...)
   if mask == 0 then return ... end
   local n = select('#', ...)
   if n == 1 then return wrap((...)) end
   local values = {...}
   for i = 1, n do
      if mask % 2 == 1 then values[i] = wrap(values[i]) end
      mask = (mask - mask % 2) / 2
   end
   return unpack(values, 1, n)
end
core.read = read

local function put_entries(t, at, mask, ...)
   for i = 1, select('#', ...) do
      local value = select(i, ...)
      if mask % 2 == 1 then value = wrap(value) end
      mask = (mask - mask % 2) / 2
      t[at + i - 1] = value
   end
end

-- The first entries, of a list of n; those that the table has beyond go.
local function put_list(t, n, ...)
   for i = #t, n + 1, -1 do t[i] = nil end
   put_entries(t, 1, ...)
   return n
end

function refresh(t, handle)
   if active[t] then return end
   active[t] = true
   if is_map(t, handle) then
      local seen = {}
      for number = 1, host.map_size(handle) do
         local mask, key, value = host.map_entry(handle, number)
         if mask % 2 == 1 then key = wrap(key) end
         if mask >= 2 then value = wrap(value) end
         t[key] = value
         seen[key] = true
      end
      for key in next, t do
         if not seen[key] then t[key] = nil end
      end
   else
      local n = put_list(t, host.whole_list(handle, GROUP))
      for at = GROUP + 1, n, GROUP do
         put_entries(t, at, host.list_part(handle, at, GROUP))
      end
   end
   active[t] = nil
end

make[TABLE] = function(handle)
   local t = {}
   own(t, handle)
   refresh(t, handle)
   return t
end
core.refresh = refresh

---------------------------------------------------------------------------------------------------------
-- Calls

local function finish(ok, mask, ...)
   if not ok then rethrow(mask) end
   return read(mask, ...)
end
core.finish = finish

-- Call a Python function of the convention f(mask, values...) -> mask, values...
function core.call(f, ...)
   return finish(pcall(core.moving(f), pass_all(...)))
end

local function plainly(ok, ...)
   if not ok then rethrow((...)) end
   return ...
end

-- Call a Python function that takes and returns plain values (handles are numbers to it).
function core.raw(f, ...)
   return plainly(pcall(f, ...))
end

-- Values for a call, those at the numbers `stay` as references to the script's own tables.
local function pass_some(stay, ...)
   local n = select('#', ...)
   local values, mask = {...}, 0
   for i = 1, n do
      local value, is_handle = values[i], true
      if stay[i] and type(value) == 'table' then
         value = pass_reference(value, true)
      else
         value, is_handle = pass(value)
      end
      values[i] = value
      if is_handle then mask = mask + 2 ^ (i - 1) end
   end
   return mask, unpack(values, 1, n)
end

core.pass_some = pass_some

-- A Lua function for a Python function of the convention f(mask, values...) -> mask, values... Tables among the
-- arguments are copied and afterwards as Python leaves them, but for those at the numbers in the set `stay`:
-- these Python reads and writes where they are.
function core.bind(f, stay)
   f, stay = core.moving(f), stay or {}
   local function done(...)
      core.advance()
      return finish(...)
   end
   return function(...)
      local n = select('#', ...)
      local tables
      for i = 1, n do
         local value = select(i, ...)
         if type(value) == 'table' and not stay[i] and (handle_of[value] == nil or handle_of[value] % 32 == TABLE) then
            tables = tables or {}
            tables[#tables + 1] = value
         end
      end
      if not tables then return done(pcall(f, pass_some(stay, ...))) end
      local function settle(...)
         for i = 1, #tables do
            if handle_of[tables[i]] then refresh(tables[i], handle_of[tables[i]]) end
         end
         return ...
      end
      return settle(done(pcall(f, pass_some(stay, ...))))
   end
end

-- Calls from Python. They return true, mask, values... or false, number of the thrown value, its text.
local function answer(ok, ...)
   core.hand_over()
   if not ok then
      local err = ...
      return false, keep_thrown(err), type(err) == 'string' and err or tostring(err)
   end
   return true, pass_all(...)
end

local function call_reference(number, mask, ...)
   return references[number](read(mask, ...))
end

core.answer = answer

-- Python reads and writes a table that stays in Lua.
local function get(number, key) return references[number][key] end

local function pick(number, ...)
   local t, keys = references[number], {...}
   local n = #keys
   for i = 1, n do keys[i] = t[keys[i]] end
   return unpack(keys, 1, n)
end

local function set(number, key, mask, ...) references[number][key] = (read(mask, ...)) end

function core.table_get(...) return answer(pcall(get, ...)) end
function core.table_pick(...) return answer(pcall(pick, ...)) end
function core.table_set(...) return answer(pcall(set, ...)) end

function core.table_keys(number)
   local keys = {}
   for key in next, references[number] do
      if type(key) == 'string' then keys[#keys + 1] = key end
   end
   table.sort(keys)
   return answer(true, keys)
end

function core.call_function(number, mask, ...)
   return answer(pcall(call_reference, number, mask, ...))
end

-- Set by the chunk that knows modules: hand over what the script did before Python goes on.
core.settle = function() end

-- Set by the same chunk: take over what Python did before Lua goes on.
core.catch_up = function() end

local function settled(...)
   core.settle()
   return ...
end

local function call_member(handle, name, mask, ...)
   core.catch_up()
   local object = wrap(handle)
   return settled(object[name](object, read(mask, ...)))
end

function core.call_method(handle, name, mask, ...)
   return answer(pcall(call_member, handle, name, mask, ...))
end

return core
