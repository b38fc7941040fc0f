-- argcheck.env: the test of a type, which a program may replace. A name of a class of torch's may be a pattern
-- ('torch.*Tensor'), and fits an object whose class or whose parents' name it is.
--
-- Arguments: core, host, argcheck.env. Sets core.istype, which is not changed.

local core, _, env = ...

local function fits(name, pattern)
   local matched = name:match(pattern)
   return matched ~= nil and (matched ~= pattern or matched == name)
end

function env.istype(object, pattern)
   local name = torch.typename(object)
   if not name then return type(object) == pattern end
   if fits(name, pattern) then return true end
   local metatable = torch.getmetatable(name)
   while metatable do
      if metatable.__typename and fits(metatable.__typename, pattern) then return true end
      metatable = getmetatable(metatable)
   end
   return false
end

core.istype = env.istype

function env.type(object) return torch.type(object) end
