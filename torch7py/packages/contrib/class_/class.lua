-- class: classes whose objects are tables, with one parent each.
--
-- Arguments: core {fail}, host, class.

local core, _, class = ...
local fail = core.fail
local type, tostring, rawget, setmetatable, getmetatable = type, tostring, rawget, setmetatable, getmetatable
local metatables = {}

local function check_name(name, what)
   if type(name) ~= 'string' then fail('class: the name of a %s expected, got a %s', what, type(name)) end
end

-- A table that stands for a metatable and can be called.
local function calling(metatable, construct)
   return setmetatable({}, {
      __index = metatable, __newindex = metatable, __metatable = metatable,
      __call = function(_, ...) return construct(...) end,
   })
end

-- class.new(name[, parent]): the class, and its parent's methods.
function class.new(name, parent_name)
   check_name(name, 'class')
   if metatables[name] then fail('class <%s> already exists', name) end
   local parent
   if parent_name ~= nil then
      check_name(parent_name, 'parent class')
      parent = metatables[parent_name] or fail('parent class <%s> does not exist', parent_name)
   end
   local metatable = setmetatable({__typename = name, __version = 1}, parent)
   metatable.__index = metatable
   function metatable.new(...)
      local object = setmetatable({}, metatable)
      if object.__init then object:__init(...) end
      return object
   end
   metatables[name] = metatable
   return calling(metatable, metatable.new), parent
end

-- class.factory(name): an object on which no __init was called.
function class.factory(name)
   check_name(name, 'class')
   return setmetatable({}, metatables[name] or fail('unknown class <%s>', name))
end

function class.metatable(name)
   check_name(name, 'class')
   return metatables[name]
end

-- class.constructor(metatable[, function or name of a method]): a function that creates objects.
function class.constructor(metatable, by)
   if type(metatable) ~= 'table' then fail 'class.constructor: a metatable expected' end
   if type(by) ~= 'function' then
      local name = by or 'new'
      by = metatable[name] or fail('constructor <%s> does not exist in metatable', tostring(name))
   end
   return calling(metatable, by)
end

-- class.type(value): the name of its class, or Lua's type.
function class.type(value)
   local kind = type(value)
   local metatable = kind == 'table' and getmetatable(value)
   return type(metatable) == 'table' and rawget(metatable, '__typename') or kind
end

-- class.istype(value, name): whether its class is that one or derives from it.
function class.istype(value, name)
   if type(value) ~= 'table' or name == 'table' then return type(value) == name end
   local metatable = getmetatable(value)
   while type(metatable) == 'table' do
      if rawget(metatable, '__typename') == name then return true end
      metatable = getmetatable(metatable)
   end
   return false
end

setmetatable(class, {__call = function(_, ...) return class.new(...) end})

local loaded, env = pcall(require, 'argcheck.env')      -- which checks arguments by their types
if loaded then env.isoftype = class.istype end
