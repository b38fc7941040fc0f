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

-- The order of a table with more keys than this (not counting 1..n at its beginning) is kept and checked at
-- the next traversal; sorting fewer costs less than keeping them.
local SMALL = 8
local MANY = 2000       -- strings from which on `string_order` is worth its arrays

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

-- Whether the numbers and strings after 1..n are those that `order` was made of.
local function unchanged(t, order)
   local native, i, others = order.native, 0, false
   local skip = order.head
   for key in next, t do
      if skip > 0 then
         skip = skip - 1
      elseif key == native[i + 1] then
         i = i + 1
      else
         local kind = type(key)
         if kind == 'string' or kind == 'number' then return false end
         others = true
      end
   end
   return i == order.count and others == order.others
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
   orders[t] = {native = native, count = count, head = n, keys = keys, first = first, others = others}
   return keys, first, others
end

---------------------------------------------------------------------------------------------------------
-- Traversals

local sorted

-- The next of the keys that are neither numbers nor strings.
local function step_others(state)
   local t, key, value = state.t, state.other, nil
   if not state.others then return nil end
   repeat
      key, value = next(t, key)
      local kind = type(key)
   until kind ~= 'string' and kind ~= 'number'
   state.other, state.key = key, key
   return key, value
end

-- Put a traversal right behind `key`.
local function seek(state, key)
   local kind = type(key)
   state.key = key
   if kind ~= 'string' and kind ~= 'number' then
      state.at = key ~= nil and state.first + #state.keys or 0
      state.other = key
      return
   end
   state.other = nil
   if kind == 'number' and key >= 1 and key <= state.first then
      state.at = key
      return
   end
   for i, known in next, state.keys do
      if known == key then
         state.at = state.first + i
         return
      end
   end
   error("invalid key to 'next'", 0)
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

-- The iterator's loop-free part comes first: it is what the compiler inlines into the program's loop.
local function step(state, key)
   if rawget(state, 'mark') ~= LOOP then            -- a program that calls the iterator on the table itself
      local iterator, made = sorted(state)
      if iterator == step_array then return step_array(state, key) end
      seek(made, key)
      return iterator(made, key)
   end
   if key ~= state.key then seek(state, key) end
   local at = state.at + 1
   if at <= state.first then key = at else key = state.keys[at - state.first] end
   if key == nil then return step_others(state) end
   state.at, state.key = at, key
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
      error(("bad argument #1 to 'pairs' (table expected, got %s)"):format(type(t)), 3)
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
   if order and order.head == n and unchanged(t, order) then
      keys, first, others = order.keys, order.first, order.others
   else
      keys, first, others = find_order(t, n)
   end
   return step, {mark = LOOP, t = t, keys = keys, first = first, others = others, at = 0}, nil
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
   if not f then error(("pairs: no mode '%s', only 'sorted' and 'native'"):format(tostring(mode)), 0) end
   rawset(_G, 'pairs', f)
end

return {install = install, sorted = sorted, native = native}
