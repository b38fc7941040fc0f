-- Methods that a script defines for modules: told to the peers, so that Python containers call them.
--
-- A script may put them into a class or a module at any time. They are looked for on every entry into Python.
--
-- Arguments: host, class, peers. Result: the table `methods`.

local host, class, peers = ...
local methods = {}

local type, next, rawget, setmetatable = type, next, rawget, setmetatable
local changed = peers.changed

local marked = setmetatable({}, {__mode = 'k'})        -- module -> string of the methods marked on its peer
local virtual, virtual_set = {}, {}                    -- names of the methods Python may call on a child

function methods.set_virtual(names)
   virtual = names
   for i = 1, #names do
      virtual_set[names[i]] = true
      peers.telling[names[i]] = true
   end
end

-- Methods of a package in the place of a class's own, which are to Python what those were: they give more to scripts.
local vouched = setmetatable({}, {__mode = 'k'})
function methods.vouch(f)
   vouched[f] = true
   changed()
end
function methods.is_vouched(f) return vouched[f] end

-- The virtual methods that Lua defines for a class, found once per entry: a script may change them any time.
local entry = 0
function methods.new_entry() entry = entry + 1 end

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

-- Tell the peer which of its methods Lua has now; returns whether the module has one in itself. With `same` the class
-- is known to have those that it had at the last walk.
local function mark(m, c, info, same)
   local found, own = nil, false
   if same then found = class_methods[c] else found = lua_methods(c, info) end
   for key, value in next, m do
      if virtual_set[key] then
         if type(value) == 'function' then found = (found and found .. ' ' or '') .. key end
         own = true
      end
   end
   if marked[m] ~= found then
      host.mark(peers.peer(m), found or '')
      marked[m] = found
   end
   return own
end
methods.mark, methods.marked = mark, marked

-- A new method of a class with a parent is announced (class.lua). What a script can put in the place of one that the
-- class has goes without a word.
function class.announce(key)
   if peers.telling[key] then changed() end
end

local expected, polled = setmetatable({}, {__mode = 'k'}), setmetatable({}, {__mode = 'k'})

local function survey(c)
   local names, values = {}, {}
   for i = 1, #virtual do
      local f = rawget(c, virtual[i])
      if f ~= nil or not class.has_parent[c] then
         names[#names + 1] = virtual[i]
         values[#names] = f or false
      end
   end
   return {names = names, values = values, changes = peers.changes}
end

-- Announce methods that a script has put into a class since the last entry.
function methods.poll(c)
   if polled[c] == entry then return end
   polled[c] = entry
   local known = expected[c]
   if known then
      local names, values = known.names, known.values
      for i = 1, #names do
         local f = rawget(c, names[i]) or false
         if f ~= values[i] then
            values[i] = f
            changed()
         end
      end
      if known.changes == peers.changes then return end
   end
   expected[c] = survey(c)
end

return methods
