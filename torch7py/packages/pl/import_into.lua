-- pl.import_into: a function that brings Penlight's modules into a table, each when it is first named.
--
-- Arguments: core, host.

-- pl.strict is none of them: it changes the globals.
local MODULES = {}
for name in ([[Date List Map MultiMap OrderedMap Set app array2d class compat comprehension config data dir file func input
   lapp lexer luabalanced operator path permute pretty seq sip stringio stringx tablex template test text types url utils
   xml]]):gmatch '%w+' do
   MODULES[name] = true
end

-- import_into([t]): the table (by default a new one), and the table that holds later assignments: the same one, or with
-- `true` a separate one.
return function(env)
   local set_later
   if env == true then env, set_later = nil, {} end
   env = env or {}
   local mt = getmetatable(env) or {}
   local before = mt.__index
   function mt.__index(t, name)
      if MODULES[name] then
         local module = require('pl.' .. name)
         rawset(t, name, module)
         return module
      end
      if before == nil then return nil end
      if type(before) == 'function' then return before(t, name) end
      return before[name]
   end
   if set_later then
      function mt.__newindex(t, name, value)
         set_later[name] = value
         rawset(t, name, value)
      end
   end
   setmetatable(env, mt)
   return env, set_later or env
end
