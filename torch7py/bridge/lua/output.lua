-- Where `print`, `io.write` and `io.stdout:write` go when Python's sys.stdout is not the process's (a notebook, a test,
-- `redirect_stdout`): to sys.stdout. The same for io.stderr.
--
-- Arguments: host {write_text = f(number, text), flush_text = f(number)}. Result: f(number, on) for Python, which says
-- whether 1, stdout, or 2, stderr, goes there; f(0) empties the buffer of stdout. And f(mode), `setvbuf` of stdout.
-- Sets io.write and io.output, and the files' methods write and flush. compat.lua has to run before it.

local host = ...

local type, select, error, tostring, concat = type, select, error, tostring, table.concat
local stdout, stderr = io.stdout, io.stderr
local native_write, native_output, native_flush = io.write, io.output, io.flush
local methods = getmetatable(stdout).__index
local write, flush, setvbuf = methods.write, methods.flush, methods.setvbuf

local redirected = {}      -- file -> its number
local any = false
local current = stdout     -- what io.write writes to

local function emit(number, ...)
   local texts = {...}
   for i = 1, select('#', ...) do
      local kind = type(texts[i])
      if kind ~= 'string' and kind ~= 'number' then
         error("bad argument #" .. i .. " to 'write' (string expected, got " .. (kind == 'nil' and 'nil' or kind) .. ')', 3)
      end
      texts[i] = tostring(texts[i])
   end
   host.write_text(number, concat(texts))
end

function methods.write(file, ...)
   local number = any and redirected[file]
   if not number then return write(file, ...) end
   emit(number, ...)
   return file
end

function methods.flush(file)
   local number = any and redirected[file]
   if not number then return flush(file) end
   host.flush_text(number)
   return true
end

function io.write(...)
   local number = any and redirected[current]
   if number then
      emit(number, ...)
   else
      local written, message, code = native_write(...)
      if not written then return nil, message, code end
   end
   return current     -- as Torch7's LuaJIT does, which has this of Lua 5.2
end

function io.flush()
   local number = any and redirected[current]
   if not number then return native_flush() end
   host.flush_text(number)
   return true
end

function io.output(...)
   local file = native_output(...)
   current = native_output()
   return file
end

return function(number, on)
   flush(stdout)
   if number == 0 then return end
   redirected[number == 1 and stdout or stderr] = on and number or nil
   any = redirected[stdout] ~= nil or redirected[stderr] ~= nil
end, function(mode)
   setvbuf(stdout, mode)
   return true, 0   -- an answer without values
end
