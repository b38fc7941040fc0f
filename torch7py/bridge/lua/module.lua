-- Modules in Lua: a table with the class as metatable, and a Python peer that owns the engine's fields.
--
-- The script's own fields are raw in the table. Fields of the engine (`weight`, `output`, `train`, ...) live in
-- the peer and are reached through __index and __newindex; those that hold tables are raw in Lua, where they
-- count. Before a call into Python the tree below the module is walked: changed children and table fields are
-- handed over, and Lua methods that appeared or went are told to the peers, so that Python containers call them.
--
-- Arguments: core, host, class. Result: the table `module`.

local core, host, class = ...
local module = {}

local type, select, next, pcall, error, rawget, rawset = type, select, next, pcall, error, rawget, rawset
local setmetatable, getmetatable, unpack = setmetatable, getmetatable, unpack
local handle_of, stand_in, wrap, pass, own, finish = core.handle_of, core.stand_in, core.wrap, core.pass, core.own, core.finish
local pass_all, rethrow, fail = core.pass_all, core.rethrow, core.fail

local MODULE, TABLE = 16, 17
local initialize = core.moving(host.initialize)

-- class table -> {key, fields = set, links = {...}, methods = {name -> pristine function}, container = bool}
-- for the built-in classes; Lua classes find their nearest built-in ancestor's.
local native_of = {}
local nearest = setmetatable({}, {__mode = 'k'})

local function native(c)
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

---------------------------------------------------------------------------------------------------------
-- Peers

local table_fields = setmetatable({}, {__mode = 'k'})   -- module -> {name = true}: engine fields raw in Lua
local restored = setmetatable({}, {__mode = 'k'})       -- module -> {name = true}: those that a file put there
local set_field

-- The handle of a module, its peer made now if the class's __init never called the parent's.
local function peer(m)
   local handle = handle_of[m]
   if handle then return handle end
   local c = getmetatable(m)
   local info = native(c)
   if not info then fail('%s is not a module', class.type(m)) end
   handle = host.new_peer(info.key, c.__typename)
   own(m, handle)
   -- what was set before there was a peer
   for name in next, info.fields do
      local value = rawget(m, name)
      if value ~= nil then
         rawset(m, name, nil)
         set_field(m, name, value)
      end
   end
   return handle
end

local depth, fresh = 0, {}     -- calls into Python that have not returned; modules with new table fields meanwhile

-- Counts what a walk would find changed, of the changes that are announced: new fields of modules, and classes.
-- `telling` are the names of fields that it looks at.
local changes, telling = 0, {modules = true}
local function changed() changes = changes + 1 end

local function keep_table_field(m, name, value)
   rawset(m, name, value)
   local fields = table_fields[m]
   if not fields then
      fields = {}
      table_fields[m] = fields
   end
   if not fields[name] then
      changed()
      if depth > 0 then fresh[#fresh + 1] = m end
   end
   fields[name] = true
end

local function give_field(handle, name, value)
   local payload, is_handle = pass(value)
   local ok, err = pcall(host.set_field, handle, name, is_handle and 1 or 0, payload)
   if not ok then rethrow(err) end
end

local function is_plain_table(value)
   if type(value) ~= 'table' then return false end
   local handle = handle_of[value]
   return handle == nil or handle % 32 == TABLE
end

local function get_field(m, handle, name)
   local value = finish(pcall(host.get_field, handle, name))
   if is_plain_table(value) then keep_table_field(m, name, value) end
   return value
end

function set_field(m, name, value)
   local handle = peer(m)
   if is_plain_table(value) then keep_table_field(m, name, value) end
   give_field(handle, name, value)
end

---------------------------------------------------------------------------------------------------------
-- Before and after a call into Python

-- What Python has now, by handle: a weak table must not hold modules, or those in cycles would never go.
local mirrored = setmetatable({}, {__mode = 'k'})      -- module -> handles of its children
local linked = setmetatable({}, {__mode = 'k'})        -- module -> {link name = handle}
local marked = setmetatable({}, {__mode = 'k'})        -- module -> string of the methods marked on its peer
local virtual, virtual_set = {}, {}                    -- names of the methods Python may call on a child

-- Methods of a package in the place of a class's own, which are to Python what those were: they give more to scripts.
local vouched = setmetatable({}, {__mode = 'k'})
function module.vouch(f)
   vouched[f] = true
   changed()
end

-- The virtual methods that Lua defines for a class, found once per entry: a script may change them any time.
local entry = 0
local class_entry, class_methods = setmetatable({}, {__mode = 'k'}), setmetatable({}, {__mode = 'k'})

local function lua_methods(c, info)
   if class_entry[c] == entry then return class_methods[c] end
   local pristine, found = info.all_methods, nil
   for i = 1, #virtual do
      local name = virtual[i]
      local f = c[name]
      if f ~= pristine[name] and f ~= nil and not vouched[f] then found = (found and found .. ' ' or '') .. name end
   end
   class_entry[c], class_methods[c] = entry, found
   return found
end

-- Tell the peer which of its methods Lua has now; returns whether the module has one in itself.
local function mark(m, c, info)
   local found, own = lua_methods(c, info), false
   for key, value in next, m do
      if virtual_set[key] then
         if type(value) == 'function' then found = (found and found .. ' ' or '') .. key end
         own = true
      end
   end
   if marked[m] ~= found then
      host.mark(peer(m), found or '')
      marked[m] = found
   end
   return own
end

-- Of a tree that has not changed from one entry to the next a record is kept, so that the next needs to look at little:
-- at what is not announced. That is methods written into a class that has them (`levels`, each class and those it
-- descends from), and lists of modules, which are plain tables (`watched`, the modules with a list and those with
-- anything else to be seen to each time). Records hold modules weakly, or those in cycles would never go.
local records = setmetatable({}, {__mode = 'k'})
local recording                -- the record that is being made
local WEAK = {__mode = 'v'}
local expected, polled = setmetatable({}, {__mode = 'k'}), setmetatable({}, {__mode = 'k'})

-- Announce methods that a script has put into a class since the last entry.
local function poll(c)
   if polled[c] == entry then return end
   polled[c] = entry
   local known = expected[c]
   if not known then
      known = {}
      expected[c] = known
      for i = 1, #virtual do known[virtual[i]] = rawget(c, virtual[i]) end
      return
   end
   for i = 1, #virtual do
      local name = virtual[i]
      local f = rawget(c, name)
      if f ~= known[name] then
         known[name] = f
         changed()
      end
   end
end

local function record(m, c, info, own, fields, list)
   if info.links[1] or info.lists[1] then recording.bad = true end
   local at = c
   while at and not recording.classes[at] do
      recording.classes[at] = true
      recording.levels[#recording.levels + 1] = at
      poll(at)
      at = getmetatable(at)
   end
   if own or fields or rawget(m, 'modules') ~= nil or info.on_walk then
      local n = recording.n + 1
      recording.n = n
      recording.watched[n] = m
      local kids = false
      if list then
         kids = setmetatable({}, WEAK)
         for i = 1, #list do kids[i] = list[i] end
         recording.counts[n] = #list
      end
      recording.kids[n] = kids
   end
end

local function same_list(list, kids, count)
   if type(list) ~= 'table' then return not kids end
   if not kids or #list ~= count then return false end
   for i = 1, count do
      if list[i] ~= kids[i] then return false end
   end
   return true
end

-- Whether the tree of a record is as it was.
local function unchanged(r)
   local levels = r.levels
   for i = 1, #levels do poll(levels[i]) end
   if r.changes ~= changes then return false end
   local watched, kids, counts = r.watched, r.kids, r.counts
   for i = 1, r.n do
      local m = watched[i]
      if m == nil or not same_list(rawget(m, 'modules'), kids[i], counts[i]) then return false end
   end
   return true
end

local walk

-- What a package does for the modules of a class and its heirs: `walk(m, walk)` whenever they are walked,
-- `complete(m)` before all their fields are shown or saved. `known` has the names of fields in Lua of which Python
-- has the content in a form of its own.
function module.watch(c, on_walk, complete, known)
   local info = native(c)
   info.on_walk, info.complete, info.known_there = on_walk, complete, known
   changed()
end

local function walk_children(m, list)
   local known = mirrored[m]
   local n = #list
   local same = known == nil and n == 0 or known ~= nil and #known == n
   for i = 1, n do
      local child = list[i]
      walk(child)
      if same and known[i] ~= handle_of[child] then same = false end
   end
   if not same then
      local copy, handles = {}, {}
      for i = 1, n do
         copy[i] = list[i]
         handles[i] = handle_of[list[i]] or 0
      end
      local ok, err = pcall(host.set_children, peer(m), (pass(copy)))
      if not ok then rethrow(err) end
      mirrored[m] = handles
   end
end

-- Hand over what the script did to the table fields of a module.
local function push(m, fields)
   for name in next, fields do
      local value = rawget(m, name)
      if type(value) ~= 'table' then
         fields[name] = nil
         rawset(m, name, nil)
      end
      give_field(handle_of[m], name, value)
   end
end

-- Fill them with what Python has put there.
local function pull(m, fields)
   local from_file = restored[m]
   for name in next, fields do
      local value
      if from_file and from_file[name] then
         from_file[name] = nil   -- it was there to be saved unchanged; Python has it now
      else
         value = finish(pcall(host.get_field, handle_of[m], name))
      end
      if type(value) == 'table' and handle_of[value] % 32 == TABLE then
         rawset(m, name, value)
      else
         fields[name] = nil
         rawset(m, name, nil)
      end
   end
end

local touched                  -- the modules walked since the last entry that have table fields in Lua

function walk(m)
   local c = getmetatable(m)
   local info = c and native(c)
   if not info then return end
   peer(m)
   local own = mark(m, c, info)
   local fields = table_fields[m]
   if fields then
      push(m, fields)
      touched = touched or {}
      touched[#touched + 1] = m
   end
   local list = rawget(m, 'modules')
   if type(list) ~= 'table' then list = nil end
   if recording then record(m, c, info, own, fields, list) end
   if list then walk_children(m, list) end
   if info.on_walk then info.on_walk(m, walk) end
   local lists = info.lists
   for i = 1, #lists do
      local entries = rawget(m, lists[i])
      if type(entries) == 'table' then
         for j = 1, #entries do walk(entries[j]) end
      end
   end
   local links = info.links
   for i = 1, #links do
      local name = links[i]
      local child = rawget(m, name)
      local known = linked[m]
      if not known then
         known = {}
         linked[m] = known
      end
      if type(child) == 'table' then walk(child) end
      local handle = child ~= nil and handle_of[child] or nil
      if known[name] ~= handle then
         give_field(handle_of[m], name, child)
         known[name] = handle
      end
   end
end

-- A method in Lua that Python called may have done something to the tables of any module.
function core.settle()
   for m, fields in next, table_fields do push(m, fields) end
end

-- Before it runs, they get what Python has put there.
function core.catch_up()
   for m, fields in next, table_fields do pull(m, fields) end
end

module.walk = walk

-- What a walk does at a module in a tree that is as it was.
local function revisit(m)
   local c = getmetatable(m)
   local info = native(c)
   mark(m, c, info)
   local fields = table_fields[m]
   if fields then
      push(m, fields)
      touched = touched or {}
      touched[#touched + 1] = m
   end
   if info.on_walk then info.on_walk(m, walk) end
end

-- On the way into Python; what it returns is for the way back. Only the modules below this one can change.
local function enter(m)
   peer(m)
   entry = entry + 1
   touched = nil
   local r = records[m]
   if r and r.levels and unchanged(r) then
      local watched = r.watched
      for i = 1, r.n do revisit(watched[i]) end
      return touched
   end
   recording = r and r.changes == changes and not r.bad
               and {levels = {}, classes = {}, watched = setmetatable({}, WEAK), kids = {}, counts = {}, n = 0} or nil
   local made, at = recording, changes
   walk(m)
   recording = nil
   if made and changes == at and not made.bad then
      made.changes = at
      records[m] = made
   else
      records[m] = {changes = changes, bad = made and made.bad}
   end
   return touched
end
module.enter = enter

local function pull_all(modules)
   for i = 1, #modules do
      local fields = table_fields[modules[i]]
      if fields then pull(modules[i], fields) end
   end
end

local function call(f, ...)
   depth = depth + 1
   return pcall(f, ...)
end

local function leave(walked)
   core.advance()
   if walked then pull_all(walked) end
   if fresh[1] then
      pull_all(fresh)
      if depth == 1 then fresh = {} end
   end
   depth = depth - 1
end

-- The part of `enter` for a module that Python has just made: nothing of Lua's is newer than what Python has.
function module.look_into(m)
   entry = entry + 1
   walk(m)
end

-- Take over the children and links that the peer has now.
local function adopt(m)
   changed()
   local info = native(getmetatable(m))
   local children = finish(pcall(host.children, handle_of[m]))
   if children then
      local list = rawget(m, 'modules')
      if type(list) ~= 'table' then
         list = {}
         rawset(m, 'modules', list)
      end
      local handles = {}
      for i = 1, math.max(#list, #children) do list[i] = children[i] end
      for i = 1, #children do handles[i] = handle_of[children[i]] end
      mirrored[m] = handles
   end
   for i = 1, #info.lists do get_field(m, handle_of[m], info.lists[i]) end
   local links, known = info.links, linked[m] or {}
   linked[m] = known
   for i = 1, #links do
      local value = finish(pcall(host.get_field, handle_of[m], links[i]))
      rawset(m, links[i], value)
      known[links[i]] = value ~= nil and handle_of[value] or nil
   end
end
module.adopt = adopt

---------------------------------------------------------------------------------------------------------
-- Saved modules

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
function module.builtin_name(m) return (native(getmetatable(m)).key:match('^[^@]+')) end

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
   entry = entry + 1
   walk(m)
   local function turn(key)   -- modules, on which others may rest, come first, and gradients after their parameters
      if is_module(saved[key]) then return 0 end
      return key:find('^grad%u') and 2 or 1
   end
   table.sort(later, function(a, b)
      local x, y = turn(a), turn(b)
      if x ~= y then return x < y end
      return a < b
   end)
   local from_file = {}
   restored[m] = from_file
   for i = 1, #later do
      local key = later[i]
      if is_plain_table(saved[key]) then from_file[key] = true end
      set_field(m, key, saved[key])
   end
   core.raw(host.end_restore, handle)
end

-- The handle of a module; one whose constructor has not called its parent's gets a peer.
module.peer = peer

-- What the engine knows of a module to save: names in order, and values by name.
function module.saved_fields(m)
   local handle = peer(m)
   local found = {names = {core.raw(host.saved_names, handle)}}
   for i = 1, #found.names do
      local name = found.names[i]
      if rawget(m, name) == nil then
         local value = finish(pcall(host.get_field, handle, name))
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

core.make[MODULE] = function(handle)
   local name, builtin = host.class_of(handle)
   if not (class.registered[name] or class.registered[builtin]) then core.load_package(host.package_of(handle)) end
   local c = class.registered[name] or class.registered[builtin]
   if not c then fail("class '%s' is not known here (is its package required?)", name) end
   local m = setmetatable({}, c)
   own(m, handle)
   adopt(m)
   local extras = {host.extras(handle)}   -- what a file had besides the fields of its class
   local there = native(c).known_there or {}
   for i = 1, #extras do
      local name = extras[i]
      if not there[name] then rawset(m, name, finish(pcall(host.get_field, handle, name))) end
   end
   return m
end

---------------------------------------------------------------------------------------------------------
-- Classes

-- The metatable functions of classes that descend from a built-in one.
function class.adorn(c, parent)
   local info = parent and native(parent)
   if not info then return end
   module.equip(c, info)
end

function module.equip(c, info)
   local fields = info.fields
   rawset(c, '__index', function(m, key)
      if fields[key] then
         local handle = handle_of[m]
         if handle then
            local value = get_field(m, handle, key)
            if value ~= nil then return value end
         end
      end
      local f = c.__index__
      if f ~= nil then
         local value, found = f(m, key)
         if found then return value end
      end
      return c[key]
   end)
   rawset(c, '__newindex', function(m, key, value)
      if fields[key] then return set_field(m, key, value) end
      if telling[key] then changed() end
      local f = c.__newindex__
      if f ~= nil and f(m, key, value) then return end
      rawset(m, key, value)
   end)
   rawset(c, '__torch7py_peer', peer)
   rawset(c, '__pairs', function(m) return next, module.fields(m), nil end)
end

-- A method of a built-in class: not virtual, so that parent.method(self, ...) means what it says. Tables at the
-- numbers in `stay` are passed as they are, for Python to read and write.
local function native_method(f, structural, stay)
   local pass_all = pass_all
   if stay then
      local numbers = {}
      for i = 1, #stay do numbers[stay[i]] = true end
      pass_all = function(...) return core.pass_some(numbers, ...) end
   end
   f = core.moving(f)
   if structural then
      return function(self, ...)
         local walked = enter(self)
         local function done(ok, mask, ...)
            leave(walked)
            if not ok then rethrow(mask) end
            adopt(self)
            return core.read(mask, ...)
         end
         return done(call(f, peer(self), pass_all(...)))
      end
   end
   local function done(walked, ok, mask, ...)
      leave(walked)
      if not ok then rethrow(mask) end
      return core.read(mask, ...)
   end
   return function(self, ...)
      return done(enter(self), call(f, handle_of[self], pass_all(...)))
   end
end

-- Define the Lua class of a built-in one, or define it anew.
-- description: {key, name, parent, version, fields, links, lists, halves, methods, structural}
function module.define(d)
   changed()
   for i = 1, #d.links do telling[d.links[i]] = true end
   for i = 1, #d.lists do telling[d.lists[i]] = true end
   local parent = d.parent and class.registered[d.parent]
   local fields, link_set = {}, {}
   for i = 1, #d.fields do fields[d.fields[i]] = true end
   for i = 1, #d.links do link_set[d.links[i]] = true end
   fields.modules = nil
   local info = {key = d.key, fields = fields, links = d.links, link_set = link_set, lists = d.lists,
                 halves = d.halves}
   local c = class.registered[d.name]
   local replaced = c and native(c)
   c = c or class.create(d.name, parent)
   native_of[c] = info
   for known in next, nearest do nearest[known] = nil end
   module.equip(c, info)
   local all = setmetatable({}, {__index = replaced and replaced.all_methods or parent and native(parent).all_methods})
   for i = 1, #d.methods do
      local name = d.methods[i]
      local method
      if name == '__init' then
         method = function(self, ...)
            if handle_of[self] == nil then
               own(self, host.new_peer(native(getmetatable(self)).key, getmetatable(self).__typename))
            end
            entry = entry + 1
            mark(self, getmetatable(self), native(getmetatable(self)))
            for i = 1, #d.class_fields do
               local value = getmetatable(self)[d.class_fields[i]]
               if value ~= nil then give_field(handle_of[self], d.class_fields[i], value) end
            end
            local ok, err = pcall(initialize, d.key, handle_of[self], pass_all(...))
            core.advance()
            if not ok then rethrow(err) end
            adopt(self)
         end
      else
         method = native_method(host.method(d.key, name), d.structural[name], d.stay[name])
      end
      all[name] = method
      rawset(c, name, method)
   end
   if not d.parent then
      rawset(c, 'read', function(...) return module.read(...) end)
      rawset(c, 'write', function(...) return module.write(...) end)
   end
   rawset(c, '__version', d.version)
   info.all_methods = all
   if replaced then return end
   local function factory() return setmetatable({}, c) end
   local function construct(...)
      local object = setmetatable({}, c)
      object:__init(...)
      return object
   end
   class.publish(d.name, c, nil, construct, factory)
end

-- Another function for a method of a built-in class, which does not count as a script's.
function module.redefine(c, name, f)
   native(c).all_methods[name] = f
   rawset(c, name, f)
end

-- The built-in classes that descend from a class.
function module.heirs(c)
   local found = {}
   for heir in next, native_of do
      local at = heir
      while at and at ~= c do at = getmetatable(at) end
      if at and heir ~= c then found[#found + 1] = heir end
   end
   return found
end

-- Methods that a package adds to a class defined before.
function module.extend(key, name, methods)
   local c = class.registered[name]
   for i = 1, #methods do
      local method = native_method(host.method(key, methods[i]), false)
      native(c).all_methods[methods[i]] = method
      rawset(c, methods[i], method)
   end
end

function module.set_virtual(names)
   virtual = names
   for i = 1, #names do
      virtual_set[names[i]] = true
      telling[names[i]] = true
   end
end

-- Whether updateGradInput and accGradParameters of a module have nothing to do with each other: it is of a built-in
-- class of which that is so, has no modules inside, and the methods are the class's own, or as good.
local HALVES = {'backward', 'updateGradInput', 'accGradParameters', 'zeroGradParameters', 'parameters'}

function module.halves_stand_alone(m)
   local info = native(getmetatable(m))
   if not info or not info.halves or m.modules or info.links[1] or info.lists[1] then return false end
   for i = 1, #HALVES do
      local f = m[HALVES[i]]
      if f ~= info.all_methods[HALVES[i]] and not vouched[f] then return false end
   end
   return true
end

-- The key under which a module keeps its clones for other steps; scripts do not see it.
module.COMPANIONS = setmetatable({}, {__tostring = function() return 'companions' end})

-- rawset and setmetatable as scripts have them: what they do to a module is announced.
function module.rawset(t, key, value)
   if telling[key] then changed() end
   return rawset(t, key, value)
end

function module.watching(set)
   return function(t, mt)
      if t ~= nil and handle_of[t] then changed() end
      return set(t, mt)
   end
end

-- The fields of a module that are not the script's own.
function module.engine_fields(m)
   local info = native(getmetatable(m))
   return setmetatable({modules = true}, {__index = function(_, key) return info.fields[key] or info.link_set[key] end})
end

-- Have all fields of a module in it, those too that a package makes when they are asked for.
function module.complete(m)
   local info = native(getmetatable(m))
   if info and info.complete then info.complete(m) end
end

-- All fields of a module, for pairs: its own and the engine's.
function module.fields(m)
   local handle = handle_of[m]
   module.complete(m)
   local all = {}
   for key, value in next, m do
      if key ~= module.COMPANIONS then all[key] = value end
   end
   if handle then
      local names = {host.field_names(handle)}
      for i = 1, #names do
         local name = names[i]
         if all[name] == nil then all[name] = m[name] end
      end
   end
   return all
end

function module.is(m)
   local handle = m ~= nil and handle_of[m]
   return handle and handle % 32 == MODULE or false
end

-- next over all fields of a module; for other tables Lua's own.
function module.next(t, key)
   if type(t) == 'table' and module.is(t) then return next(module.fields(t), key) end
   return next(t, key)
end

-- Convert the tensors among the script's own fields of a module.
function module.map_tensors(handle, convert)
   local m = stand_in[handle]
   if m == nil then return end
   local seen = {}
   local function change(value)
      local h = value ~= nil and handle_of[value]
      if h then
         if h % 32 < 8 then return finish(pcall(host.apply_map, convert, h)) end
         if h % 32 ~= TABLE then return value end
      end
      if type(value) == 'table' and not seen[value] and getmetatable(value) == nil then
         seen[value] = true
         for key, item in next, value do value[key] = change(item) end
      end
      return value
   end
   local engine = module.engine_fields(m)
   for key, value in next, m do
      if not engine[key] and key ~= module.COMPANIONS then rawset(m, key, change(value)) end
   end
end

return module
