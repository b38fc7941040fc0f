-- Modules that were saved or are to be: their fields, the engine's and those that the script added.
--
-- Arguments: core, host, module. Adds to the table `module`.

local core, host, module = ...

local type, next, pcall, rawget, rawset, getmetatable = type, next, pcall, rawget, rawset, getmetatable
local handle_of, stand_in, own, finish = core.handle_of, core.stand_in, core.own, core.finish
local peers, methods, walking = module.peers, module.methods, module.walking
local native, peer, set_field, is_plain_table = peers.native, peers.peer, peers.set_field, peers.is_plain_table
local walk = walking.walk

-- Before its fields are read: an object of a built-in class gets a peer whose constructor has not run.
function module.prepare(m)
   local c = getmetatable(m)
   local info = type(m) == 'table' and handle_of[m] == nil and native(c)
   if info then own(m, host.new_blank(info.key, c.__typename)) end
end

local function is_module(value)
   if type(value) ~= 'table' then return false end
   local c = getmetatable(value)
   return c ~= nil and native(c) and true or false
end

-- The name of the built-in class that a module is of or descends from.
function module.builtin_name(m) return (string.match(native(getmetatable(m)).key, '^[^@]+')) end

-- Whether a module is saved without those of its fields that cannot be.
function module.skips_unwritable(m) return native(getmetatable(m)).skips_unwritable end

-- Take over the fields of a saved object. What the engine does not know stays in Lua.
function module.restore(m, saved, version)
   module.prepare(m)
   local handle, info = handle_of[m], native(getmetatable(m))
   local names = {}
   for key in next, saved do
      if type(key) == 'string' then names[#names + 1] = key end
   end
   core.raw(host.begin_restore, handle, version or 1, (core.pass(names)))
   local later = {}
   for key, value in next, saved do
      if info.fields[key] then later[#later + 1] = key else rawset(m, key, value) end
   end
   methods.new_entry()
   walk(m)
   local function turn(key)   -- modules, on which others may rest, come first, and gradients after their parameters
      if is_module(saved[key]) then return 0 end
      return string.find(key, '^grad%u') and 2 or 1
   end
   table.sort(later, function(a, b)
      local x, y = turn(a), turn(b)
      if x ~= y then return x < y end
      return a < b
   end)
   local from_file = walking.restoring(m)
   for i = 1, #later do
      local key = later[i]
      if is_plain_table(saved[key]) then from_file[key] = true end
      set_field(m, key, saved[key])
   end
   core.raw(host.end_restore, handle)
   peers.fields_changed()
end

-- What the engine knows of a module to save: names in order, and values by name.
function module.saved_fields(m)
   local handle = peer(m)
   local found = {names = {core.raw(host.saved_names, handle)}}
   for i = 1, #found.names do
      local name = found.names[i]
      if rawget(m, name) == nil then
         local value = finish(pcall(host.field_to_save, handle, name))
         if value == nil then value = finish(pcall(host.saved_value, handle, name)) end
         found[name] = value
      end
   end
   return found
end

-- The fields that the script added to a module, by name; a function as what is saved of it.
function module.own_fields(handle)
   local m, own = stand_in[handle], {}
   if m == nil then return own end
   local engine, info = module.engine_fields(m), native(getmetatable(m))
   local there = info.known_there or {}
   if info.complete then
      walk(m)
      info.complete(m)
   end
   for key, value in next, m do
      if not engine[key] and not there[key] and key ~= module.COMPANIONS then
         own[key] = type(value) == 'function' and module.saved_function(value) or value
      end
   end
   return own
end

-- The children of a module changed while it ran.
function module.show_children(handle)
   local m = stand_in[handle]
   if m == nil then return end
   walking.adopt(m)
   walk(m)
end

-- The modules among the fields that the script added to a module, in plain tables there too.
function module.own_modules(handle)
   local m, found, seen = stand_in[handle], {}, {}
   if m == nil then return found end
   local function look(value)
      if type(value) ~= 'table' or seen[value] then return end
      seen[value] = true
      if is_module(value) then
         found[#found + 1] = value
      elseif getmetatable(value) == nil then
         for _, item in next, value do look(item) end
      end
   end
   local engine = module.engine_fields(m)
   for key, value in next, m do
      if not engine[key] and key ~= module.COMPANIONS then look(value) end
   end
   for i = 1, #found do walk(found[i]) end
   return found
end
