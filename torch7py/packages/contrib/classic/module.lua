-- classic.module: tables of submodules, classes and functions, each loaded when it is first looked up.
--
-- Arguments: core {fail}, classic.

local core, classic = ...
local fail = core.fail
local type, tostring, pairs, rawget, rawset, setmetatable = type, tostring, pairs, rawget, rawset, setmetatable
local getmetatable, string, package = getmetatable, string, package
local tell, events = classic._notify, classic.events

local Module, Meta = {}, {classicModule = true}

-- The declarations of a module: the method, the field of the names, their spelling, the event.
local KINDS = {
   submodule = {'_submodules', '^[%l_]+$', 'lower_case_with_underscores', events.MODULE_DECLARE_SUBMODULE},
   class = {'_classes', '^%u[%a%d]*$', 'UpperCaseCamelCase', events.MODULE_DECLARE_CLASS},
   moduleFunction = {'_moduleFunctions', '^[%l_][%a%d]*$', 'lowerCaseCamelCase', events.MODULE_DECLARE_FUNCTION},
}
for kind, row in pairs(KINDS) do
   local field, spelling, words, event = row[1], row[2], row[3], row[4]
   Module[kind] = function(self, name)
      if type(name) ~= 'string' then fail('classic: the name of a %s expected', kind) end
      local names = rawget(self, field)
      if names[name] then fail('classic: the %s %s is declared already', kind, name) end
      if not name:match(spelling) then fail('classic: the name of a %s is like %s, not %s', kind, words, name) end
      names[name] = true
      tell(event, self, name)
   end
end

function Module:name() return rawget(self, '_name') end

local function each(self, field)
   local names, at = rawget(self, field), nil
   return function()
      at = next(names, at)
      if at ~= nil then return at, self[at] end
   end
end
function Module:submodules() return each(self, '_submodules') end
function Module:classes() return each(self, '_classes') end
function Module:functions() return each(self, '_moduleFunctions') end
function Module:list() return classic.list(self) end

function Meta:__tostring() return 'classic.module<' .. rawget(self, '_name') .. '>' end

function Meta:__index(key)
   if Module[key] then return Module[key] end
   local full = rawget(self, '_name') .. '.' .. tostring(key)
   local value
   if rawget(self, '_submodules')[key] then
      value = require(full)
      if not classic.isModule(value) then fail('classic: %s is no module', full) end
   elseif rawget(self, '_classes')[key] then
      value = classic.getClass(full)
   elseif rawget(self, '_moduleFunctions')[key] then
      value = require(full)
      if type(value) ~= 'function' then fail('classic: %s is no function', full) end
   else
      fail('classic: the module %s has no %s', rawget(self, '_name'), tostring(key))
   end
   rawset(self, key, value)
   return value
end

function Meta:__newindex(key, value)
   if Module[key] then fail('classic: every module has a function %s', tostring(key)) end
   for _, row in pairs(KINDS) do
      if rawget(self, row[1])[key] then fail('classic: %s is declared in %s already', tostring(key), rawget(self, '_name')) end
   end
   if type(value) == 'function' then rawget(self, '_moduleFunctions')[key] = value end
   rawset(self, key, value)
end

function classic.isModule(value)
   local meta = getmetatable(value)
   return type(meta) == 'table' and meta.classicModule == true
end

-- classic.module(name): the result of `require` for this name.
function classic.module(name)
   if name == classic then fail 'classic.module is called with a dot, not a colon' end
   if type(name) ~= 'string' then fail 'classic.module: a name expected' end
   if name == '' then fail 'classic.module: the name is empty' end
   for part in name:gmatch('[^%.]+') do
      if not part:match('^[%l_]+$') then fail('classic: the name of a module is like lower_case_with_underscores, not %s', name) end
   end
   local module = setmetatable({_name = name, _submodules = {}, _classes = {}, _moduleFunctions = {}}, Meta)
   package.loaded[name] = module
   tell(events.MODULE_INIT, name)
   return module
end

-- classic.list(module): prints its contents.
function classic.list(value, depth)
   depth = depth or 0
   print(string.rep('|  ', depth) .. tostring(value))
   if not classic.isModule(value) then return end
   for _, inner in value:submodules() do classic.list(inner, depth + 1) end
   for _, inner in value:classes() do classic.list(inner, depth + 1) end
   for name in value:functions() do
      print(string.rep('|  ', depth + 1) .. 'function<' .. value:name() .. '.' .. name .. '>')
   end
end
