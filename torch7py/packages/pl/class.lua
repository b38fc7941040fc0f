-- pl.class: classes with single inheritance.
--
--   local Animal = class()              or  class.Animal()         (a global)
--   function Animal:_init(name) self.name = name end
--   local Dog = class(Animal)           or  class {_base = Animal, _init = function(self) self:super('x') end}
--
-- A class has copies of its base's methods. Arguments: core {fail}, host, class.

local core, _, class = ...
local fail = core.fail

-- Run the nearest constructor from a class upwards; in it self:super(...) runs the next one above.
local function construct(c, object, ...)
   while c and rawget(c, '_init') == nil do c = rawget(c, '_base') end
   if not c then return nil end
   local above = rawget(c, '_base')
   while above and rawget(above, '_init') == nil do above = rawget(above, '_base') end
   rawset(object, 'super', above and function(self, ...) return construct(above, self, ...) end or nil)
   local result = c._init(object, ...)
   rawset(object, 'super', nil)
   return result
end

local function is_a(object, c)
   local at = getmetatable(object)
   if c == nil then return at end
   while type(at) == 'table' do
      if at == c then return true end
      at = rawget(at, '_base')
   end
   return false
end

local function to_string(object)
   local c = getmetatable(object)
   setmetatable(object, nil)
   local text = tostring(object)
   setmetatable(object, c)
   return rawget(c, '_name') and c._name .. text:gsub('^table', '') or text
end

local function make(base, argument, c)
   local plain = type(base) == 'table' and getmetatable(base) == nil and rawget(base, '_class') == nil
   if plain then
      c, base = base, base._base
   elseif base ~= nil and type(base) ~= 'table' then
      fail('a class must derive from a table, not a %s', type(base))
   end
   c = c or {}
   for key, value in next, base or {} do
      if key ~= '_init' and key ~= '_name' and (c[key] == nil or not plain) then c[key] = value end
   end
   c._base, c._class, c.__index = base, c, c
   c.is_a = is_a
   c.class_of = function(self, object) return is_a(object, self) end
   c.cast = function(self, object) return setmetatable(object, self) end
   c.__tostring = c.__tostring or to_string
   local mt = {__index = c._handler}
   function c.catch(self, handler)
      c._handler = handler or self
      mt.__index = c._handler
   end
   function mt.__call(_, ...)
      local object = c._create and c._create(...) or {}
      setmetatable(object, c)
      local other = construct(c, object, ...)
      if other then object = setmetatable(other, c) end
      if base and base._post_init then base._post_init(object) end
      return object
   end
   setmetatable(c, mt)
   if base and base._class_init then base._class_init(c, argument) end
   return c
end

class.properties = make()
function class.properties._class_init(c)
   function c.__index(object, key)
      if c[key] ~= nil then return c[key] end
      local get = rawget(c, 'get_' .. key)
      if get then return get(object) end
      return rawget(object, '_' .. key)
   end
   function c.__newindex(object, key, value)
      local set = c['set_' .. key]
      if set then set(object, value) else rawset(object, key, value) end
   end
end

setmetatable(class, {
   __call = function(_, ...) return make(...) end,
   __index = function(_, name)
      return function(...)
         local c = make(...)
         c._name = name
         rawset(_G, name, c)
         return c
      end
   end,
})
