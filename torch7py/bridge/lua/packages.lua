-- Packages: classes and functions appear in Lua when their package is required.
--
-- Arguments: core, host, class, module, torch, chunk. Result: {load = f(name) -> table or nil}.

local core, host, class, module, torch, chunk = ...
local packages = {}

local loaded = {torch = torch}

core.furniture = setmetatable({[_G] = true, [torch] = true}, {__mode = 'k'})   -- tables of the runtime itself
for _, t in next, package.loaded do core.furniture[t] = true end

local function set_of(list)
   local set = {}
   for _, item in ipairs(list) do set[item] = true end
   return set
end

-- A class of which Python has the methods and Lua the objects, which are tables like those of any Lua class.
local function define_record(package, name, methods)
   local c = class.define(package .. '.' .. name)
   for _, m in ipairs(methods) do
      local method, stay = m[1], set_of(m[2])
      stay[1] = true
      c[method] = core.bind(core.raw(host.record_method, package, name, method), stay)
   end
end

-- The table of a package, made on the first call; nil when there is no such package.
function packages.load(name)
   if loaded[name] then return loaded[name] end
   local requirements = core.raw(host.requirements, name)
   if not requirements then return nil end
   for _, required in ipairs(requirements) do packages.load(required) end
   local description = core.raw(host.package, name)
   local global = description.table
   local t = global and rawget(_G, global)
   if type(t) ~= 'table' then
      t = {}
      if global then rawset(_G, global, t) end
   end
   loaded[name] = t
   core.furniture[t] = true
   if package.loaded[name] == nil then package.loaded[name] = t end
   if description.virtual then module.set_virtual(description.virtual) end
   for _, d in ipairs(description.classes) do module.define(d) end
   for _, a in ipairs(description.additions) do module.extend(unpack(a)) end
   for _, f in ipairs(description.functions) do
      t[f[1]] = core.bind(core.raw(host.package_function, name, f[1]), set_of(f[2]))
   end
   for _, r in ipairs(description.records) do define_record(name, unpack(r)) end
   if description.chunk then
      local made = chunk(description.chunk)(core, host, t, chunk, module)
      if made ~= nil then      -- what `require` gives instead of the table
         if package.loaded[name] == t then package.loaded[name] = made end
         loaded[name] = made
         return made
      end
   end
   return t
end

return packages
