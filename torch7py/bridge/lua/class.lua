-- Torch7's class system: class tables, constructors, inheritance, operators by name.
--
-- A class table is the metatable of its instances and holds the methods; its parent is found through its own
-- metatable. `nn.Linear` is a constructor table: callable, and a window on the class table.
--
-- Arguments: core, native = {type, ...} (the functions as Lua has them). Result: the table `class`.

local core = ...
local class = {}

local type, rawget, rawset, rawequal, setmetatable, getmetatable = type, rawget, rawset, rawequal, setmetatable, getmetatable
local select, tostring, next = select, tostring, next
local fail, handle_of = core.fail, core.handle_of

-- Name -> class table (or the metatable of a userdata type). As in the original Lua's registry knows them too, which
-- is how torchnet tells a class.
local registry = debug.getregistry()
local registered = setmetatable({}, {__newindex = function(t, name, c)
   rawset(t, name, c)
   registry[c] = name
end})
function class.is_class(t) return type(registry[t]) == 'string' end
local constructors = {}     -- name -> constructor table
class.registered, class.constructors = registered, constructors
local is_constructor = setmetatable({}, {__mode = 'k'})    -- constructor table -> true: it has no type of its own

---------------------------------------------------------------------------------------------------------
-- Lookups through named operators: `__index__`, `__add__`, ... which a class may define at any time

local function typename(x)
   if type(x) == 'cdata' then return nil end
   local mt = getmetatable(x)
   if type(mt) ~= 'table' then return nil end
   local name = rawget(mt, '__typename')
   if name and rawequal(registered[name], mt) and not is_constructor[x] then return name end
   return nil
end
class.typename = typename

local function torch_type(x)
   return typename(x) or type(x)
end
class.type = torch_type

local OPERATORS = {add = 'addition', sub = 'subtraction', mul = 'multiplication', div = 'division', mod = 'modulo',
                   pow = 'power', concat = 'concatenation', lt = 'less-than', le = 'less-or-equal'}

local function method_of(x, name)
   local mt = (type(x) == 'table' or type(x) == 'userdata') and getmetatable(x)
   return type(mt) == 'table' and mt[name] or nil
end

local operators = {}
class.operators = operators
for name, word in pairs(OPERATORS) do
   local key = '__' .. name .. '__'
   operators['__' .. name] = function(a, b)
      local f = method_of(a, key) or method_of(b, key)
      if f == nil then fail('neither %s nor %s has the %s operator', torch_type(a), torch_type(b), word) end
      return f(a, b)
   end
end
operators.__eq = function(a, b)
   local f = method_of(a, '__eq__') or method_of(b, '__eq__')
   if f then return f(a, b) end
   return rawequal(a, b)
end
operators.__unm = function(a)
   local f = method_of(a, '__unm__')
   if f == nil then fail('%s has no negation operator', torch_type(a)) end
   return f(a)
end
operators.__len = function(a)
   local f = method_of(a, '__len__') or method_of(a, '__len')
   if f == nil or f == operators.__len then fail('%s has no length operator', torch_type(a)) end
   return f(a)
end
operators.__call = function(a, ...)
   local f = method_of(a, '__call__')
   if f == nil then fail('%s cannot be called', torch_type(a)) end
   return f(a, ...)
end
operators.__tostring = function(a)
   local f = method_of(a, '__tostring__')
   if f == nil then return torch_type(a) end
   if type(f) == 'function' then return f(a) end
   return f
end

---------------------------------------------------------------------------------------------------------
-- Class tables

-- The plain instance of a Lua class: a table whose class may define __index__ and __newindex__.
local function plain_index(c)
   return function(object, key)
      local f = c.__index__
      if f ~= nil then
         local value, found = f(object, key)
         if found then return value end
      end
      return c[key]
   end
end

local function plain_newindex(c)
   return function(object, key, value)
      local f = c.__newindex__
      if f ~= nil and f(object, key, value) then return end
      rawset(object, key, value)
   end
end

-- Set by the chunks that know instances with a Python side: function(c) or nil to leave a class plain, and
-- function(key) for a new field of a class that has a parent.
class.adorn, class.announce = nil, nil
class.has_parent = setmetatable({}, {__mode = 'k'})

local function new_field(c, key, value)
   class.announce(key)
   rawset(c, key, value)
end

-- Give a class made without one its parent.
local function inherit(c, parent)
   setmetatable(c, {__index = parent, __metatable = parent, __newindex = new_field})
   class.has_parent[c] = true
   if class.adorn then class.adorn(c, parent) end
end

-- A class table for `name`, not yet visible anywhere.
function class.create(name, parent)
   local c = {__typename = name, __version = 1}
   for key, f in pairs(operators) do c[key] = f end
   c.__index, c.__newindex = plain_index(c), plain_newindex(c)
   registered[name] = c
   if parent then inherit(c, parent) end
   return c
end

-- The table in which `a.b.Name` is kept, and `Name`.
local function place_of(name, module)
   local path, root = string.match(name, '^(.*)%.([^.]*)$')
   root = root or name
   if module then return module, root end
   local place = _G
   if path then
      for part in string.gmatch(path, '[^.]+') do
         local inner = rawget(place, part)
         if type(inner) ~= 'table' then
            fail("cannot make class %s: '%s' is not a table here (is its package required?)", name, part)
         end
         place = inner
      end
   end
   return place, root
end

local function constructor_table(c, construct)
   local made = setmetatable({}, {
      __index = c,
      __newindex = function(_, key, value) c[key] = value end,
      __metatable = c,
      __call = function(_, ...) return construct(...) end,
   })
   is_constructor[made] = true
   return made
end
class.constructor_table = constructor_table
function class.is_constructor(t) return is_constructor[t] end

-- Make a class known under its name: `construct` builds an instance, `factory` an empty one.
function class.publish(name, c, module, construct, factory)
   local place, root = place_of(name, module)
   rawset(c, '__factory', factory)
   rawset(c, 'new', construct)
   local constructor = constructor_table(c, construct)
   constructors[name] = constructor
   rawset(place, root, constructor)
   return constructor
end

local function lookup(name)
   local c = type(name) == 'string' and registered[name] or nil
   return c
end
class.lookup = lookup

function class.define(...)
   local n = select('#', ...)
   local name, parent_name, module = ...
   if n == 2 and type(parent_name) == 'table' then parent_name, module = nil, parent_name end
   if type(name) ~= 'string' or (parent_name ~= nil and type(parent_name) ~= 'string')
      or (module ~= nil and type(module) ~= 'table') or n == 0 or n > 3 then
      fail('torch.class expects a class name, then optionally the name of a parent class and a module table')
   end
   if registered[name] then fail("class '%s' exists already", name) end
   local parent
   if parent_name then
      parent = registered[parent_name]
      if not parent then fail("class '%s' has the unknown parent '%s'", name, parent_name) end
   end
   place_of(name, module)
   local c = class.create(name, parent)
   local function factory() return setmetatable({}, c) end
   local function construct(...)
      local object = setmetatable({}, c)
      local init = object.__init
      if init then init(object, ...) end
      return object
   end
   class.publish(name, c, module, construct, factory)
   return c, parent
end

-- torch.newmetatable(name[, parent[, constructor[, destructor[, factory[, module]]]]]): the class table of a name,
-- made or, if it is there already, given what it lacks. A destructor is kept as __gc, which Lua heeds in the
-- metatables of userdata alone.
local EXPECTED = {'string', 'string', 'function', 'function', 'function', 'table'}
local ROLES = {'the class name', 'the parent class name', 'the constructor', 'the destructor', 'the factory', 'the module'}

function class.new_metatable(...)
   for i = 1, 6 do
      local value = select(i, ...)
      if type(value) ~= EXPECTED[i] and (value ~= nil or i == 1) then
         fail('bad argument #%d to torch.newmetatable: %s must be a %s%s, not a %s',
              i, ROLES[i], EXPECTED[i], i > 1 and ' or nil' or '', type(value))
      end
   end
   local name, parent_name, construct, destroy, factory, module = ...
   local place, root = place_of(name, module)
   local parent = parent_name and registered[parent_name]
   if parent_name and not parent then fail("class '%s' has the unknown parent '%s'", name, parent_name) end
   local c = registered[name]
   local lacks = {new = construct, __gc = destroy, __factory = factory}
   for key, role in next, {new = 'a constructor', __gc = 'a destructor', __factory = 'a factory'} do
      if lacks[key] and c and rawget(c, key) ~= nil then fail("class '%s' has %s already", name, role) end
   end
   if parent and c and getmetatable(c) then fail("class '%s' has a parent already", name) end
   c = c or class.create(name)
   if parent then inherit(c, parent) end
   for key, value in next, lacks do rawset(c, key, value) end
   constructors[name] = constructors[name] or constructor_table(c, function(...)
      local make = rawget(c, 'new')
      if not make then fail("class '%s' has no constructor", name) end
      return make(...)
   end)
   rawset(place, root, constructors[name])
   return c
end

---------------------------------------------------------------------------------------------------------
-- The functions of the torch package

function class.is_type_of(object, spec)
   if type(spec) ~= 'string' then
      local mt = getmetatable(spec)
      spec = type(mt) == 'table' and mt.__typename
      if type(spec) ~= 'string' then fail('torch.isTypeOf expects a type name, a pattern or a class') end
   end
   local mt = getmetatable(object)
   while type(mt) == 'table' do
      local name = rawget(mt, '__typename')
      if name then
         local match = string.match(name, spec)
         if match and (match ~= spec or match == name) then return true end
      end
      mt = getmetatable(mt)
   end
   return false
end

function class.set_metatable(object, name)
   local c = registered[name]
   if not c then fail("unknown class '%s'", tostring(name)) end
   return setmetatable(object, c)
end

function class.factory(name)
   local c = registered[name]
   return c and rawget(c, '__factory')
end

function class.is_equal(a, b)
   return rawequal(a, b) or (handle_of[a] ~= nil and handle_of[a] == handle_of[b])
end

return class
