-- The Python peers of modules, and the fields that they own.
--
-- A module in Lua is a table with the class as metatable; the script's own fields are raw in it. Fields of the engine
-- (`weight`, `output`, `train`, ...) live in the peer and are reached through __index and __newindex (module.lua); those
-- that hold tables are raw in Lua too, where they count.
--
-- Arguments: core, host, class. Result: the table `peers`.

local core, host, class = ...
local peers = {}

local type, next, pcall, rawget, rawset = type, next, pcall, rawget, rawset
local setmetatable, getmetatable = setmetatable, getmetatable
local handle_of, pass, own, finish = core.handle_of, core.pass, core.own, core.finish
local rethrow, fail = core.rethrow, core.fail

local TABLE = 17

-- class table -> {key, fields = set, links = {...}, methods = {name -> pristine function}, container = bool}
-- for the built-in classes; Lua classes find their nearest built-in ancestor's.
local native_of = {}
local nearest = setmetatable({}, {__mode = 'k'})

local function native(c)
   if c == nil then return false end      -- what has no class: a class without a parent among them
   local info = nearest[c]
   if info == nil then
      local at = c
      while at do
         info = native_of[at]
         if info then break end
         at = getmetatable(at)
      end
      info = info or false
      nearest[c] = info
   end
   return info
end
peers.native = native

-- What is known of a class that is itself a built-in one, else nil.
function peers.own_info(c) return native_of[c] end

-- Let `info` describe a built-in class.
function peers.describe(c, info)
   native_of[c] = info
   for known in next, nearest do nearest[known] = nil end
end

-- The built-in classes that descend from a class.
function peers.heirs(c)
   local found = {}
   for heir in next, native_of do
      local at = heir
      while at and at ~= c do at = getmetatable(at) end
      if at and heir ~= c then found[#found + 1] = heir end
   end
   return found
end

local RESULTS = {output = true, gradInput = true}
local table_fields = setmetatable({}, {__mode = 'k'})   -- module -> {name = handle}: engine fields raw in Lua
peers.table_fields = table_fields
local set_field, give_field

-- The handle of a module, its peer made now if the class's __init never called the parent's.
local function peer(m)
   local handle = handle_of[m]
   if handle then return handle end
   local c = getmetatable(m)
   local info = native(c)
   if not info then fail('%s is not a module', class.type(m)) end
   handle = own(m, host.new_peer(info.key, c.__typename))
   host.without_constructor(handle)
   -- what was set before there was a peer; a walk finds the modules in links
   for name in next, info.fields do
      local value = rawget(m, name)
      if value ~= nil and not info.link_set[name] then
         rawset(m, name, nil)
         set_field(m, name, value)
      elseif RESULTS[name] and c[name] ~= nil then   -- which the class has for all its objects
         give_field(handle, name, c[name])
      end
   end
   host.fill_absent(handle)
   return handle
end
peers.peer = peer

-- Calls into Python that have not returned, and the modules with new table fields meanwhile: `shared` those of which both
-- languages may write them within the call, `scripts` those that compute in Lua.
peers.depth, peers.fresh = 0, {shared = {}, scripts = {}}

-- Announcements of what a walk would find changed. Those of classes are counted; those of a module, of one of the fields
-- in `telling` or of its table fields, end the records of walks that met it (records.lua).
peers.changes, peers.telling = 0, {modules = true}
function peers.changed() peers.changes = peers.changes + 1 end
function peers.changed_in(m) end

local function keep_table_field(m, name, value)
   rawset(m, name, value)
   local fields = table_fields[m]
   if not fields then
      fields = {}
      table_fields[m] = fields
   end
   if not fields[name] then
      peers.changed_in(m)
      if peers.depth > 0 then
         local list = peers.computes_in_lua(m) and peers.fresh.scripts or peers.fresh.shared
         list[#list + 1] = m
      end
   end
   fields[name] = 0   -- the handle of the table that Python has, once it has been handed over or taken
end

peers.keep_table_field = keep_table_field

-- What fields a script has read and may read again without Python: as long as the epoch lasts, in which nothing of Python's
-- has run that could change a field (header.lua), and none of the module's fields was set.
local epoch, unannounced = core.epoch, 0
local seen = setmetatable({}, {__mode = 'k'})          -- module -> {values by name, as of the epoch and of `unannounced`}
local WEAK_VALUES = {__mode = 'v'}

-- Fields may be others now, though no call into Python went through a module's method.
-- How often a script has set a field that says what a module is to do. Its layers set the others in each pass.
peers.settings = 0
function peers.fields_changed() unannounced = unannounced + 1 end
function peers.unannounced() return unannounced end
function peers.tell_numbers(m) end                     -- set by the chunks that compute some (small_steps.lua, step_programs.lua)
function peers.keep_output(m, value) return false end  -- set by small_steps.lua, as is the next
function peers.forget_output(m) end

-- What is to be told, by a field `unsettled`, that a field of a module was set.
local listeners = setmetatable({}, {__mode = 'k'})   -- module -> set of those
function peers.listen(handle, listener)
   local m = core.stand_in[handle]
   if m == nil then return end
   listeners[m] = listeners[m] or setmetatable({}, {__mode = 'k'})
   listeners[m][listener] = true
end

local NONE = {}
function peers.listeners(m) return listeners[m] or NONE end

function give_field(handle, name, value)
   if not RESULTS[name] then peers.settings = peers.settings + 1 end
   local m = core.stand_in[handle]
   local known = m ~= nil and seen[m]
   if known and RESULTS[name] then
      known.values[name] = nil
   elseif known then
      seen[m] = nil
   end
   local list = m ~= nil and listeners[m]
   if list then
      for listener in next, list do listener.unsettled = true end
   end
   local payload, is_handle = pass(value)
   local ok, err = pcall(host.set_field, handle, name, is_handle and 1 or 0, payload)
   if not ok then rethrow(err) end
end
peers.give_field = give_field

local function is_plain_table(value)
   if type(value) ~= 'table' or core.is_object(value) then return false end
   local handle = handle_of[value]
   return handle == nil or handle % 32 == TABLE
end
peers.is_plain_table = is_plain_table

local function get_field(m, handle, name)
   peers.tell_numbers(m)
   local fields = table_fields[m]
   if fields and fields[name] and rawget(m, name) == nil then   -- the script has taken the table away
      fields[name] = nil
      give_field(handle, name, nil)
   end
   local value = finish(pcall(host.read_field, handle, name))
   if is_plain_table(value) then keep_table_field(m, name, value) end
   return value
end
peers.get_field = get_field

-- The same for a script that may ask for one field many times.
function peers.read_field(m, handle, name)
   local known = seen[m]
   if known and known.epoch == epoch[0] and known.unannounced == unannounced then
      local value = known.values[name]
      if value ~= nil then return value end
   else
      known = {values = setmetatable({}, WEAK_VALUES), epoch = epoch[0], unannounced = unannounced}
      seen[m] = known
   end
   local value = get_field(m, handle, name)
   if type(value) ~= 'table' then known.values[name] = value end
   return value
end

-- A field has this value now, which Lua has computed.
function peers.know_field(m, name, value)
   local known = seen[m]
   if not known or known.epoch ~= epoch[0] or known.unannounced ~= unannounced then
      known = {values = setmetatable({}, WEAK_VALUES), epoch = epoch[0], unannounced = unannounced}
      seen[m] = known
   end
   known.values[name] = value
end

if not epoch then   -- without FFI epochs are not counted
   peers.read_field = get_field
   function peers.know_field() end
end

-- Fields may be others now without a word.
function peers.forget_fields(m) seen[m] = nil end

function set_field(m, name, value)
   local handle = peer(m)
   if name == 'output' then
      if type(value) == 'userdata' and peers.keep_output(m, value) then return end
      peers.forget_output(m)
   end
   local is_table = is_plain_table(value)
   if is_table then keep_table_field(m, name, value) end
   give_field(handle, name, value)
   local fields = table_fields[m]
   if fields then fields[name] = is_table and handle_of[value] or nil end
   if type(value) == 'userdata' and RESULTS[name] then peers.know_field(m, name, value) end
end
peers.set_field = set_field

return peers
