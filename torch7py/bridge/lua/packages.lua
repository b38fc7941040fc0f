-- Packages: classes and functions appear in Lua when their package is required.
--
-- Arguments: core, host, class, module, torch. Result: {load = f(name) -> table or nil}.

local core, host, class, module, torch = ...
local packages = {}

local loaded = {torch = torch}

-- The table of a package, made on the first call; nil when there is no such package.
function packages.load(name)
   if loaded[name] then return loaded[name] end
   local description = core.raw(host.package, name)
   if not description then return nil end
   for _, required in ipairs(description.requires) do packages.load(required) end
   local t = rawget(_G, description.table)
   if t == nil then
      t = {}
      rawset(_G, description.table, t)
   end
   loaded[name] = t
   for _, d in ipairs(description.classes) do module.define(d) end
   for _, e in ipairs(description.extensions) do module.extend(e[1], e[2]) end
   return t
end

return packages
