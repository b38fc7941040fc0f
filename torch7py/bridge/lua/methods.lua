-- Methods that a script defines for modules: told to the peers, so that Python containers call them.
--
-- A script may put them into a class or a module at any time. They are looked for on every entry into Python.
--
-- Arguments: host, peers. Result: the table `methods`.

local host, peers = ...
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
      host.mark(peers.peer(m), found or '')
      marked[m] = found
   end
   return own
end
methods.mark = mark

local expected, polled = setmetatable({}, {__mode = 'k'}), setmetatable({}, {__mode = 'k'})

-- Announce methods that a script has put into a class since the last entry.
function methods.poll(c)
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

return methods
