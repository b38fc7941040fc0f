-- Ctrl-C in a program that does not call Python: a hook has Python look for signals, between two instructions of the
-- script. It is set from outside when a signal has come (interrupts.py); on plain Lua it asks now and then.
--
-- Arguments: core, host. Sets debug.sethook and debug.gethook, so that a script's hook and this one do not meet.

local core, host = ...

local pcall, tostring, type, select = pcall, tostring, type, select
local getinfo, sub = debug.getinfo, string.sub
local create, sethook, gethook = coroutine.create, debug.sethook, debug.gethook
local rethrow = core.rethrow

local OURS = '=[torch7py]'
local NEVER = 1000000000   -- instructions

local function poll()
   local ok, err = pcall(host.poll)
   if not ok then rethrow(err) end
end

if not jit then   -- there each coroutine has a hook of its own
   sethook(poll, '', 1000000)
   local wrap = coroutine.wrap
   local function watched(name, f)
      if type(f) ~= 'function' then
         core.fail("bad argument #1 to '%s' (function expected, got %s)", name, f == nil and 'no value' or type(f))
      end
      return function(...)
         sethook(poll, '', 1000000)
         return f(...)
      end
   end
   function coroutine.create(f) return create(watched('create', f)) end
   function coroutine.wrap(f) return wrap(watched('wrap', f)) end

   -- A hook of the script's own asks too, at every so many of its calls.
   local theirs, their_mask, their_count
   function debug.sethook(...)
      local f, mask, count = ...
      if type(f) == 'thread' then return sethook(...) end
      theirs, their_mask, their_count = f, mask or '', count or 0
      if f == nil then return sethook(poll, '', 1000000) end
      local calls = 0
      sethook(function(event, line)
         calls = calls + 1
         if calls % 1000 == 0 then poll() end
         return f(event, line)
      end, their_mask, their_count)
   end
   function debug.gethook()
      if theirs then return theirs, their_mask, their_count end
   end
   return
end

local theirs, their_mask, their_count   -- the script's own hook

local function on_hook(event, line)
   if host.is_armed() then
      local info = getinfo(2, 'S')
      if info and sub(info.source, 1, #OURS) == OURS then return end   -- what is begun there is ended first
      host.disarm()
      if theirs then sethook(on_hook, their_mask, their_count) end
      return poll()
   end
   if theirs then return theirs(event, line) end
end

-- Python learns where the engine keeps hooks.
core.thread = create(on_hook)
sethook(on_hook, '', NEVER)
host.learn_hook(tostring(core.thread))

function debug.sethook(...)
   local f, mask, count = ...
   if type(f) == 'thread' then f, mask, count = select(2, ...) end
   theirs, their_mask, their_count = f, mask or '', count or 0
   if f == nil then return sethook(on_hook, '', NEVER) end
   sethook(on_hook, their_mask, their_count)
end

function debug.gethook()
   if theirs then return theirs, their_mask, their_count end
end
