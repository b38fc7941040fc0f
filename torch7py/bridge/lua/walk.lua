-- Before and after a call into Python the tree below a module is walked.
--
-- Changed children and table fields are handed over, and methods in Lua that appeared or went are told to the peers.
--
-- Arguments: core, host, peers, methods, records. Result: the table `walking`.

local core, host, peers, methods, records = ...
local walking = {}

local type, next, pcall, rawget, rawset, select = type, next, pcall, rawget, rawset, select
local setmetatable, getmetatable, unpack = setmetatable, getmetatable, unpack
local handle_of, stand_in, pass, finish, rethrow = core.handle_of, core.stand_in, core.pass, core.finish, core.rethrow
local native, peer, give_field, get_field = peers.native, peers.peer, peers.give_field, peers.get_field
local table_fields, mark, of_class, note = peers.table_fields, methods.mark, methods.of_class, records.note
local changed, changed_in = peers.changed, peers.changed_in

local NONE = {}

-- What Python has now, by handle: a weak table must not hold modules, or those in cycles would never go.
local mirrored = setmetatable({}, {__mode = 'k'})      -- module -> handles of its children
local linked = setmetatable({}, {__mode = 'k'})        -- module -> {link name = handle}
local restored = setmetatable({}, {__mode = 'k'})      -- module -> {name = true}: table fields that a file put there

local walk

-- What a package does for the modules of a class and its heirs: `walk(m, walk)` whenever they are walked,
-- `complete(m)` before all their fields are shown or saved. `known` has the names of fields in Lua of which Python
-- has the content in a form of its own.
function walking.watch(c, on_walk, complete, known)
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
      changed_in(m)   -- other trees' records know nothing of it, and the list may be what it was before they look
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

-- Hand over what the script did to the table fields of a module. `fields` has the handles of the tables that Python has.
local function push(m, fields)
   for name, handle in next, fields do
      local value = rawget(m, name)
      if type(value) ~= 'table' then
         fields[name] = nil
         rawset(m, name, nil)
         give_field(handle_of[m], name, value)
      elseif handle ~= rawget(handle_of, value) or not core.unchanged(value) then
         give_field(handle_of[m], name, value)
         fields[name] = handle_of[value]
         core.remember(value)
      end
   end
end

-- Fill one of them with what Python has put there.
local function pull_field(m, fields, name)
   local from_file = restored[m]
   local value
   if from_file and from_file[name] then
      from_file[name] = nil   -- it was there to be saved unchanged; Python has it now
   else
      value = finish(pcall(host.get_field, handle_of[m], name))
   end
   if peers.is_plain_table(value) then
      rawset(m, name, value)
      fields[name] = handle_of[value]
      core.remember(value)
   else
      fields[name] = nil
      rawset(m, name, nil)
   end
end

local function pull(m, fields)
   for name in next, fields do pull_field(m, fields, name) end
end

-- Have in Lua what Python has put into the table fields of a module.
function walking.pull(m)
   if table_fields[m] then pull(m, table_fields[m]) end
end

-- The modules walked since the last entry that have table fields in Lua: `all`, and `shared`, those of which both languages may
-- write them within the call.
local touched
local under_way = {}           -- the modules whose walk has begun: a container may hold itself

local function touch(m, fields)
   push(m, fields)
   touched = touched or {all = {}, shared = {}}
   touched.all[#touched.all + 1] = m
   if not methods.computes_in_lua(m) then touched.shared[#touched.shared + 1] = m end
end

function walk(m)
   local c = getmetatable(m)
   local info = c and native(c)
   if not info then return end
   peer(m)
   if under_way[m] then return end
   under_way[m] = true
   local own = mark(m, of_class(c, info))
   local fields = table_fields[m]
   if fields then touch(m, fields) end
   local list = rawget(m, 'modules')
   if type(list) ~= 'table' then list = nil end
   note(m, c, info, own, fields, list)
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
         changed_in(m)
         give_field(handle_of[m], name, child)
         known[name] = handle
      end
   end
   under_way[m] = nil
end

-- The call into Python that is running, if it is one of a module's method: `members` are the modules of its tree, `shared`
-- those of `touched`. Nil while Lua runs, and in calls of other sorts. `entering` is that of the next call.
local running, entering

local function push_all(modules)
   for i = 1, #modules do
      local fields = table_fields[modules[i]]
      if fields then push(modules[i], fields) end
   end
end

local waiting = false          -- whether something may be left to hand over

-- A method in Lua that Python called may have done something to the tables of any module. `call` is what `catch_up`
-- returned: with it, only the modules of that call's tree matter to Python as long as there are calls from Lua, and of
-- those that compute in Lua the one whose method it was.
function core.settle(call, object)
   if call then
      if call.shared then push_all(call.shared) end
      push_all(peers.fresh.shared)
      if object ~= nil and table_fields[object] then push(object, table_fields[object]) end
      running, waiting = call, true
      return
   end
   for m, fields in next, table_fields do push(m, fields) end
end

function core.settle_rest()
   if waiting and peers.depth == 0 then
      waiting = false
      core.settle()
   end
end

local bring_up_to_date

-- A call from outside of any module's method finds the tables as Python's user left them.
function core.pause()
   local call = running
   running = nil
   if peers.depth == 0 then bring_up_to_date() end
   return call
end

function core.resume(call) running = call end

local abandon = core.abandon
function core.abandon()
   abandon()
   running, entering, waiting = nil, nil, true
   peers.depth, peers.fresh = 0, {shared = {}, scripts = {}}
   changed()
   core.settle_rest()
   return true, 0
end

-- Before it runs, they get what Python has put there: into the modules of the tree that the running call went to, if
-- the method's object is among them, else into any. Which have got something, Python tells of many at a time.
local AT_A_TIME = 60
local spare                    -- a list to write fields to, while no call uses it

local function note_fields(list, n, m, fields)
   local owner = handle_of[m]
   for name, handle in next, fields do
      list[n + 1], list[n + 2], list[n + 3] = owner, name, handle
      n = n + 3
   end
   return n
end

local function note_all(list, n, modules)
   for i = 1, #modules do
      local fields = table_fields[modules[i]]
      if fields then n = note_fields(list, n, modules[i], fields) end
   end
   return n
end

-- Take from Python those of n / 3 fields that it has changed.
local function pull_changed(list, n)
   local changed_ones
   for first = 1, n, 3 * AT_A_TIME do
      local last = first + 3 * AT_A_TIME - 1
      local found = {host.changed_fields(unpack(list, first, last < n and last or n))}
      for i = 1, #found do
         changed_ones = changed_ones or {}
         changed_ones[#changed_ones + 1] = first + 3 * (found[i] - 1)
      end
   end
   for i = 1, changed_ones and #changed_ones or 0 do
      local m, name = stand_in[list[changed_ones[i]]], list[changed_ones[i] + 1]
      local fields = m and table_fields[m]
      if fields and fields[name] then pull_field(m, fields, name) end
   end
end

local function pull_all(modules)
   local list, n = spare or {}, 0
   spare = nil
   for i = 1, #modules do
      local m = modules[i]
      local fields = table_fields[m]
      if fields and restored[m] then pull(m, fields)
      elseif fields then n = note_fields(list, n, m, fields) end
   end
   pull_changed(list, n)
   spare = list
end

function core.catch_up(object)
   local call = running
   running = nil
   if call and not call.members[object] then call = nil end
   bring_up_to_date(call)
   return call
end

-- Have in Lua what Python has put into table fields: of the modules of a call's tree, without one of all modules.
function bring_up_to_date(call)
   -- module, name and table of each field by threes: first all of them, as what comes may bring new ones
   local list, n = spare or {}, 0
   spare = nil
   if call then
      if call.shared then n = note_all(list, n, call.shared) end
      n = note_all(list, n, peers.fresh.shared)
   else
      for m, fields in next, table_fields do n = note_fields(list, n, m, fields) end
   end
   pull_changed(list, n)
   spare = list
end

function walking.walk(m)
   under_way = {}   -- an error may have ended the last walk
   walk(m)
end

-- What a walk does at a module in a tree that is as it was.
local function revisit(m, texts)
   local c = getmetatable(m)
   local info = native(c)
   mark(m, texts[c])
   local fields = table_fields[m]
   if fields then touch(m, fields) end
   if info.on_walk then info.on_walk(m, walk) end
end

-- Look at what may have changed without a word in a tree that was walked before. Returns whether the tree is as it was.
function walking.look(m)
   local r = records.find(m)
   if not r then return false end
   local watched, own, texts = r.watched, r.own, r.now.texts
   for i = 1, r.n do
      local part = watched[i]
      local c = getmetatable(part)
      local info = native(c)
      if own[i] then mark(part, texts[c]) end   -- in others one is announced
      if info.on_walk then info.on_walk(part, walk) end
   end
   return records.last(m) ~= nil
end

-- On the way into Python; what it returns is for the way back. Only the modules below this one can change.
local function enter(m)
   peer(m)
   methods.new_entry()
   if peers.depth > 0 then push_all(peers.fresh.shared) end   -- `leave` takes them from Python
   touched, entering = nil, nil
   local r = records.find(m)
   if r then
      records.tell(r)
      for i = 1, r.n do revisit(r.watched[i], r.now.texts) end
      entering = {members = r.members, shared = touched and touched.shared}
      return touched
   end
   local made = records.start(m)
   walking.walk(m)
   records.finish(m, made)
   entering = {members = made.members, shared = touched and touched.shared}
   return touched
end
walking.enter = enter

local function back_in(before, ...)
   running = before
   return ...
end

-- A call into Python, between `enter` and `leave`.
function walking.call(f, ...)
   peers.depth = peers.depth + 1
   local before = running
   running, entering = entering, nil
   return back_in(before, pcall(f, ...))
end

function walking.leave(walked)
   core.advance()
   if walked then pull_all(walked.all) end
   local fresh = peers.fresh
   if fresh.shared[1] or fresh.scripts[1] then
      pull_all(fresh.shared)
      if peers.depth == 1 then
         pull_all(fresh.scripts)
         peers.fresh = {shared = {}, scripts = {}}
      end
   end
   peers.depth = peers.depth - 1
end

local function nothing() end

-- The part of a walk for a module that Python has just copied, without those inside it: nothing of Lua's is newer than
-- what Python has.
function walking.look_at_copy(m)
   local c = getmetatable(m)
   local info = native(c)
   mark(m, of_class(c, info))
   if info.on_walk then info.on_walk(m, nothing) end
end

-- Take over the children and links that the peer has now. `count`, if it is known, says how many children; -1 that it
-- has no list of them.
function walking.adopt(m, count)
   changed_in(m)
   peers.fields_changed()
   local info = native(getmetatable(m))
   local children = NONE
   if count ~= 0 then children = count ~= -1 and finish(pcall(host.children, handle_of[m])) or nil end
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
   local links, known = info.links, linked[m]
   if links[1] and not known then
      known = {}
      linked[m] = known
   end
   for i = 1, #links do
      local value = finish(pcall(host.get_field, handle_of[m], links[i]))
      rawset(m, links[i], value)
      known[links[i]] = value ~= nil and handle_of[value] or nil
   end
end

-- Append a module to the children of `m` by a method of Python's that changes nothing else but fields of `m`. Returns
-- whether it did: not where the script has changed the list since Python saw it, or where it is no module, of which the
-- method speaks.
function walking.append(m, method, child, ...)
   local list, known = rawget(m, 'modules'), mirrored[m]
   if select('#', ...) > 0 or type(child) ~= 'table' or not native(getmetatable(child)) then return false end
   if type(list) ~= 'table' or not known or #list ~= #known then return false end
   local handle = peer(child)
   finish(pcall(method, handle_of[m], 1, handle))
   list[#list + 1], known[#known + 1] = child, handle
   peers.fields_changed()
   if table_fields[m] then pull(m, table_fields[m]) end
   return true
end

-- For a module whose fields come from a file: the set of names of its table fields, for the caller to fill.
function walking.restoring(m)
   restored[m] = {}
   return restored[m]
end

return walking
