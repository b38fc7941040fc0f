-- pl: the modules of Penlight that there are, as globals when they are first named, and `%` on strings.
--
-- Arguments: core, host, pl.

local _, _, pl = ...

local MODULES = {}
for name in ('List class dir file lapp path pretty stringx tablex text utils'):gmatch('%a+') do MODULES[name] = true end

local function module(t, name)
   if MODULES[name] then
      local made = require('pl.' .. name)
      rawset(t, name, made)
      return made
   end
end

setmetatable(pl, {__index = module})

local mt = getmetatable(_G) or {}
local before = mt.__index
function mt.__index(t, name)
   local found = module(t, name)
   if found ~= nil or before == nil then return found end
   if type(before) == 'function' then return before(t, name) end
   return before[name]
end
setmetatable(_G, mt)

require('pl.stringx').format_operator()
