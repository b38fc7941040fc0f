-- pl.Map: tables with methods. A table that Map gets becomes the map itself; a map or a set is copied.
--
-- Arguments: core, host, Map. The packages pl.class, pl.List, pl.pretty and pl.tablex are loaded before.

local _, _, Map = ...
local class, List, pretty, tablex = require 'pl.class', require 'pl.List', require 'pl.pretty', require 'pl.tablex'

class(nil, nil, Map)
Map._name = 'Map'

function Map:_init(t)
   local mt = getmetatable(t)
   if mt ~= Map and mt ~= package.loaded['pl.Set'] or t == nil then return t end
   self:update(t)
end

Map.keys, Map.values, Map.len, Map.update = tablex.keys, tablex.values, tablex.size, tablex.update

function Map:iter() return pairs(self) end

function Map:items()
   local items = List()
   for key, value in pairs(self) do items:append(List {key, value}) end
   return items:sort(function(a, b) return a[1] < b[1] end)
end

function Map:get(key) return rawget(self, key) end
function Map:set(key, value) self[key] = value end

function Map:setdefault(key, value)
   if not self[key] then self:set(key, value) end
   return self[key]
end

function Map:getvalues(keys) return List(tablex.index_by(self, keys)) end

function Map:__eq(other) return tablex.deepcompare(self, other, true) end
function Map:__tostring() return pretty.write(self, '') end
