-- A script: its environment, how it is run, and what Python reads of it.
--
-- Arguments: core, host, config, class, module, packages, chunk. Result: functions for Python.

local core, host, config, class, module, packages, chunk = ...
local program = {}

local OURS = '[torch7py]'

rawset(_G, 'torch', packages.load('torch'))
rawset(_G, 'next', module.next)

local require_module = chunk('require.lua')(core, host, packages)
chunk('pairs.lua')().install(config.pairs)

-- The Lua stack without this bridge's frames.
local function traceback(err)
   local text = err
   if type(err) ~= 'string' then
      local shown = type(err) == 'table' and getmetatable(err) and tostring(err) or 'a ' .. class.type(err)
      text = core.position() .. 'error object: ' .. shown
   end
   local lines = {}
   for line in debug.traceback('', 2):gmatch('[^\n]+') do
      if not line:find(OURS, 1, true) and not line:find('[C]:', 1, true) then lines[#lines + 1] = line end
   end
   return {err, table.concat(lines, '\n'), text}
end

local function report(ok, ...)
   if ok then return true, core.pass_all(...) end
   local err, stack, text = unpack((...), 1, 3)
   io.stdout:flush()
   return false, core.keep_thrown(err), text .. '\0' .. (stack or '')
end

function program.evaluate(source, name)
   local f, err = require_module.load(source, name)
   if not f then return false, core.keep_thrown(err), err end
   return report(xpcall(f, traceback))
end

function program.run(source, path, ...)
   local f, err = require_module.load(source, '@' .. path)
   if not f then return false, core.keep_thrown(err), err end
   core.script = path
   arg = {[0] = path, ...}
   local arguments = {...}
   local function finish(...)
      io.stdout:flush()
      return ...
   end
   return finish(report(xpcall(function() f(unpack(arguments)) end, traceback)))
end

function program.get_global(name)
   local value = rawget(_G, name)
   if module.is(value) then
      module.enter(value)
      program.pinned[value] = true
   end
   return true, core.pass_all(value)
end
program.pinned = {}

function program.set_global(name, mask, ...)
   rawset(_G, name, (core.read(mask, ...)))
   return true, 0
end

return program
