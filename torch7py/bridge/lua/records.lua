-- Records of walks.
--
-- Of every tree that a call went to a record is kept, so that the next call needs to look at little: at what is not
-- announced. That is methods written into a class that has them (`levels`, each class and those it descends from), lists
-- of modules, which are plain tables, and fields that hold one (`watched`, the modules with such and those with anything
-- else to be seen to each time). What is announced ends the records it concerns: of a class all, of a module those of
-- the trees that it is in. So a call costs the same however many other modules there are and whatever is made
-- meanwhile. `members` are all modules of the tree. Records hold modules weakly, or those in cycles would never go.
--
-- Methods that a script puts in the place of a class's own end no record: a script may do so for one call and put the
-- old ones back. Of each combination of them in which the tree was used the record knows what they come to (`now` is that of
-- the moment): by class the methods that count for its objects (`texts`), and what of these a pass may call (`passes`).
-- Which of them the peers have been told of last (`told`) is looked at when Python is to run.
--
-- Arguments: peers, methods. Result: the table `records`.

local peers, methods = ...
local records = {}

local type, next, rawget, setmetatable, getmetatable = type, next, rawget, setmetatable, getmetatable
local state, mark, of_class, in_passes, concat = methods.state, methods.mark, methods.of_class, methods.in_passes, table.concat

local kept = setmetatable({}, {__mode = 'k'})   -- root -> the record of its last walk
local WEAK, WEAK_KEYS = {__mode = 'v'}, {__mode = 'k'}
local making                                    -- the record that is being made
local records_of = setmetatable({}, WEAK_KEYS)  -- module -> the records of trees that it is in

-- Something was announced of a module.
function peers.changed_in(m)
   local list = records_of[m]
   if not list then return end
   for i = 1, #list do list[i].ended = true end
   records_of[m] = nil
end

-- Its peer was told of other methods.
function peers.marked_anew(m)
   local list = records_of[m]
   for i = 1, list and #list or 0 do list[i].told = nil end
end

-- Let a change of a module end this record. Those that have ended go from the list.
local function depend(record, m)
   local list = records_of[m]
   if not list then
      records_of[m] = {record}
      return
   end
   local n = 0
   for i = 1, #list do
      local other = list[i]
      list[i] = nil
      if not other.ended then
         n = n + 1
         list[n] = other
      end
   end
   list[n + 1] = record
end

-- A walk is at a module.
function records.note(m, c, info, own, fields, list)
   local recording = making
   if not recording then return end
   if info.lists[1] then recording.once = true end
   recording.members[m], recording.size = true, recording.size + 1
   depend(recording, m)
   local at = c
   if not recording.infos[c] then
      recording.infos[c] = info
      recording.classes[#recording.classes + 1] = c
   end
   while at and not recording.is_level[at] do
      recording.is_level[at] = true
      recording.levels[#recording.levels + 1] = at
      at = getmetatable(at)
   end
   local links = info.links
   if own or fields or rawget(m, 'modules') ~= nil or info.on_walk or links[1] then
      local n = recording.n + 1
      recording.n = n
      recording.watched[n], recording.own[n] = m, own
      local kids = false
      if list then
         kids = setmetatable({}, WEAK)
         for i = 1, #list do kids[i] = list[i] end
         recording.counts[n] = #list
      end
      recording.kids[n] = kids
      local linked = links[1] and setmetatable({}, WEAK) or false
      for i = 1, #links do linked[i] = rawget(m, links[i]) end
      recording.names[n], recording.linked[n] = links, linked
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

local function same_links(m, names, linked)
   for i = 1, #names do
      if rawget(m, names[i]) ~= linked[i] then return false end
   end
   return true
end

-- What the methods that a script has put into classes come to for the modules of a tree.
local function meaning(r)
   local key = concat(r.states, ';')
   local known = r.meanings[key]
   if not known then
      local texts, passes, called = {}, {}, {}
      for _, info in next, r.infos do
         for i = 1, #info.calls_in_passes do called[info.calls_in_passes[i]] = true end
      end
      for i = 1, #r.classes do
         local c = r.classes[i]
         texts[c] = of_class(c, r.infos[c])
         local found = in_passes(texts[c], called)
         if found ~= '' then passes[#passes + 1] = i .. ':' .. found end
      end
      known = {texts = texts, passes = concat(passes, ' ')}
      r.meanings[key] = known
   end
   return known
end

-- Bring `now` of a record up to date.
local function look_at_classes(r)
   local levels, states, is_other = r.levels, r.states, false
   for i = 1, #levels do
      local its = state(levels[i])
      if its ~= states[i] then states[i], is_other = its, true end
   end
   if is_other then r.now = meaning(r) end
end

-- Whether the tree of a record is as it was, but for the methods in its classes.
local function unchanged(r)
   look_at_classes(r)
   if r.changes ~= peers.changes then return false end
   local watched, kids, counts, names, linked = r.watched, r.kids, r.counts, r.names, r.linked
   for i = 1, r.n do
      local m = watched[i]
      if m == nil or not same_list(rawget(m, 'modules'), kids[i], counts[i]) then return false end
      if linked[i] and not same_links(m, names[i], linked[i]) then return false end
   end
   return true
end

-- Tell the peers of a tree which methods its classes have now.
local function tell(r)
   local now = r.now
   if r.told == now then return end
   local texts = now.texts
   for m in next, r.members do mark(m, texts[getmetatable(m)]) end
   r.told = now
end

-- The same where there are others now that a pass may call.
function records.tell_of_passes(r)
   if not r.told or r.told.passes ~= r.now.passes then tell(r) end
end
records.tell = tell

-- The record of the tree of `m` if it is as it was at the last walk.
function records.find(m)
   local r = kept[m]
   if r and not r.ended and unchanged(r) then
      r.calls = r.calls + 1
      return r
   end
end

-- The record of the last walk of `m`, unless it has ended, and whether its tree is as it was. `calls` counts the calls
-- that have gone by it.
function records.last(m)
   local r = kept[m]
   if r and not r.ended then return r end
end
records.is_current = unchanged

-- Start the record of a walk.
function records.start(m)
   local r = kept[m]
   if r then r.ended = true end
   making = {changes = peers.changes, levels = {}, is_level = {}, states = {}, classes = {}, infos = {}, meanings = {}, watched = setmetatable({}, WEAK), kids = {},
             members = setmetatable({}, WEAK_KEYS), size = 0, own = {}, counts = {}, names = {}, linked = {}, n = 0,
             calls = 0}
   return making
end

-- The walk of `m` is over. A record is of use for the next call unless the tree has a list that is not looked at
-- (`once`), or something changed during the walk.
function records.finish(m, made)
   making = nil
   kept[m] = made
   look_at_classes(made)
   made.now = made.now or meaning(made)
   made.told = made.now
   if made.once or made.changes ~= peers.changes then made.ended = true end
end

return records
