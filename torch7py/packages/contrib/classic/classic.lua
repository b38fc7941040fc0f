-- classic: classes whose methods are copied into those that derive from them, mixins, methods that must be there.
--
--   local Shape = classic.class('Shape')
--   function Shape:_init(side) self.side = side end          Shape(3).side is 3
--   local Square, super = classic.class('Square', Shape)     super._init(self, side)
--
-- Arguments: core {fail}, host, classic, chunk.

local core, _, classic, chunk = ...
local fail = core.fail
local type, tostring, select, next, pairs, ipairs, pcall = type, tostring, select, next, pairs, ipairs, pcall
local rawget, rawset, setmetatable, getmetatable = rawget, rawset, setmetatable, getmetatable

-- The events that a program can observe: classic.addCallback(classic.events.CLASS_INIT, f).
classic.events = setmetatable({
   CLASS_INIT = 1, CLASS_SET_ATTRIBUTE = 2, CLASS_DEFINE_METHOD = 3, MODULE_INIT = 4, MODULE_DECLARE_CLASS = 5,
   MODULE_DECLARE_SUBMODULE = 6, MODULE_DECLARE_FUNCTION = 7, CLASSIC_TORCH_ENABLED = 8,
}, {__index = function(_, name) fail('classic: there is no event %s', tostring(name)) end})
local listeners = {}

function classic.addCallback(event, f)
   if type(event) ~= 'number' then fail 'classic.addCallback: an event of classic.events expected' end
   if type(f) ~= 'function' then fail 'classic.addCallback: a function expected' end
   listeners[event] = listeners[event] or {}
   table.insert(listeners[event], f)
end

function classic._notify(event, ...)
   for _, f in ipairs(listeners[event] or {}) do f(...) end
end
local tell, events = classic._notify, classic.events

local function name_of(c) return rawget(c, '_name') end
local function methods_of(c) return rawget(c, '_methods') end

local function check_text(value, what)
   if type(value) ~= 'string' then fail('classic: %s is a string, not a %s', what, type(value)) end
end

---------------------------------------------------------------------------------------------------------
-- Methods of every class

local Class = {}

function Class:name() return name_of(self) end
function Class:parent() return rawget(self, '_parent') end
function Class:isClassOf(object) return self == object:class() end

function Class:isSubclassOf(other)
   local at = self
   while at and at ~= other do at = rawget(at, '_parent') end
   return at ~= nil
end

-- The parent's methods, called with a dot: super.method(self, ...).
function Class:super()
   local parent = rawget(self, '_parent')
   if not parent then fail('classic: %s has no parent', name_of(self)) end
   local above = {}
   for name, method in pairs(methods_of(parent)) do
      above[name] = function(first, ...)
         if first == above then fail('classic: super.%s(self, ...) has a dot, not a colon', name) end
         return method(first, ...)
      end
   end
   return setmetatable(above, {
      __index = function(_, name) fail('classic: %s, the parent, has no method %s', name_of(parent), tostring(name)) end,
      __newindex = function() fail 'classic: nothing can be set in super' end,
   })
end

-- c:mustHave(name): objects of c and its subclasses cannot be created before that method exists.
function Class:mustHave(name)
   check_text(name, 'the name of a method')
   table.insert(rawget(self, '_requiredMethods'), name)
end

function Class:final(name)
   check_text(name, 'the name of a method')
   if methods_of(self)[name] == nil then fail('classic: there is no method %s yet that could be final', name) end
   rawget(self, '_finalMethods')[name] = true
end

function Class:methodIsFinal(name)
   check_text(name, 'the name of a method')
   return rawget(self, '_finalMethods')[name] ~= nil
end

local function chosen(c, private)
   local inherited = {}
   for name, method in pairs(methods_of(c)) do
      if type(method) == 'function' and Class[name] == nil and (private or name:sub(1, 1) ~= '_') then
         inherited[name] = method
      end
   end
   return inherited
end
function Class:methods() return chosen(self, false) end
function Class:allMethods() return chosen(self, true) end

local function missing(c)
   for _, name in ipairs(rawget(c, '_requiredMethods')) do
      if methods_of(c)[name] == nil then return name end
   end
end
function Class:abstract() return missing(self) ~= nil end

function Class:instantiate(...)
   local name = missing(self)
   if name then fail('classic: %s must have a method %s before there are objects of it', name_of(self), name) end
   local object = classic._createObject(self)
   local construct = methods_of(self)._init
   if construct then construct(object, ...) end
   return object
end

-- c:include(mixin): the other class's methods, which must be new, and its required and final ones.
function Class:include(other)
   if type(other) == 'string' then other = classic.getClass(other) end
   if not classic.isClass(other) then fail 'classic: a class to include expected' end
   local methods = methods_of(self)
   for name, method in pairs(methods_of(other)) do
      if methods[name] ~= nil then fail('classic: %s has a method %s already', name_of(self), name) end
      methods[name] = method
   end
   for _, name in ipairs(rawget(other, '_requiredMethods')) do table.insert(rawget(self, '_requiredMethods'), name) end
   for name in pairs(rawget(other, '_finalMethods')) do rawget(self, '_finalMethods')[name] = true end
end

-- A table of a class's attributes or functions: a name in it is in no other, nor is it one of those above.
local function exclusive(owner, what, others)
   return setmetatable({}, {__newindex = function(t, name, value)
      if name == 'static' or others()[name] ~= nil or Class[name] ~= nil then
         fail('classic: %s of %s cannot be called %s, which is something else there', what, owner, tostring(name))
      end
      rawset(t, name, value)
   end})
end

local Metaclass = {classicClass = true}
function Metaclass:__call(...) return self:instantiate(...) end
function Metaclass:__tostring() return 'classic.class<' .. tostring(name_of(self)) .. '>' end

function Metaclass:__index(name)
   local value = rawget(rawget(self, 'static'), name)
   if value == nil then value = rawget(rawget(self, '_classAttributes'), name) end
   if value == nil then value = Class[name] end
   if value == nil then fail('classic: the class %s has no %s', name_of(self), tostring(name)) end
   return value
end

function Metaclass:__newindex(name, value)
   if type(value) ~= 'function' then
      rawget(self, '_classAttributes')[name] = value
      tell(events.CLASS_SET_ATTRIBUTE, self, name, value)
   end
   if name == '__init' or name == 'init' then fail('classic: the constructor is called _init, not %s', name) end
   local parent = rawget(self, '_parent')
   local finals = rawget(self, '_finalMethods')
   if (parent and rawget(parent, '_finalMethods')[name]) or (finals[name] and methods_of(self)[name] ~= nil) then
      fail('classic: %s is final and cannot be defined in %s', tostring(name), name_of(self))
   end
   methods_of(self)[name] = value
   tell(events.CLASS_DEFINE_METHOD, self, name, value)
end

local function make(name, parent)
   if type(parent) == 'string' then parent = classic.getClass(parent) end
   local methods, required, finals = {}, {}, {}
   if parent then
      for key, method in pairs(methods_of(parent)) do methods[key] = method end
      for i, key in ipairs(rawget(parent, '_requiredMethods')) do required[i] = key end
      for key in pairs(rawget(parent, '_finalMethods')) do finals[key] = true end
   end
   local c, static = {}, nil
   local attributes = exclusive(name, 'an attribute', function() return static end)
   static = exclusive(name, 'a static function', function() return attributes end)
   c._name, c._parent, c._methods, c._classAttributes, c.static = name, parent, methods, attributes, static
   c._requiredMethods, c._finalMethods = required, finals
   setmetatable(methods, {__index = {
      class = function() return c end,
      classIs = function(_, other) return c == other end,
   }})
   setmetatable(c, Metaclass)
   tell(events.CLASS_INIT, name)
   return c
end

---------------------------------------------------------------------------------------------------------
-- Classes by name

local function check_no_self(first, name)
   if first == classic then fail('classic.%s is called with a dot, not a colon', name) end
end

-- A class that is defined once more: methods must be the same as before.
local function again(c)
   local methods = methods_of(c)
   return setmetatable({}, {
      classicClass = true,
      __call = function(_, ...) return c(...) end,
      __index = function(_, name) return c[name] end,
      __newindex = function(t, name, value)
         if type(value) ~= 'function' then c[name] = value return end
         if methods[name] == nil or string.dump(methods[name]) ~= string.dump(value) then
            fail('classic: %s is defined already, with another method %s', name_of(c), tostring(name))
         end
         rawset(t, name, value)
      end,
   })
end

-- classic.class(name[, parent]): the class, and with a parent the table of its methods.
function classic.class(name, parent)
   check_no_self(name, 'class')
   check_text(name, 'the name of a class')
   if parent and type(parent) ~= 'string' and not classic.isClass(parent) then
      fail 'classic.class: the parent is a class or the name of one'
   end
   local known = classic._registry[name]
   if known then return again(known) end
   local c = make(name, parent)
   classic._registry[name] = c
   if parent == nil then return c end
   return c, c:super()
end

function classic.isClass(value)
   local meta = getmetatable(value)
   return type(meta) == 'table' and meta.classicClass == true
end

function classic.isObject(value)
   if value == nil then fail 'classic.isObject: a value expected' end
   if type(value) ~= 'table' then return false end
   local ok, result = pcall(function() return type(value.class) == 'function' and classic.isClass(value:class()) end)
   return ok and result
end

-- The class of a name; one that is not there yet is required.
function classic.getClass(name)
   check_text(name, 'the name of a class')
   local c = classic._registry[name]
   if c then return c end
   local ok, value = pcall(require, name)
   if not ok then fail('classic: the class %s cannot be loaded: %s', name, tostring(value)) end
   if value == true then value = classic._registry[name] end
   if not classic.isClass(value) or value:name() ~= name then fail('classic: %s is no file of a class of that name', name) end
   return value
end

function classic.deregisterClass(name)
   check_text(name, 'the name of a class')
   if classic._registry[name] == nil then fail('classic: there is no class %s', name) end
   classic._registry[name] = nil
end

function classic.deregisterAllClasses() classic._registry = {} end
classic.deregisterAllClasses()

---------------------------------------------------------------------------------------------------------
-- Objects

classic._torchCompatibility = false

function classic._createObject(c)
   local methods = methods_of(c)
   local index, index_method = methods, rawget(methods, '__index')
   if index_method then
      index = function(object, name)
         local method = methods[name]
         if method ~= nil then return method end
         return index_method(object, name)
      end
   end
   local meta = {__index = index}
   for _, name in ipairs {'__add', '__call', '__concat', '__div', '__mul', '__newindex', '__pow', '__sub', '__tostring',
                          '__unm'} do
      meta[name] = methods[name]
   end
   return setmetatable({}, meta)
end

-- classic.strict(object): from now on a field that it has not is an error, to read and to set.
function classic.strict(object, ...)
   if select('#', ...) > 0 then fail 'classic.strict: one object expected' end
   check_no_self(object, 'strict')
   if object == nil then fail 'classic.strict: an object expected' end
   if classic._torchCompatibility then rawset(object, '__classic_strict', true) return end
   if not classic.isObject(object) then fail 'classic.strict: the object is of no class of classic' end
   local index, name = getmetatable(object).__index, name_of(object:class())
   setmetatable(object, {
      __index = function(self, key)
         local value
         if type(index) == 'function' then value = index(self, key) else value = index[key] end
         if value == nil then fail('classic: an object of %s is strict and has no %s', name, tostring(key)) end
         return value
      end,
      __newindex = function(_, key)
         fail('classic: an object of %s is strict, %s cannot be added to it', name, tostring(key))
      end,
   })
end

chunk('module.lua')(core, classic)
