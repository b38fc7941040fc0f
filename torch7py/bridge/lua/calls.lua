-- Calls from Lua into Python, and from Python into Lua.
--
-- Arguments: core. Adds to the table `core`.

local core = ...

local type, select, pcall, xpcall, unpack, next, sort = type, select, pcall, xpcall, unpack, next, table.sort
local handle_of, wrap, rethrow, catch, tell = core.handle_of, core.wrap, core.rethrow, core.catch, core.tell
local pass, pass_all, pass_reference, read, refresh = core.pass, core.pass_all, core.pass_reference, core.read, core.refresh
local references = core.references

local TABLE = 17

local function finish(ok, mask, ...)
   if not ok then rethrow(mask) end
   return read(mask, ...)
end
core.finish = finish

local function plainly(ok, ...)
   if not ok then rethrow((...)) end
   return ...
end

-- Call a Python function of the convention f(mask, values...) -> mask, values... Reading the results is no tail call:
-- until it is done, what was passed lives on, and what only that holds.
function core.call(f, ...)
   return plainly(true, finish(pcall(core.moving(f), pass_all(...))))
end

-- Call a Python function that takes and returns plain values (handles are numbers to it).
function core.raw(f, ...)
   return plainly(pcall(f, ...))
end

-- Values for a call, those at the numbers `stay` as references to the script's own tables.
local function pass_some(stay, ...)
   local n = select('#', ...)
   local values, mask = {...}, 0
   for i = 1, n do
      local value, is_handle = values[i], true
      if stay[i] and type(value) == 'table' then
         value = pass_reference(value, 'fields')
      else
         value, is_handle = pass(value)
      end
      values[i] = value
      if is_handle then mask = mask + 2 ^ (i - 1) end
   end
   return mask, unpack(values, 1, n)
end

core.pass_some = pass_some

-- A Lua function for a Python function of the convention f(mask, values...) -> mask, values... Tables among the
-- arguments are copied and afterwards as Python leaves them, but for those at the numbers in the set `stay`:
-- these Python reads and writes where they are.
function core.bind(f, stay)
   f, stay = core.moving(f), stay or {}
   local function done(...)
      core.advance()
      return finish(...)
   end
   return function(...)
      local n = select('#', ...)
      local tables
      for i = 1, n do
         local value = select(i, ...)
         if type(value) == 'table' and not stay[i] and (handle_of[value] == nil or handle_of[value] % 32 == TABLE) then
            tables = tables or {}
            tables[#tables + 1] = value
         end
      end
      if not tables then return plainly(true, done(pcall(f, pass_some(stay, ...)))) end   -- nor is this one
      local function settle(...)
         for i = 1, #tables do
            if handle_of[tables[i]] then refresh(tables[i], handle_of[tables[i]]) end
         end
         return ...
      end
      return settle(done(pcall(f, pass_some(stay, ...))))
   end
end

-- Calls from Python. They return true, mask, values... or false and what `core.tell` says of the error.
local function answer(ok, ...)
   core.hand_over()
   core.settle_rest()
   if not ok then return tell((...)) end
   return core.delivered(core.protected(pass_all, ...))
end

-- `pcall` of a function for Python's sake.
local function protected(f, ...)
   return xpcall(f, catch, ...)
end
if not select(2, xpcall(function(x) return x end, catch, true)) then   -- Lua 5.1's passes no arguments
   function protected(f, ...)
      local n, arguments = select('#', ...), {...}
      return xpcall(function() return f(unpack(arguments, 1, n)) end, catch)
   end
end
core.protected = protected

-- The last step of an answer: values that were passed, or what went wrong with them.
function core.delivered(ok, ...)
   if ok then return true, ... end
   return tell((...))
end

-- Set by the chunk that knows modules: Lua goes on within a call into Python, and gives way to it again.
core.pause = function() end
core.resume = function(call) end

-- Set by the same chunk: hand over what no call from Lua waited for, once there is none.
core.settle_rest = function() end

local function resumed(call, ...)
   core.resume(call)
   return ...
end

local function call_reference(number, mask, ...)
   return resumed(core.pause(), references[number](read(mask, ...)))
end

core.answer = answer

-- Python reads and writes a table that stays in Lua.
local function get(number, key) return references[number][key] end

local function pick(number, ...)
   local t, keys = references[number], {...}
   local n = #keys
   for i = 1, n do keys[i] = t[keys[i]] end
   return unpack(keys, 1, n)
end

local function set(number, key, mask, ...) references[number][key] = (read(mask, ...)) end

function core.table_get(...) return answer(protected(get, ...)) end
function core.table_pick(...) return answer(protected(pick, ...)) end
function core.table_set(...) return answer(protected(set, ...)) end

function core.table_keys(number, with_numbers)
   local numbers, names = {}, {}
   for key in next, references[number] do
      if type(key) == 'string' then
         names[#names + 1] = key
      elseif with_numbers and type(key) == 'number' then
         numbers[#numbers + 1] = key
      end
   end
   sort(numbers)
   sort(names)
   for i = 1, #names do numbers[#numbers + 1] = names[i] end
   return answer(true, numbers)
end

function core.call_function(number, mask, ...)
   return answer(protected(call_reference, number, mask, ...))
end

-- Set by the chunk that knows modules: hand over what the script did before Python goes on.
core.settle = function(call, object) end

-- Set by the same chunk: take over what Python did before a method of an object runs in Lua. What it returns is for
-- `settle`.
core.catch_up = function(object) end

local function settled(object, call, ...)
   core.settle(call, object)
   return ...
end

local function call_member(handle, name, mask, ...)
   local object = wrap(handle)
   return settled(object, core.catch_up(object), object[name](object, read(mask, ...)))
end

local function call_with(handle, f, ...)
   local object = wrap(handle)
   return settled(object, core.catch_up(object), f(object, ...))
end

-- The same of a function that is no method of the object.
function core.call_of(handle, f, ...) return answer(protected(call_with, handle, f, ...)) end

function core.call_method(handle, name, mask, ...)
   return answer(protected(call_member, handle, name, mask, ...))
end

-- The same of a method as it is found in a class above the object's: c.name(object, ...).
local function call_above(handle, c, name, mask, ...)
   local object = wrap(handle)
   return settled(object, core.catch_up(object), core.class_named(c)[name](object, read(mask, ...)))
end

function core.call_parent_method(handle, c, name, mask, ...)
   return answer(pcall(call_above, handle, c, name, mask, ...))
end

-- object:name(function(child) child:inner(...) end): the object's own way to go to what is inside it.
local function pass_on(handle, name, inner, mask, ...)
   local object = wrap(handle)
   local n, arguments = select('#', ...), {read(mask, ...)}
   return settled(object, core.catch_up(object), object[name](object, function(child)
      child[inner](child, unpack(arguments, 1, n))
   end))
end

-- The program's `print` as it is now.
function core.print(mask, ...)
   return answer(protected(function(...) print(read(...)) end, mask, ...))
end

function core.call_with_each(handle, name, inner, mask, ...)
   return answer(protected(pass_on, handle, name, inner, mask, ...))
end
