-- pl.OrderedMap: maps that know in which order their keys came.
--
-- Arguments: core {fail}, host, OrderedMap. The packages pl.class, pl.List, pl.Map and pl.tablex are loaded before.

local core, _, OrderedMap = ...
local fail = core.fail
local class, List, Map, tablex = require 'pl.class', require 'pl.List', require 'pl.Map', require 'pl.tablex'

class(Map, nil, OrderedMap)
OrderedMap._name = 'OrderedMap'

function OrderedMap:_init(t)
   rawset(self, '_keys', List())
   if t then self:update(t) end
end

-- om:update(t): the entries of an ordered map or of a list {{key = value}, ...} in their order, those of a table in any.
function OrderedMap:update(t)
   if type(t) ~= 'table' then fail("argument 1 expected a 'table', got a '%s'", type(t)) end
   if OrderedMap:class_of(t) then
      for key, value in t:iter() do self:set(key, value) end
   elseif #t == 0 then
      for key, value in pairs(t) do self:set(key, value) end
   elseif type(t[1]) ~= 'table' then
      fail 'cannot use an array to initialize an OrderedMap'
   else
      for _, pair in ipairs(t) do
         local key, value = next(pair)
         if key == nil then fail 'empty pair initialization table' end
         self:set(key, value)
      end
   end
   return self
end

-- om:set(key, value): a new key comes last, nil removes one.
function OrderedMap:set(key, value)
   local is_new = rawget(self, key) == nil
   if value == nil then
      self._keys:remove_value(key)
   elseif is_new then
      self._keys:append(key)
   end
   rawset(self, key, value)
   return self
end
OrderedMap.__newindex = OrderedMap.set

-- om:insert(i, key[, value]): the key, with its own value or another, to place i.
function OrderedMap:insert(i, key, value)
   local old = rawget(self, key)
   value = value or old
   if old then self._keys:remove_value(key) end
   if value then
      self._keys:insert(i, key)
      rawset(self, key, value)
   end
   return self
end

function OrderedMap:keys() return self._keys end
function OrderedMap:values() return List(tablex.index_by(self, self._keys)) end

function OrderedMap:sort(less)
   table.sort(self._keys, less)
   return self
end

function OrderedMap:iter()
   local i = 0
   return function()
      i = i + 1
      local key = self._keys[i]
      if key ~= nil then return key, self[key] end
   end
end
OrderedMap.__pairs = OrderedMap.iter

function OrderedMap:__tostring()
   local parts = {}
   for key, value in self:iter() do
      parts[#parts + 1] = tostring(key) .. '=' .. (type(value) == 'number' and tostring(value) or ('"%s"'):format(tostring(value)))
   end
   return '{' .. table.concat(parts, ',') .. '}'
end
