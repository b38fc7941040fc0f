-- Packages: classes and functions appear in Lua when their package is required.
--
-- Arguments: core, host, class, module, torch, chunk. Result: {load = f(name) -> table or nil,
-- files_of = f(Python's name of a package's folder) -> chunk, for the Lua files in that folder}.

local core, host, class, module, torch, chunk = ...
local packages = {}
local find, match = string.find, string.match

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

-- The Lua files of a package by their names in its folder, those of others by `the.module/file.lua`.
function packages.files_of(folder)
   return function(name)
      return chunk(find(name, '/', 1, true) and name or folder .. '/' .. name)
   end
end

-- The table of a package, made on the first call; nil when there is no such package.
function packages.load(name)
   if loaded[name] then return loaded[name] end
   local requirements = core.raw(host.requirements, name)
   if not requirements then return nil end
   for _, required in ipairs(requirements) do
      if packages.load(required) == nil then core.fail("package '%s' requires '%s', which is not there", name, required) end
   end
   local description = core.raw(host.package, name)
   local t = description.global and rawget(_G, name)
   if type(t) ~= 'table' then
      t = {}
      if description.global then rawset(_G, name, t) end
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
      local files = packages.files_of(match(description.chunk, '^(.*)/'))
      local made = chunk(description.chunk)(core, host, t, files, module)
      if made ~= nil then      -- what `require` gives instead of the table
         if package.loaded[name] == t then package.loaded[name] = made end
         loaded[name] = made
         return made
      end
   end
   return t
end

return packages
