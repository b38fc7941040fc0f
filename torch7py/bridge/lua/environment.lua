-- The globals of the bridge's own Lua files: the program's, until it starts; from then on as they were when it did. What
-- prints and what ends the program stay the program's: a log that stands in for print gets what packages print too.
--
-- Returns a function that compiles a chunk with these globals, and one that keeps them as they are now.

local load, assert, setfenv, next, rawset, setmetatable = loadstring, assert, setfenv, next, rawset, setmetatable
local package, type, globals = package, type, _G
local live = {io = {write = 1, stdout = 1, stderr = 1, output = 1}, os = {exit = 1, date = 1, time = 1}}
local own = setmetatable({}, {__index = _G, __newindex = _G})
local function keep()
   for name, value in next, _G do rawset(own, name, value) end
   for name in next, {string = 1, table = 1, math = 1, io = 1, os = 1, debug = 1, coroutine = 1, bit = 1} do
      local copy, shared = {}, live[name]
      for field, value in next, own[name] or copy do
         if not (shared and shared[field]) then copy[field] = value end
      end
      setmetatable(copy, {
         __index = function(_, field)
            local now = globals[name]
            return type(now) == 'table' and now[field] or nil
         end,
         __newindex = function(_, field, value) globals[name][field] = value end,
      })
      rawset(own, name, copy)
   end
   rawset(own, 'print', nil)
   rawset(own, 'package', setmetatable({loaded = package.loaded}, {__index = package, __newindex = package}))
end
return function(source, name) return setfenv(assert(load(source, name)), own) end, keep
