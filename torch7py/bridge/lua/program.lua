-- A script: its environment, how it is run, and what Python reads of it.
--
-- Arguments: core, host, config, class, module, packages, chunk. Result: functions for Python.

local core, host, config, class, module, packages, chunk = ...
local program = {}

local OURS = '[torch7py]'

core.load_package = packages.load
rawset(_G, 'torch', packages.load('torch'))
local native_next = next
core.native_next = native_next   -- of a module what is raw in it, where the global has all fields
rawset(_G, 'next', module.next)
rawset(_G, 'rawset', module.rawset)
rawset(_G, 'setmetatable', module.watching(setmetatable))

local sources = chunk('require.lua')(core, host, packages)
core.sources = sources
chunk('pairs.lua')(native_next, chunk('string_order.lua')()).install(config.pairs)

chunk('serial.lua')(core, host, class, module, torch, native_next, chunk)

local stdout = io.stdout
chunk('print.lua')({
   write = function(text) stdout:write(text) end,
   typename = class.typename,
   colors = config.colors,
}).install()

-- What Lua lets go in a full collection, Python lets go at once.
local native_collect = collectgarbage

function collectgarbage(option, ...)
   local result = native_collect(option or 'collect', ...)
   if option == nil or option == 'collect' then core.flush() end
   return result
end

-- What th has loaded before a script begins.
chunk('pkg_cmdline.lua')(core, host, torch)
chunk('pkg_tester.lua')(core, config, torch, chunk, host)
for _, name in ipairs {'paths', 'sys', 'xlua', 'pl'} do package.loaded[name] = packages.load(name) end

---------------------------------------------------------------------------------------------------------
-- os.exit: ends the process where that is the program's own; else the run, through every pcall on the way

local EXIT = setmetatable({}, {__tostring = function() return 'os.exit' end})
local exit_process

local function passing(ok, ...)
   if not ok and rawequal((...), EXIT) then error(EXIT, 0) end
   return ok, ...
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
      if rawequal(err, EXIT) then return err end
      return handler(err)
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

-- The Lua stack without this bridge's frames.
local function traceback(err)
   if rawequal(err, EXIT) then return err end
   local text = err
   if type(err) == 'string' then
      local bare, ours = text:gsub('^%[torch7py%] [^:]*:%d+: ', '')
      if ours > 0 or bare == 'stack overflow' or bare == 'not enough memory' then text = core.position() .. bare end
   else
      local shown = type(err) == 'table' and getmetatable(err) and tostring(err) or 'a ' .. class.type(err)
      text = core.position() .. 'error object: ' .. shown
   end
   local lines = {}
   for line in debug.traceback('', 2):gmatch('[^\n]+') do
      if not line:find(OURS, 1, true) and not line:find('[C]:', 1, true) then lines[#lines + 1] = line end
   end
   return {err, table.concat(lines, '\n'), text}
end

local function report(call, ok, ...)
   core.hand_over()
   core.resume(call)
   core.settle_rest()
   if ok then return true, core.pass_all(...) end
   if rawequal((...), EXIT) then return true, 0, EXIT.code end
   local err, stack, text = unpack((...), 1, 3)
   io.stdout:flush()
   return false, core.keep_thrown(err), text .. '\0' .. (stack or '')
end

function program.evaluate(source, name)
   local f, err = sources.load(source, name)
   if not f then return false, core.keep_thrown(err), err end
   return report(core.pause(), native_xpcall(f, traceback))
end

function program.run(source, path, ...)
   local f, err = sources.load(source, '@' .. path)
   if not f then return false, core.keep_thrown(err), err end
   core.script = path
   sources.set_script(path)
   rawset(_G, 'arg', {[0] = path, ...})   -- plain Lua 5.1 has a local arg in such functions
   local arguments = {...}
   local function finish(...)
      io.stdout:flush()
      return ...
   end
   return finish(report(core.pause(), native_xpcall(function()
      f(unpack(arguments))
      for _, ending in ipairs(core.endings) do ending() end
   end, traceback)))
end

-- Let an interrupt end a loop that never calls Python. On LuaJIT 2.1 a profiler that hardly ever samples makes
-- compiled loops look for its signal at every turn; on plain Lua a hook asks now and then. Says whether the
-- signal has to be sent.
function program.take_process()
   exit_process = host.exit
   local has_profiler, profiler = pcall(require, 'jit.profile')
   if has_profiler then
      profiler.start('li1000000000', function(thread)
         local place = ''
         for frame in profiler.dumpstack(thread, 'pl\n', 100):gmatch('[^\n]+') do
            if not frame:find(OURS, 1, true) and frame:find(':%d+$') then
               place = frame .. ': '
               break
            end
         end
         io.stdout:flush()
         -- Python may raise its pending KeyboardInterrupt before it comes to our function.
         if not native_pcall(host.interrupted, place) then native_pcall(host.interrupted, place) end
      end)
   elseif not rawget(_G, 'jit') then
      debug.sethook(function()
         local ok, err = pcall(host.poll)
         if not ok then core.rethrow(err) end
      end, '', 1000000)
   end
   return true, 0, has_profiler
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
