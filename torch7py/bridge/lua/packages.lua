-- Packages: classes and functions appear in Lua when their package is required.
--
-- Arguments: core, host, class, module, torch, chunk. Result: {load = f(name) -> table or nil}.

local core, host, class, module, torch, chunk = ...
local packages = {}

local loaded = {torch = torch}

-- The table of a package, made on the first call; nil when there is no such package.
function packages.load(name)
   if loaded[name] then return loaded[name] end
   local requirements = core.raw(host.requirements, name)
   if not requirements then return nil end
   for _, required in ipairs(requirements) do packages.load(required) end
   local description = core.raw(host.package, name)
   local t = rawget(_G, description.table)
   if t == nil then
      t = {}
      rawset(_G, description.table, t)
   end
   loaded[name] = t
   for _, d in ipairs(description.classes) do module.define(d) end
   for _, a in ipairs(description.additions) do module.extend(unpack(a)) end
   for _, f in ipairs(description.functions) do t[f] = core.bind(core.raw(host.package_function, name, f)) end
   if description.chunk then chunk(description.chunk)(core, host, t) end
   return t
end

return packages
