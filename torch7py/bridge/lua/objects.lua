-- Objects of Python classes that Torch7 knows: torch.Timer, torch.Generator, files, ...
--
-- Each registered class is a metatable like those of tensors. Its methods are the operations named
-- `<class>.<method>`, its constructor is `<class>.new`; a class without one cannot be made by a script. The
-- class table inherits from its parent's, which torch.isTypeOf sees.
--
-- Arguments: core, host, class, tensor. Result: {publish = f(prefix, t)}.

local core, host, class, tensor = ...
local objects = {}

local select, rawget, rawset, newproxy, getmetatable, setmetatable = select, rawget, rawset, newproxy, getmetatable, setmetatable
local handle_of, stand_in, fail = core.handle_of, core.stand_in, core.fail

local OBJECT = 18
local prototypes = {}   -- class name -> prototype userdata

local function define(name, parent, ...)
   local prototype = newproxy(true)
   local mt = getmetatable(prototype)
   mt.__typename, mt.__version = name, 1
   mt.__gc = core.bury
   mt.__index = mt
   mt.__newindex = function() fail('the class %s cannot be indexed', name) end
   local parent_mt = prototypes[parent] and getmetatable(prototypes[parent])
   if parent_mt then
      setmetatable(mt, {__index = parent_mt, __metatable = parent_mt})
      mt.__tostring = parent_mt.__tostring
   end
   for i = 1, select('#', ...) do
      local method = select(i, ...)
      if method ~= 'new' then rawset(mt, method, tensor.method(name .. '.' .. method)) end
   end
   mt.__tostring = mt.__tostring or function() return name end
   prototypes[name] = prototype
   return mt
end

-- Make the classes whose names begin with `prefix` known to scripts, their constructors in the table `t`.
function objects.publish(prefix, t)
   local listed = {core.raw(host.object_classes)}
   for i = 1, #listed, 2 do
      local name, parent = listed[i], listed[i + 1]
      if prototypes[name] == nil and string.sub(name, 1, #prefix + 1) == prefix .. '.' then
         local mt = define(name, parent, core.raw(host.class_methods, name))
         class.registered[name] = mt
         local construct = tensor.func(name .. '.new')
         local constructor = class.constructor_table(mt, construct)
         mt.new = construct
         if rawget(mt, 'read') then mt.__factory = function() return construct() end end   -- it can be saved
         class.constructors[name] = constructor
         rawset(t, string.sub(name, #prefix + 2), constructor)
      end
   end
end

core.make[OBJECT] = function(handle)
   local name, number = core.raw(host.object_class, handle)
   if number then                        -- a Lua value that Python kept
      local f = core.referred(number)
      host.release(handle)
      return f
   end
   if name == 'function' then return core.python_function(handle) end
   if prototypes[name] == nil then define(name, nil) end
   local u = newproxy(prototypes[name])
   handle_of[u] = handle
   stand_in[handle] = u
   return u
end

return objects
