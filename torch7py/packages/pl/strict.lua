-- pl.strict: reading a variable that nothing has set, or setting a new one within a function, is an error.
--
-- Loading it makes the globals strict, unless there is a global PENLIGHT_NO_GLOBAL_STRICT.
--
-- Arguments: core, host, strict.

local _, _, strict = ...
local getinfo = debug.getinfo

-- The kind of the function that reads or sets the variable: 'main' for a file's own lines, 'Lua', 'C'.
local function caller()
   local info = getinfo(3, 'S')
   return info and info.what or 'C'
end

local function look_up(index, t, name)
   if type(index) == 'function' then return index(t, name) end
   return index[name]
end

-- strict.module(name, t[, declared]): make a table strict, which has this name in messages. `declared` is a set of names
-- that may be read unset; with `__global` in it, functions may not set new names.
function strict.module(name, t, declared)
   if type(t) ~= 'table' then t = {} end
   local mt = getmetatable(t)
   if mt and rawget(mt, '__declared') then return end
   if not mt then
      mt = {}
      setmetatable(t, mt)
   end
   declared = declared or {}
   mt.__declared = declared
   local global, index, new_index = declared.__global, mt.__index, mt.__newindex

   function mt.__newindex(self, key, value)
      if new_index then
         new_index(self, key, value)
         if rawget(self, key) ~= nil then return end
      end
      if not declared[key] then
         if global and caller() == 'Lua' then error(("assign to undeclared global '%s'"):format(tostring(key)), 2) end
         declared[key] = true
      end
      rawset(self, key, value)
   end

   function mt.__index(self, key)
      if declared[key] then return nil end
      local sort = caller()
      if index ~= nil then
         local value = look_up(index, self, key)
         if value ~= nil then return value end
      end
      if sort == 'C' then return nil end
      local where = name and (" in '%s'"):format(name) or ''
      error(("variable '%s' is not declared%s"):format(tostring(key), where), 2)
   end
   return t
end

-- Make all tables that are in a table strict.
function strict.make_all_strict(t)
   for name, value in pairs(t) do
      if type(value) == 'table' and value ~= t then strict.module(name, value) end
   end
end

-- strict.closed_module(t, name): a new strict table, which gets later assignments to `t`.
function strict.closed_module(t, name)
   t = t or {}
   local inside = {}
   local mt = getmetatable(t)
   if not mt then
      mt = {}
      setmetatable(t, mt)
   end
   function mt.__newindex(_, key, value) inside[key] = value end
   return strict.module(name, inside)
end

if not rawget(_G, 'PENLIGHT_NO_GLOBAL_STRICT') then
   strict.module(nil, _G, {_PROMPT = true, _PROMPT2 = true, __global = true})
end
