-- Copies of what a script added to a module: its raw fields, with everything they reach.
--
-- Python copies a module and what is inside it, and asks here for the Lua part. Tensors and modules met on the
-- way are copied by Python under the same memo, so that what was shared is shared among the copies.
--
-- Arguments: core, host, class, module. Result: {fields = f(...)}.

local core, host, class, module = ...
local copying = {}

local type, next, rawget, rawset, pcall = type, next, rawget, rawset, pcall
local getmetatable, setmetatable, loadstring = getmetatable, setmetatable, loadstring
local dump, getupvalue, setupvalue, getinfo = string.dump, debug.getupvalue, debug.setupvalue, debug.getinfo
local getfenv, setfenv = getfenv, setfenv
local handle_of, stand_in, wrap, finish = core.handle_of, core.stand_in, core.wrap, core.finish

local TABLE = 17
local OURS = '=[torch7py]'

-- Tables that are the program's furniture and not a module's data.
local function is_furniture(t)
   if t == _G or class.registered[rawget(t, '__typename')] == t then return true end
   for _, loaded in next, package.loaded do
      if loaded == t then return true end
   end
   return false
end

local copy
local depth = 0   -- of the tables and functions that are being copied, one within the other

-- A function with its own copies of the variables around it, as when it had been saved and loaded.
local function copy_function(f, memo, number)
   local info = getinfo(f, 'Su')
   if info.what == 'C' or string.sub(info.source, 1, #OURS) == OURS or info.nups == 0 then return f end
   local made = loadstring(dump(f))
   memo[f] = made
   setfenv(made, getfenv(f))
   for i = 1, info.nups do
      local _, value = getupvalue(f, i)
      setupvalue(made, i, copy(value, memo, number))
   end
   return made
end

local function copy_content(value, memo, number)
   local made = setmetatable({}, getmetatable(value))
   memo[value] = made
   for key, item in next, value do rawset(made, copy(key, memo, number), copy(item, memo, number)) end
   return made
end

local function deeper(f, value, memo, number)
   local level = depth + 1
   depth = level
   local made
   if level % core.LEVELS == 0 then
      made = core.on_a_new_stack(f, value, memo, number)
   else
      made = f(value, memo, number)
   end
   depth = level - 1
   return made
end

function copy(value, memo, number)
   local kind = type(value)
   if kind ~= 'table' and kind ~= 'userdata' and kind ~= 'function' then return value end
   local done = memo[value]
   if done ~= nil then return done end
   local handle = handle_of[value]
   if handle and handle % 32 ~= TABLE then
      local made = finish(pcall(host.copied, number, handle))
      memo[value] = made
      return made
   end
   if kind == 'function' then return deeper(copy_function, value, memo, number) end
   if kind == 'userdata' or is_furniture(value) then return value end
   return deeper(copy_content, value, memo, number)
end

-- Give the module `to` copies of the fields that the script added to `from`. `number` is the handle of Python's
-- memo, `memo` ours. The copy for another step of a sequence (`step`) lives as long as the original.
function copying.fields(from, to, number, memo, step)
   local target = wrap(to)
   memo[#memo + 1] = target
   local source = stand_in[from]
   if source == nil then return end
   memo[source] = target
   local engine = module.engine_fields(source)
   for key, value in next, source do
      if not engine[key] and key ~= module.COMPANIONS then
         rawset(target, copy(key, memo, number), copy(value, memo, number))
      end
   end
   if step then
      local companions = rawget(source, module.COMPANIONS)
      if not companions then
         companions = {}
         rawset(source, module.COMPANIONS, companions)
      end
      companions[#companions + 1] = target
   end
   module.look_into(target)
end

return copying
