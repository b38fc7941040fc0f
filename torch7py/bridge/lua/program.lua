-- A script: its environment, how it is run, and what Python reads of it.
--
-- Arguments: core, host, config, class, module, packages, chunk. Result: functions for Python.

local core, host, config, class, module, packages, chunk = ...
local program = {}

core.load_package = packages.load
rawset(_G, 'torch', packages.load('torch'))
local native_next = next
core.native_next = native_next   -- of a module what is raw in it, where the global has all fields
rawset(_G, 'next', module.next)
rawset(_G, 'rawset', module.rawset)
rawset(_G, 'setmetatable', module.watching(setmetatable))
string.gfind = string.gmatch   -- its name in Lua 5.0, which LuaJIT kept

local sources = chunk('require.lua')(core, host, packages)
core.sources = sources
chunk('pairs.lua')(native_next, chunk('string_order.lua')()).install(config.pairs)

chunk('serial.lua')(core, host, class, module, torch, native_next, chunk)

chunk('print.lua')({
   write = io.write,     -- so that `io.output(file)` takes what is printed too
   typename = class.typename,
   colors = config.colors,
}).install()

-- What Lua lets go in a full collection, Python lets go at once.
local native_collect = collectgarbage

function collectgarbage(option, ...)
   if option == nil or option == 'collect' then host.drop() end
   local result = native_collect(option or 'collect', ...)
   if option == nil or option == 'collect' then core.flush() end
   return result
end

-- What th has loaded before a script begins.
local torch_file = packages.files_of('torch7py.packages.torch')
torch_file('cmdline.lua')(core, host, torch)
torch_file('tester.lua')(core, config, torch, torch_file, host)
for _, name in ipairs {'paths', 'sys', 'xlua', 'pl'} do package.loaded[name] = packages.load(name) end

---------------------------------------------------------------------------------------------------------
-- os.exit: ends the process where that is the program's own; else the run, through every pcall on the way

local EXIT, is_final, seen, placed = core.EXIT, core.is_final, core.seen, core.placed
local exit_process

local function passing(ok, ...)
   if ok then return ok, ... end
   local err = seen((...))
   if is_final(err) then error(err, 0) end
   return ok, placed(err), select(2, ...)
end

local native_pcall, native_xpcall, native_resume = pcall, xpcall, coroutine.resume

function os.exit(code)
   if code == nil or code == true then code = 0 elseif code == false then code = 1 end
   io.stdout:flush()
   if exit_process then exit_process(code) end
   EXIT.code = code
   error(EXIT, 0)
end

function pcall(...) return passing(native_pcall(...)) end
function xpcall(f, handler, ...)
   return passing(native_xpcall(f, function(err)
      err = seen(err)
      if is_final(err) then return err end
      return handler(placed(err))
   end, ...))
end

-- Coroutines within coroutines take of C's stack, of which LuaJIT keeps no count.
local MOST = 10000
local native_wrap, running = coroutine.wrap, coroutine.running
local level_of = setmetatable({}, {__mode = 'k'})   -- coroutine -> how many it runs within, itself included

local function next_level()
   local level = (level_of[running() or 0] or 0) + 1
   if level > MOST then core.fail('more than %d coroutines inside each other', MOST) end
   return level
end

function coroutine.resume(co, ...)
   if type(co) == 'thread' then level_of[co] = next_level() end
   return passing(native_resume(co, ...))
end

function coroutine.wrap(f, ...)
   if type(f) ~= 'function' then return native_wrap(f, ...) end
   local co, level
   local call = native_wrap(function(...)
      co = running()
      level_of[co] = level
      return f(...)
   end)
   return function(...)
      level = next_level()
      if co then level_of[co] = level end
      return call(...)
   end
end

core.type_name = class.type

-- How a run within Lua ended, for Python; `pass` hands over the results.
local function report(pass, call, ok, ...)
   core.hand_over()
   core.resume(call)
   core.settle_rest()
   if ok then return core.delivered(core.protected(pass, ...)) end
   local err = ...
   if rawequal(err, EXIT) then return true, 0, EXIT.code end
   return core.tell(err)
end
program.report = report

local function no_lua(err) return false, core.refer(err), err, '', true end

-- Run Lua source. Its results go as arguments of operations do, or as `pass` hands them over.
function program.evaluate(source, name, pass)
   local f, err = sources.load(source, name)
   if not f then return no_lua(err) end
   return report(pass or core.pass_all, core.pause(), native_xpcall(f, core.catch))
end

function program.run(source, path, ...)
   local f, err = sources.load(source, '@' .. path)
   if not f then return no_lua(err) end
   core.script = path
   sources.set_script(path)
   rawset(_G, 'arg', {[0] = path, ...})   -- plain Lua 5.1 has a local arg in such functions
   local arguments = {...}
   local function finish(...)
      io.stdout:flush()
      return ...
   end
   return finish(report(core.pass_all, core.pause(), native_xpcall(function()
      f(unpack(arguments))
      for _, ending in ipairs(core.endings) do ending() end
   end, core.catch)))
end

-- The process is the program's own: `os.exit` ends it.
function program.take_process()
   exit_process = host.exit
   return true, 0
end

program.pinned = {}   -- modules that Python has been given

-- Set a global to a value that is given as an operation's result is.
function program.set_global(name, mask, ...)
   rawset(_G, name, (core.read(mask, ...)))
   return true, 0
end

return program
