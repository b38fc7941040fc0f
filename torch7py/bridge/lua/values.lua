-- Values between Lua and Python: numbers, strings and booleans as they are, all else as handles.
--
-- Many values go as a bit mask, which says which of them are handles, and the values.
--
-- Arguments: core, host. Adds to the table `core`.

local core, host = ...

local type, select, pcall, error, unpack, next = type, select, pcall, error, unpack, next
local setmetatable, getmetatable, tonumber, rawget = setmetatable, getmetatable, tonumber, rawget
local handle_of, own, wrap, fail, make = core.handle_of, core.own, core.wrap, core.fail, core.make

local TABLE = 17

---------------------------------------------------------------------------------------------------------
-- Values out of Lua: the value to pass, and whether it is a handle

local references = core.references

local number_of = setmetatable({}, {__mode = 'k'})   -- object of a program's class -> its last number

-- A handle for a value that stays in Lua, good for one call: a `function`, a table for its `fields`, or an `object`, which
-- is the same in Python as long as that holds it.
local function pass_reference(value, what)
   local last = what == 'object' and number_of[value]
   local known = last and host.known_object(last)
   if known then return known end
   local number = core.refer(value)
   if what == 'object' then number_of[value] = number end
   local made, dropped = host.new_reference(number, what)
   if dropped then references[dropped] = nil end
   return made
end
core.pass_reference = pass_reference

-- lupa hands over whole numbers as ints, which have no -0: that one goes as a Python object.
local NEGATIVE_ZERO = host.negative_zero
core.NEGATIVE_ZERO = NEGATIVE_ZERO

-- Whether a table is an object of a class of the program's own. Layers know such objects as no tables and hand them on as they
-- are; they stay in Lua.
local function is_object(t)
   local mt = getmetatable(t)
   return type(mt) == 'table' and rawget(mt, '__typename') ~= nil and mt.__torch7py_peer == nil
end
core.is_object = is_object

local pass
local GROUP = 50           -- table entries passed in one call

local maps = setmetatable({}, {__mode = 'k'})   -- table -> whether Python has a dict for it, not a list

-- Give a table a list or dict in Python.
local function give_table(t, map)
   local handle = host.new_table(map)
   own(t, handle)
   maps[t] = map
   return handle
end

local function is_map(t, handle)
   local map = maps[t]
   if map == nil then
      map = host.is_map(handle)
      maps[t] = map
   end
   return map
end

-- What a table held when Python's list behind it held the same: its entries, of objects the handles (as `mask` says), and
-- how many. Numbers alone, and so no table is kept alive by it. Python keeps the same of its lists (see handles.py).
local sent = setmetatable({}, {__mode = 'k'})

-- Whether a table has other keys than 1..n. To begin with `next(t, n)` would not do: numbers may stand among the other
-- keys, in any order.
local function has_others(t, n)
   for key in next, t do
      if type(key) ~= 'number' or key < 1 or key > n or key % 1 ~= 0 then return true end
   end
   return false
end

local active = {}   -- tables being passed, read or compared, against cycles

-- Forget what an interrupt has left half done.
function core.abandon()
   for t in next, active do active[t] = nil end
end

-- The same of long tables and of those with other keys: values and handles by key. Not of tables with objects as
-- keys, which would be kept alive, or with functions, of which Python gets another each time.
local function remember_entries(t)
   local plain, held, count = {}, {}, 0
   sent[t], active[t] = nil, true
   for key, value in next, t do
      local kind, key_kind = type(value), type(key)
      if kind == 'function' or key_kind ~= 'string' and key_kind ~= 'number' and key_kind ~= 'boolean' then
         active[t] = nil
         return
      end
      count = count + 1
      if kind == 'userdata' or kind == 'table' then
         local handle = rawget(handle_of, value)
         held[key] = handle
         if handle and handle % 32 == TABLE then core.remember(value) end
      else
         plain[key] = value
      end
   end
   active[t] = nil
   sent[t] = {plain = plain, held = held, count = count}
end

function core.remember(t)
   local n = #t
   if active[t] then
      sent[t] = nil
      return
   end
   if n > GROUP or has_others(t, n) then return remember_entries(t) end
   local known, mask = {n = n}, 0
   active[t] = true
   for i = 1, n do
      local value = t[i]
      local kind = type(value)
      if kind == 'userdata' or kind == 'table' then
         local handle = rawget(handle_of, value)
         known[i] = handle
         mask = mask + 2 ^ (i - 1)
         if handle and handle % 32 == TABLE then core.remember(value) end
      else
         known[i] = value
      end
   end
   active[t] = nil
   known.mask = mask
   sent[t] = known
end

local unchanged

local function unchanged_entries(t, known)
   local plain, held, count = known.plain, known.held, 0
   active[t] = true
   for key, value in next, t do
      local kind, same = type(value), nil
      count = count + 1
      if kind == 'userdata' or kind == 'table' then
         local handle = rawget(handle_of, value)
         same = handle ~= nil and handle == held[key] and (handle % 32 ~= TABLE or unchanged(value))
      else
         same = plain[key] == value
      end
      if not same then count = -1 break end
   end
   active[t] = nil
   return count == known.count
end

-- Whether a script has left a table as it was when Python had the same.
function unchanged(t)
   local known = sent[t]
   if not known or active[t] then return false end
   if known.held then return unchanged_entries(t, known) end
   local n = #t
   if known.n ~= n then return false end
   local mask = 0
   active[t] = true
   for i = 1, n do
      local value = t[i]
      local kind = type(value)
      local entry = value
      if kind == 'userdata' or kind == 'table' then
         entry = rawget(handle_of, value)
         mask = mask + 2 ^ (i - 1)
         if entry and entry % 32 == TABLE and not unchanged(value) then entry = nil end
         if entry == nil then mask = -1 break end
      end
      if entry ~= known[i] then mask = -1 break end
   end
   active[t] = nil
   return mask == known.mask and not has_others(t, n)
end
core.unchanged = unchanged

-- The entries 1..n of a table of a few, for one call: how many are handles, as a mask, and the values.
local function pass_few(t, n)
   local values, mask = {}, 0
   for i = 1, n do
      local value, is_handle = pass(t[i])
      values[i] = value
      if is_handle then mask = mask + 2 ^ (i - 1) end
   end
   return mask, values
end

-- Make or fill the Python list behind a table with the table's entries 1..n.
local function pass_array(handle, t, n)
   if n <= GROUP then
      local mask, values = pass_few(t, n)
      handle = handle_of[t]   -- the table may be among its own entries
      if handle == nil then
         own(t, host.new_list(mask, unpack(values, 1, n)))
         maps[t] = false
      else
         host.fill_list(handle, mask, unpack(values, 1, n))
      end
      return
   end
   if handle == nil then handle = give_table(t, false) end
   host.start_list(handle, n)
   local at = 1
   while at <= n do
      local last = at + GROUP - 1
      if last > n then last = n end
      local values, mask = {}, 0
      for i = at, last do
         local value, is_handle = pass(t[i])
         values[i - at + 1] = value
         if is_handle then mask = mask + 2 ^ (i - at) end
      end
      host.extend_list(handle, mask, unpack(values, 1, last - at + 1))
      at = last + 1
   end
end

local function pass_map(handle, t)
   if handle == nil then handle = give_table(t, true) end
   host.start_map(handle)
   for key, value in next, t do
      local k, k_is = pass(key)
      local v, v_is = pass(value)
      host.set_entry(handle, (k_is and 1 or 0) + (v_is and 2 or 0), k, v)
   end
end

local DEEPEST = 500        -- levels of tables within tables
local depth = 0

local function pass_table(t)
   local handle = handle_of[t]
   if active[t] then return handle or give_table(t, false), true end
   if depth == DEEPEST then fail('tables more than %d levels deep cannot be passed', DEEPEST) end
   sent[t] = nil
   local n = #t
   local map = has_others(t, n)
   if handle ~= nil and is_map(t, handle) ~= map then handle = give_table(t, map) end
   active[t] = true
   depth = depth + 1
   local ok, err = pcall(map and pass_map or pass_array, handle, t, n)
   depth = depth - 1
   active[t] = nil
   if not ok then error(err, 0) end
   return handle_of[t], true
end

function pass(value)
   local kind = type(value)
   if kind == 'nil' or kind == 'string' or kind == 'boolean' then return value, false end
   if kind == 'number' then return value == 0 and 1 / value < 0 and NEGATIVE_ZERO or value, false end
   local handle = handle_of[value]
   if handle then
      if handle % 32 == TABLE then return pass_table(value) end
      return handle, true
   end
   if kind == 'table' then
      if is_object(value) then return pass_reference(value, 'object'), true end
      local mt = getmetatable(value)
      if mt and mt.__torch7py_peer then return mt.__torch7py_peer(value), true end
      return pass_table(value)
   end
   if kind == 'function' then return pass_reference(value, 'function'), true end
   if kind == 'cdata' and tonumber(value) then return tonumber(value), false end
   fail('a %s cannot be passed to this function', kind)
end
core.pass = pass

-- mask, values... of some arguments
local function pass_all(...)
   local n = select('#', ...)
   if n == 0 then return 0 end
   if n == 1 then
      local value, is_handle = pass((...))
      return is_handle and 1 or 0, value
   end
   if n == 2 then
      local a, b = ...
      local x, x_is = pass(a)
      local y, y_is = pass(b)
      return (x_is and 1 or 0) + (y_is and 2 or 0), x, y
   end
   local values, mask = {...}, 0
   for i = 1, n do
      local value, is_handle = pass(values[i])
      values[i] = value
      if is_handle then mask = mask + 2 ^ (i - 1) end
   end
   return mask, unpack(values, 1, n)
end
core.pass_all = pass_all

---------------------------------------------------------------------------------------------------------
-- Values into Lua

local function read(mask, ...)
   if mask == 0 then return ... end
   local n = select('#', ...)
   if n == 1 then return wrap((...)) end
   local values = {...}
   for i = 1, n do
      if mask % 2 == 1 then values[i] = wrap(values[i]) end
      mask = (mask - mask % 2) / 2
   end
   return unpack(values, 1, n)
end
core.read = read

local function put_entries(t, at, mask, ...)
   for i = 1, select('#', ...) do
      local value = select(i, ...)
      if mask % 2 == 1 then value = wrap(value) end
      mask = (mask - mask % 2) / 2
      t[at + i - 1] = value
   end
end

-- The first entries, of a list of n; those that the table has beyond go.
local function put_list(t, n, ...)
   for i = #t, n + 1, -1 do t[i] = nil end
   put_entries(t, 1, ...)
   return n
end

-- Some entries of a map, keys and values by turns; `seen` gets their keys. Returns how many they are.
local function put_pairs(t, seen, mask, ...)
   local n = select('#', ...)
   local values = {...}
   for i = 1, n do
      if mask % 2 == 1 then values[i] = wrap(values[i]) end
      mask = (mask - mask % 2) / 2
   end
   for i = 1, n, 2 do
      t[values[i]] = values[i + 1]
      seen[values[i]] = true
   end
   return n / 2
end

-- Bring a table up to what its Python list or map holds.
local function refresh(t, handle)
   if active[t] then return end
   sent[t] = nil
   active[t] = true
   if is_map(t, handle) then
      local seen = {}
      local n = put_pairs(t, seen, host.first_entries(handle, GROUP / 2))
      while n == GROUP / 2 do n = put_pairs(t, seen, host.more_entries(handle, GROUP / 2)) end
      for key in next, t do
         if not seen[key] then t[key] = nil end
      end
   else
      local n = put_list(t, host.whole_list(handle, GROUP))
      for at = GROUP + 1, n, GROUP do
         put_entries(t, at, host.list_part(handle, at, GROUP))
      end
   end
   active[t] = nil
end

make[TABLE] = function(handle)
   local t = {}
   own(t, handle)
   refresh(t, handle)
   return t
end
core.refresh = refresh
