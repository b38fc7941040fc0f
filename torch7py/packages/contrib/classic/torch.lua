-- classic.torch: objects of classic's classes that torch.save can write: each is a torch.Object with a field _class.
--
-- Arguments: core {fail}.

local core = ...
local fail = core.fail
local classic = require 'classic'
local type, pairs, rawget, rawset, tostring, setmetatable = type, pairs, rawget, rawset, tostring, setmetatable

local Object = torch.class('torch.Object')

local function methods_of(object) return rawget(rawget(object, '_class'), '_methods') end

function Object:__init() end

-- A file holds a table of the fields, in which _class is the class's name. A class with methods __write and __read
-- writes and reads what follows the name itself.
function Object:write(file)
   local class = rawget(self, '_class')
   local method = rawget(class, '_methods').__write
   if type(method) == 'function' then
      file:writeObject({_class = class:name()})
      method(self, file)
      return self
   end
   local fields = {}
   for key, value in pairs(self) do
      if key == '_class' then
         fields._class = value:name()
      elseif file:isWritableObject(value) then
         fields[key] = value
      else
         io.stderr:write(('$ Warning: cannot write object field <%s>'):format(tostring(key)))
      end
   end
   file:writeObject(fields)
   return self
end

function Object:read(file, version)
   local fields = file:readObject()
   local class = classic.getClass(fields._class)
   rawset(self, '_class', class)
   local method = rawget(class, '_methods').__read
   if type(method) == 'function' then
      method(self, file, version)
   else
      for key, value in pairs(fields) do
         if key ~= '_class' then self[key] = value end
      end
   end
   return self
end

local OWN = {__init = Object.__init, read = Object.read, write = Object.write}

local function refuse(object, key)
   fail('classic: an object of %s is strict and has no %s', rawget(object, '_class'):name(), tostring(key))
end

-- The second result says that the field exists; a strict object has no others.
function Object:__index__(key)
   if OWN[key] then return OWN[key], true end
   if rawget(self, '_class') == nil then return nil, true end
   local methods = methods_of(self)
   local value, index_method = methods[key], rawget(methods, '__index')
   if value == nil and index_method then return index_method(self, key), true end
   if value == nil and rawget(self, '__classic_strict') then refuse(self, key) end
   return value, true
end

function Object:__newindex__(key, value)
   local class = rawget(self, '_class')
   local newindex_method = class and methods_of(self).__newindex
   if newindex_method then newindex_method(self, key, value) return true end
   if rawget(self, '__classic_strict') then refuse(self, key) end
   rawset(self, key, value)
   return true
end

local function operator(name)
   return function(self, ...)
      local f = methods_of(self)[name]
      if not f then fail('classic: %s has no method %s', rawget(self, '_class'):name(), name) end
      return f(self, ...)
   end
end
Object.__call__ = operator '__call'
for _, name in pairs {'__add', '__sub', '__mul', '__div', '__pow', '__unm', '__concat'} do
   Object[name .. '__'] = operator(name)
end

function Object:__tostring__()
   local f = methods_of(self).__tostring
   if f then return f(self) end
   return '[object of class ' .. tostring(rawget(self, '_class')) .. ']'
end

classic._torchCompatibility = true
function classic._createObject(class)
   local object = torch.Object()
   rawset(object, '_class', class)
   return object
end
classic._notify(classic.events.CLASSIC_TORCH_ENABLED)
