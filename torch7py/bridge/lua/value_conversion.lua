-- Values as a user of Python gets and gives them (docs/value_conversion.md): tables and functions stay in Lua and Python holds a
-- reference to them, where the calls of layers and operations copy tables (values.lua).
--
-- Arguments: core, host, module, program. Result: functions for Python, by name.

local core, host, module, program = ...
local border = {}

local type, select, pcall, unpack, rawget, rawset, rawequal = type, select, pcall, unpack, rawget, rawset, rawequal
local next, getmetatable = core.native_next, getmetatable
local setmetatable, newproxy, tonumber, tostring, getinfo = setmetatable, newproxy, tonumber, tostring, debug.getinfo
local require, setfenv, native_load = require, setfenv, core.native_load
local gmatch, sub, G = string.gmatch, string.sub, _G
local handle_of, stand_in, read, finish, fail = core.handle_of, core.stand_in, core.read, core.finish, core.fail
local references, refer, protected = core.references, core.refer, core.protected
local NEGATIVE_ZERO, pairs = core.NEGATIVE_ZERO, pairs

local TABLE = 17
local GROUP = 50           -- values of which some are handles, at most, in one call

---------------------------------------------------------------------------------------------------------
-- Out of Lua

local numbers = setmetatable({}, {__mode = 'k'})            -- table or function -> the number by which Python holds it
local python_functions = setmetatable({}, {__mode = 'k'})   -- function -> the handle of the Python callable behind it

-- A handle of what Python holds of a table or function: the same object for as long as it holds it.
local function export_reference(value, kind)
   local number = numbers[value]
   local handle = number and host.known_value(number)
   if handle then return handle end
   number = refer(value)
   numbers[value] = number
   return host.new_value(number, kind == 'table')
end

local function export(value)
   local kind = type(value)
   if kind == 'number' then return value == 0 and 1 / value < 0 and NEGATIVE_ZERO or value, false end
   if kind == 'nil' or kind == 'string' or kind == 'boolean' then return value, false end
   if kind == 'function' then return python_functions[value] or export_reference(value, kind), true end
   if kind == 'table' and module.is(value) then
      module.enter(value)
      program.pinned[value] = true
      return handle_of[value], true
   end
   local handle = handle_of[value]
   if handle and handle % 32 ~= TABLE then return handle, true end
   if kind == 'table' then return export_reference(value, kind), true end
   local number = kind == 'cdata' and tonumber(value)
   if number and number > -2 ^ 53 and number < 2 ^ 53 then return number, false end
   return host.new_foreign(number and tostring(value) or kind), true
end

local function export_all(...)
   local n = select('#', ...)
   if n == 0 then return 0 end
   local values, mask = {...}, 0
   for i = 1, n do
      local value, is_handle = export(values[i])
      values[i] = value
      if is_handle then
         if i > GROUP then fail('more than %d values at once: put them into a table', GROUP) end
         mask = mask + 2 ^ (i - 1)
      end
   end
   return mask, unpack(values, 1, n)
end

---------------------------------------------------------------------------------------------------------
-- Into Lua

local owner = core.owner

-- A Lua function that calls a Python callable.
function core.python_function(handle)
   local u = newproxy(owner)   -- its death gives the handle back
   handle_of[u] = handle
   local function done(...)
      core.advance()
      return finish(...)
   end
   local function f(...)
      core.hand_over()
      return done(pcall(host.call_python, handle_of[u], export_all(...)))
   end
   python_functions[f] = handle
   stand_in[handle] = f
   return f
end

---------------------------------------------------------------------------------------------------------
-- What Python calls. All answer as `program.report` does; `os.exit` within them is for Python to act on

local function report(call, ok, ...)
   if ok or not rawequal((...), core.EXIT) then return program.report(export_all, call, ok, ...) end
   program.report(export_all, call, ok, ...)
   return false, -1, core.EXIT.code
end

local function answering(f)
   return function(...) return report(core.pause(), protected(f, ...)) end
end

-- The globals are read and written as they are, whatever a program's metatable of _G says of names that are not there.
local function at(t, key)
   if t == G then return rawget(t, key) end
   return t[key]
end

border.user_get = answering(function(number, mask, key)
   return at(references[number], (read(mask, key)))
end)

border.user_set = answering(function(number, mask, ...)
   local t = references[number]
   local key, value = read(mask, ...)
   if t == G then rawset(t, key, value) else t[key] = value end
end)

border.user_has = answering(function(number, mask, key)
   return at(references[number], (read(mask, key))) ~= nil
end)

border.user_append = answering(function(number, mask, value)
   local t = references[number]
   t[#t + 1] = read(mask, value)
end)

-- The keys of `most` entries in a list, which Python reads part by part: its number and length.
border.user_keys = answering(function(number, most)
   local keys, n = {}, 0
   for key in pairs(references[number]) do
      if n == most then break end
      n = n + 1
      keys[n] = key
   end
   return refer(keys), n
end)

-- The same with keys and values by turns.
border.user_entries = answering(function(number, most)
   local entries, n = {}, 0
   for key, value in pairs(references[number]) do
      if n == 2 * most then break end
      entries[n + 1], entries[n + 2] = key, value
      n = n + 2
   end
   return refer(entries), n
end)

border.user_count = answering(function(number)
   local n = 0
   for _ in pairs(references[number]) do n = n + 1 end
   return n
end)

-- The entries `first` to `last` of a list: of `user_entries`, or of an array.
function border.user_part(number, first, last)
   return true, export_all(unpack(references[number], first, last))
end

function border.user_length(number) return true, 0, #references[number] end

border.user_call = answering(function(number, mask, ...)
   return references[number](read(mask, ...))
end)

-- A function by its name, such as `torch.manualSeed`.
border.user_named = answering(function(name)
   local value = G
   for part in gmatch(name, '[^.]+') do
      if type(value) ~= 'table' then return nil end
      value = at(value, part)
   end
   return value
end)

border.user_require = answering(function(name) return (require(name)) end)

-- Where a module's class, or the module itself, has the first of its methods that a script has written.
function border.defined_at(handle)
   local m = stand_in[handle]
   local first
   for _, t in next, {m, m and getmetatable(m)} do
      for _, f in next, t do
         local info = type(f) == 'function' and getinfo(f, 'S')
         if info and info.what ~= 'C' and sub(info.source, 1, 11) ~= '=[torch7py]' then
            if first == nil or info.linedefined < first.linedefined then first = info end
         end
      end
   end
   return true, 0, first and first.short_src .. ':' .. first.linedefined or ''
end

-- The file and line of a Lua function; of one of the bridge's or in C, nothing.
function border.user_place(number)
   local info = getinfo(references[number], 'S')
   if info.what == 'C' or sub(info.source, 1, 11) == '=[torch7py]' then return true, 0, '', 0 end
   return true, 0, info.short_src, info.linedefined
end

function border.user_globals() return true, 0, refer(G) end

-- Run Lua of this package's: it has the globals that these files have, whatever the program has made of them.
local own = getfenv(1)
border.execute_own = answering(function(source, name)
   return setfenv(native_load(source, name), own)()
end)

function border.execute(source, name) return program.evaluate(source, name, export_all) end

-- Let go of what Python no longer holds.
function border.drop(...)
   for i = 1, select('#', ...) do references[select(i, ...)] = nil end
end

return border
