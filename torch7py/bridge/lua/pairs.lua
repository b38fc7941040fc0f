-- `pairs` in an order that is the same in every run.
--
-- The order: numbers ascending, then strings ascending bytewise, then all other keys in Lua's own order.
-- Lua's own order of string keys differs from engine to engine and, on LuaJIT 2.1, from run to run.
--
-- Whatever Lua allows a program during a traversal is allowed here: existing fields may be set, also to nil.
-- A metatable's __pairs is called, as by LuaJIT with Lua 5.2 compatibility; where it answers with Lua's own
-- `next` and a table, that table is put in order too. `next` itself stays as it is.
--
-- LuaJIT 2.1 has an instruction of its own for `for ... in next, t` and `for ... in pairs(t)`. Where such a loop was compiled
-- and then gets another iterator, or a key to go on from, it leaves out elements now and then. So loops here go by `next`
-- from the beginning, and `pairs` never gives `next` itself.
--
-- Arguments: Lua's own `next`, if the global is no longer it; string_order.lua's function, if there is one.
-- Result: {install = f('sorted' | 'native'), which sets the global `pairs`;
--          sorted, native = the two functions}.

local type, rawget, getmetatable, error = type, rawget, getmetatable, error
local global_next, string_order = ...
global_next = global_next or next
local next = (pairs {})     -- what `pairs` goes by; on LuaJIT it is the global too
local debug_getmetatable, sort = debug.getmetatable, table.sort
local floor = math.floor
-- A whole number as itself; LuaJIT then counts in its own whole numbers, which are the faster index.
local integer = bit and bit.tobit or function(n) return n end

-- The order of a table with more keys than this (not counting 1..n at its beginning) is kept and checked at
-- the next traversal; sorting fewer costs less than keeping them.
local SMALL = 8
local MANY = 2000       -- strings from which on `string_order` is worth its arrays
local FEW = 8           -- an order is brought up to date for so many differences, and for more in a large table
local AHEAD = 5         -- so far ahead, and farther in a large table, it is looked whether the keys go on as before
local MOVED = 256       -- so many keys may be in another place with no new key seen yet

local LOOP = {}                                     -- marks the state of one traversal
local orders = setmetatable({}, {__mode = 'k'})     -- table -> its order when it was last traversed

local function before(a, b)
   local ta, tb = type(a), type(b)
   if ta == tb then return a < b end
   return ta == 'number'
end

---------------------------------------------------------------------------------------------------------
-- What a table's order is

-- How many of 1, 2, ..., n come first in Lua's own order, and the key after them: nil for an array.
local function head(t)
   local n = 0
   for key in next, t do
      if key ~= n + 1 then return n, key end
      n = key
   end
   return n, nil
end

-- Where `key` is among the `count` sorted keys, or would be; whether it is there.
local function find(keys, count, key)
   local low, high = 1, count + 1
   while low < high do
      local middle = floor((low + high) / 2)
      if before(keys[middle], key) then low = middle + 1 else high = middle end
   end
   return low, low <= count and keys[low] == key
end

-- A list of `count` without the places in `gone`, and then with `added[i]` in front of what is in the place `at[i]` of the
-- list before; all three ascending. Returns the new count.
local function edit(list, count, gone, at, added)
   local removed = #gone
   for g = 1, removed do
      for i = gone[g] + 1, (gone[g + 1] or count + 1) - 1 do list[i - g] = list[i] end
   end
   for i = count - removed + 1, count do list[i] = nil end
   local last = count - removed
   local put = last
   for a = #added, 1, -1 do
      while removed > 0 and gone[removed] >= at[a] do removed = removed - 1 end
      local from = at[a] - removed      -- after the removals
      for i = last, from, -1 do list[i + a] = list[i] end
      list[from + a - 1] = added[a]
      last = from - 1
   end
   return put + #added
end

-- What came and went since `order` was made, by places in its keys as Lua's own order has them; nil if that is much. A
-- key that is in another place came and went.
local function differences(t, order)
   local native, count, i, others = order.native, order.count, 0, false
   local skip, gone, at, added = order.head, {}, {}, {}
   local keys, size = order.keys, #order.keys
   local most, far = FEW + count / 256, AHEAD + count / 2048
   local moved, new = 0, 0
   for key in next, t do
      local following = integer(i + 1)
      if key == native[following] then
         i = following
      elseif skip > 0 then
         skip = skip - 1
      else
         local kind = type(key)
         if kind == 'string' or kind == 'number' then
            -- Removed keys are passed over; so is one that moved if the next ones go on as before.
            while i < count and key ~= native[i + 1] and rawget(t, native[i + 1]) == nil do
               i = i + 1
               gone[#gone + 1] = i
            end
            local ahead = 0
            while ahead < far and native[i + 1 + ahead] ~= key do ahead = ahead + 1 end
            if ahead < far then
               for _ = 1, ahead do
                  i = i + 1
                  gone[#gone + 1] = i
               end
               i, moved = i + 1, moved + ahead
            else
               if kind == 'number' and key < order.first then return nil end
               at[#at + 1], added[#added + 1] = i + 1, key
               local _, known = find(keys, size, key)
               if known then moved = moved + 1 else new = new + 1 end
            end
            -- A new key may move another, and those beside each other often go one after the other. When many moved for
            -- few new ones, Lua has made room for more, and all are in new places.
            if #gone + #added > most or moved > MOVED + 4 * new then return nil end
         else
            others = true
         end
      end
   end
   if count - i + #gone > most then return nil end
   for j = i + 1, count do gone[#gone + 1] = j end
   return gone, at, added, others
end

-- Bring the order of a table up to date. Returns whether it could be done in less than finding it anew.
local function update(t, order)
   local gone, at, added, others = differences(t, order)
   if not gone then return false end
   order.others = others
   if #gone == 0 and #added == 0 then return true end
   local native, keys = order.native, order.keys
   local size = #keys
   local balance = {}       -- key -> 1: came, -1: went, 0: both
   for i = 1, #added do balance[added[i]] = 1 end
   for i = 1, #gone do
      local key = native[gone[i]]
      balance[key] = (balance[key] or 0) - 1
   end
   local came, went, places = {}, {}, {}
   for key, change in next, balance do
      if change > 0 then came[#came + 1] = key elseif change < 0 then went[#went + 1] = find(keys, size, key) end
   end
   sort(came, before)
   sort(went)
   for i = 1, #came do places[i] = find(keys, size, came[i]) end
   if order.loops > 0 then      -- they go on by the old list
      local copy = {}
      for i = 1, size do copy[i] = keys[i] end
      order = {native = native, head = order.head, keys = copy, first = order.first, others = others, loops = 0}
      orders[t] = order
   end
   edit(order.keys, size, went, places, came)
   order.count = edit(native, #native, gone, at, added)
   return true
end

local function insert_sorted(keys, count)
   for i = 2, count do
      local key, j = keys[i], i - 1
      while j > 0 and before(key, keys[j]) do
         keys[j + 1] = keys[j]
         j = j - 1
      end
      keys[j + 1] = key
   end
end

-- The order of a table that begins with 1..n and goes on: 1..first, then `keys`, then the others.
local function find_order(t, n)
   local keys = {nil, nil, nil, nil, nil, nil, nil, nil}
   local count, first, others, numbers = 0, n, false, false
   local skip = n
   for key in next, t do        -- a tenth of the time of calls of `next`
      local kind = type(key)
      if skip > 0 then
         skip = skip - 1
      elseif kind == 'string' then
         count = count + 1
         keys[count] = key
      elseif kind == 'number' then
         count = count + 1
         keys[count] = key
         numbers = true
         if key < n then first = 0 end
      else
         others = true
      end
   end
   if count <= SMALL and first == n then
      insert_sorted(keys, count)
      return keys, first, others
   end
   local native, strings = keys, not numbers and first == n
   if strings and count >= MANY and string_order then
      keys = string_order(native, count)
   else
      keys = {}
      for i = 1, count do keys[i] = native[i] end
      for i = first + 1, n do keys[count + i] = i end
      if strings then sort(keys) else sort(keys, before) end   -- half the time
   end
   local order = {
      native = native, count = count, head = n, keys = keys, first = first, others = others,
      loops = 0,        -- how many loops go by `keys`: those begun and not ended
   }
   orders[t] = order
   return keys, first, others, order
end

---------------------------------------------------------------------------------------------------------
-- Traversals

local sorted

-- The next of the keys that are neither numbers nor strings, behind `key`, which is one of them or nil.
local function step_others(state, key)
   local order = state.order
   if order then order.loops, state.order, state.ended = order.loops - 1, nil, order end
   if not state.others then return nil end
   local value
   repeat
      key, value = next(state.t, key)
      local kind = type(key)
   until kind ~= 'string' and kind ~= 'number'
   return key, value
end

-- The next of an array. It is not `next` itself, for which see the top.
local function step_array(t, key)
   if key == nil or type(key) == 'number' then
      local following = key == nil and 1 or key + 1
      local value = rawget(t, following)
      if value ~= nil then return following, value end
   end
   return next(t, key)     -- the end, or an element that was removed since the traversal began
end

local step

-- The next where the last one was not `state.keys[state.at]`: in 1..first, at the end, and where a program asks for any key.
local function step_elsewhere(state, key)
   local kind = type(key)
   if key ~= nil and kind ~= 'string' and kind ~= 'number' then return step_others(state, key) end
   local order = state.ended
   if order then order.loops, state.order, state.ended = order.loops + 1, order, nil end
   local keys, first = state.keys, state.first
   if key == nil or kind == 'number' and key >= 1 and key <= first and key % 1 == 0 then
      for n = (key or 0) + 1, first do
         local value = rawget(state.t, n)
         if value ~= nil then
            state.at = 0
            return n, value
         end
      end
      state.at, key = 1, keys[1]
      if key == nil then return step_others(state) end
      local value = rawget(state.t, key)
      if value ~= nil then return key, value end
   else
      local at, known = find(keys, #keys, key)
      if not known then error("invalid key to 'next'", 0) end
      state.at = at
   end
   return step(state, key)
end

-- The iterator's loop-free part comes first: it is what the compiler inlines into the program's loop.
function step(state, key)
   if rawget(state, 'mark') ~= LOOP then            -- a program that calls the iterator on the table itself
      local iterator, made = sorted(state)
      if iterator == step_array then return step_array(state, key) end
      return iterator(made, key)
   end
   local at, keys = state.at, state.keys
   if at == 0 or key ~= keys[at] then return step_elsewhere(state, key) end
   at = integer(at + 1)
   key = keys[at]
   if key == nil then return step_others(state) end
   state.at = at
   local value = rawget(state.t, key)
   if value == nil then return step(state, key) end -- removed since the traversal began
   return key, value
end

-- What a metatable's __pairs returns; nil when there is none.
local function custom(t)
   local mt = debug_getmetatable(t)
   local f = type(mt) == 'table' and rawget(mt, '__pairs')
   if f then
      local iterator, state, start = f(t)
      return iterator, state, start
   end
   if type(t) ~= 'table' then
      error(string.format("bad argument #1 to 'pairs' (table expected, got %s)", type(t)), 3)
   end
   return nil
end

function sorted(t)
   if type(t) ~= 'table' or getmetatable(t) ~= nil then
      local iterator, state, start = custom(t)
      if iterator then
         if iterator ~= next and iterator ~= global_next or start ~= nil or type(state) ~= 'table' then
            return iterator, state, start
         end
         t = state
      end
   end
   local n, key = head(t)
   if key == nil then return step_array, t, nil end
   local order, keys, first, others = orders[t], nil, nil, nil
   if order and order.head == n and update(t, order) then
      order = orders[t]
      keys, first, others = order.keys, order.first, order.others
   else
      keys, first, others, order = find_order(t, n)
   end
   if order then order.loops = order.loops + 1 end
   return step, {mark = LOOP, t = t, keys = keys, first = first, others = others, at = 0, order = order}, nil
end

local function native(t)
   if type(t) ~= 'table' or getmetatable(t) ~= nil then
      local iterator, state, start = custom(t)
      if iterator then return iterator, state, start end
   end
   return next, t, nil
end

local modes = {sorted = sorted, native = native}

local function install(mode)
   local f = modes[mode]
   if not f then error(string.format("pairs: no mode '%s', only 'sorted' and 'native'", tostring(mode)), 0) end
   rawset(_G, 'pairs', f)
end

return {install = install, sorted = sorted, native = native}
