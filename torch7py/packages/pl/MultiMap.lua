-- pl.MultiMap: maps from keys to lists of values.
--
-- Arguments: core, host, MultiMap. The packages pl.class, pl.List, pl.Map and pl.utils are loaded before.

local _, _, MultiMap = ...
local class, List, Map = require 'pl.class', require 'pl.List', require 'pl.Map'
local utils = require 'pl.utils'

class(Map, nil, MultiMap)
MultiMap._name = 'MultiMap'

function MultiMap:_init(t)
   if t then self:update(t) end
end

-- map:update(t): of a map each value is one item, of another table it is a list of them.
function MultiMap:update(t)
   utils.assert_arg(1, t, 'table')
   local single = Map:class_of(t)
   for key, value in pairs(t) do self[key] = single and List():append(value) or List(value) end
end

-- map:set(key, value): one more value for a key; nil takes the key away.
function MultiMap:set(key, value)
   if value == nil then
      self[key] = nil
   else
      self[key] = (self[key] or List()):append(value)
   end
end
