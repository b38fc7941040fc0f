-- Methods that a script defines for modules: told to the peers, so that Python containers call them.
--
-- A script may put them into a class or a module at any time. They are looked for on every entry into Python.
--
-- Arguments: host, class, peers. Result: the table `methods`.

local host, class, peers = ...
local methods = {}

local type, next, rawget, setmetatable, getmetatable = type, next, rawget, setmetatable, getmetatable
local concat, gmatch, gsub = table.concat, string.gmatch, string.gsub
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

-- What a script has put into one class, found once per entry, as it may do so at any time: names of virtual methods, the
-- built-in class's own being other functions or gone; and all that counts of them as one text, the class's *state*. A
-- script's functions are all alike in it, for Python calls a method by its name: where a script puts a new function in the
-- place of its last, or the built-in one back, what was known of that state counts again.
local entry = 0
function methods.new_entry() entry = entry + 1 end

local level_entry, level_names = setmetatable({}, {__mode = 'k'}), setmetatable({}, {__mode = 'k'})
local state_of = setmetatable({}, {__mode = 'k'})
local numbers, count_numbers = setmetatable({}, {__mode = 'k'}), 0   -- built-in method -> a number of its own
local NONE = {}

-- This function is a built-in method, wherever a script puts it.
function methods.note_builtin(f)
   count_numbers = count_numbers + 1
   numbers[f] = count_numbers
end

local function changed_names(c)
   if level_entry[c] == entry then return level_names[c] end
   local info = peers.own_info(c)
   local own = info and info.own or NONE
   local found, states = NONE, NONE
   for i = 1, #virtual do
      local name = virtual[i]
      local f = rawget(c, name)
      if f ~= own[name] and not vouched[f or false] then
         if found == NONE then found, states = {}, {} end
         found[#found + 1] = name
         states[#found] = name .. (f == nil and '-' or numbers[f] or '')
      end
   end
   level_entry[c], level_names[c], state_of[c] = entry, found, concat(states, ' ')
   return found
end

-- The methods of a script that count for the objects of a class: those that Lua's lookup finds, by name, and those in the
-- classes above that only methods of the classes below call, as their parent's (`nn.Module>clearState`). False where
-- there are none.
local class_entry, class_methods = setmetatable({}, {__mode = 'k'}), setmetatable({}, {__mode = 'k'})

local function lua_methods(c, info)
   if class_entry[c] == entry then return class_methods[c] end
   local pristine, found, seen = info.all_methods, false, nil
   local at = c
   while at do
      local names = changed_names(at)
      for i = 1, #names do
         local name = names[i]
         local f = c[name]
         seen = seen or {}
         if not seen[name] then
            seen[name] = true
            if f ~= pristine[name] and f ~= nil and not vouched[f] then found = (found and found .. ' ' or '') .. name end
         end
         local here = rawget(at, name)
         if here ~= nil and here ~= f and peers.own_info(at) then
            found = (found and found .. ' ' or '') .. peers.own_info(at).key .. '>' .. name
         end
      end
      at = getmetatable(at)
   end
   class_entry[c], class_methods[c] = entry, found
   return found
end
methods.of_class = lua_methods

local function is_special(name) return string.sub(name, 1, 2) == '__' end   -- looked up in the class alone, by Lua

-- Tell the peer which of its methods Lua has now, its class having those of `of_class`; returns whether the module has one
-- in itself.
local function mark(m, of_class)
   local found, own = of_class or nil, false
   for key, value in next, m do
      if virtual_set[key] then
         if type(value) == 'function' and not is_special(key) then found = (found and found .. ' ' or '') .. key end
         own = true
      end
   end
   if marked[m] ~= found then
      host.mark(peers.peer(m), found or '')
      marked[m] = found
      peers.settings = peers.settings + 1
      peers.marked_anew(m)
   end
   return own
end
methods.mark, methods.marked = mark, marked

-- What of such methods, a text, a pass of built-in classes may call: all but those that Python says are beside passes, and
-- of these the ones in `called`, a set.
local beside = {}

function methods.set_beside_passes(names)
   for i = 1, #names do beside[names[i]] = true end
end

function methods.in_passes(text, called)
   local words = {}
   for word in gmatch(text or '', '%S+') do
      local name = gsub(word, '^.*>', '')
      if not beside[name] or called and called[name] then words[#words + 1] = word end
   end
   return concat(words, ' ')
end

-- Whether what a module computes is a script's: nothing that Python runs in a forward or backward pass writes its fields then.
local scripts = {}                                     -- string of methods -> whether both passes are among them

function methods.computes_in_lua(m)
   local found = marked[m]
   if not found then return false end
   if scripts[found] == nil then
      local words = ' ' .. found .. ' '
      scripts[found] = string.find(words, ' updateOutput ', 1, true) ~= nil
                       and string.find(words, ' updateGradInput ', 1, true) ~= nil
   end
   return scripts[found]
end
peers.computes_in_lua = methods.computes_in_lua

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
   changed_names(c)
   return {names = names, values = values, changes = peers.changes}
end

-- The state of a class, by what a script has put into it since the last entry.
function methods.state(c)
   if polled[c] == entry then return state_of[c] end
   polled[c] = entry
   local known = expected[c]
   if not known or known.changes ~= peers.changes then
      expected[c] = survey(c)
      return state_of[c]
   end
   local names, values, is_other = known.names, known.values, false
   for i = 1, #names do
      local f = rawget(c, names[i]) or false
      if f ~= values[i] then values[i], is_other = f, true end
   end
   if is_other then changed_names(c) end
   return state_of[c]
end

return methods
