-- Torch's LuaJIT was built with Lua 5.2 compatibility and Lua 5.1's own names. This chunk fills in what the
-- engine at hand lacks of it; what the engine has stays.
--
-- `pairs` is in pairs.lua, `load` and its like are in require.lua, and syntax is in source.py.
--
-- Arguments: none. Result: none. Sets globals and fields of the standard libraries, once for each runtime.

local type, select, pcall, error, tostring = type, select, pcall, error, tostring
local rawget, rawset, getmetatable, unpack = rawget, rawset, getmetatable, unpack
local debug_getmetatable = debug.getmetatable

local function bad_argument(number, name, expected, value)
   error(string.format("bad argument #%d to '%s' (%s expected, got %s)", number, name, expected, type(value)), 3)
end

-- The results of a C function, or its error where our caller was called. `shift` is how far its arguments
-- have moved.
local function finish(name, shift, ok, ...)
   if ok then return ... end
   local err = ...
   if type(err) == 'string' then
      err = string.gsub(err, "^bad argument #(%d+) to '%?'", function(number)
         return string.format("bad argument #%d to '%s'", number - shift, name)
      end)
   end
   error(err, 3)
end

---------------------------------------------------------------------------------------------------------
-- Tables

-- What source.py makes of the length operator, which in Lua 5.1 does not ask a table's metatable.
rawset(_G, '__torch7py_len', function(x)
   local kind = type(x)
   if kind == 'table' then
      if getmetatable(x) == nil then return #x end
      local length = rawget(debug_getmetatable(x), '__len')
      if length == nil then return #x end
      return (length(x, x))
   end
   if kind == 'string' or kind == 'userdata' or kind == 'cdata' then return #x end
   error(string.format('attempt to get length of a %s value', kind), 2)
end)

if not rawget(_G, 'rawlen') then
   rawset(_G, 'rawlen', function(x)
      if type(x) ~= 'table' and type(x) ~= 'string' then bad_argument(1, 'rawlen', 'table or string', x) end
      return #x
   end)
end

table.pack = table.pack or function(...)
   return {n = select('#', ...), ...}
end

table.unpack = table.unpack or unpack

local native_ipairs = ipairs

rawset(_G, 'ipairs', function(t)
   if type(t) == 'table' and getmetatable(t) == nil then return native_ipairs(t) end
   local mt = debug_getmetatable(t)
   local custom = type(mt) == 'table' and rawget(mt, '__ipairs')
   if custom then
      local iterator, state, start = custom(t)
      return iterator, state, start
   end
   if type(t) ~= 'table' then bad_argument(1, 'ipairs', 'table', t) end
   return native_ipairs(t)
end)

---------------------------------------------------------------------------------------------------------
-- Functions

local native_xpcall = xpcall

if not select(2, xpcall(function(x) return x end, error, true)) then
   rawset(_G, 'xpcall', function(f, handler, ...)
      local n, arguments = select('#', ...), {...}
      return native_xpcall(function() return f(unpack(arguments, 1, n)) end, handler)
   end)
end

local native_assert = assert

if select(2, pcall(native_assert, nil, nil)) == nil then
   rawset(_G, 'assert', function(...)
      local value, message = ...
      if not value and message == nil and select('#', ...) > 1 then error('assertion failed!', 0) end
      return native_assert(...)
   end)
end

local running, status = coroutine.running, coroutine.status

if running() == nil then
   local main = coroutine.create(function() end)   -- stands for the coroutine that the program itself is
   coroutine.resume(main)

   function coroutine.running()
      local co = running()
      if co then return co, false end
      return main, true
   end

   function coroutine.status(co)
      if co == main then return running() and 'normal' or 'running' end
      return status(co)
   end
end

local native_setmetatable = debug.setmetatable

function debug.setmetatable(value, mt)
   native_setmetatable(value, mt)
   return value
end

---------------------------------------------------------------------------------------------------------
-- Numbers and strings

math.mod = math.mod or math.fmod

-- A text of another base than 10 is read by C's `strtoul`, of which a number below 0 comes out from the other end of 64
-- bits; and '-0' is a whole number, which has no sign.
if 1 / tonumber('-0') < 0 or tonumber('-1', 16) < 0 then
   local find, match, floor, convert = string.find, string.match, math.floor, tonumber

   -- 2^64 less the number that these digits are, in two halves, as a double has not all of its digits.
   local function from_the_other_end(digits, base)
      local high, low = 0, 0
      for digit in string.gmatch(digits, '.') do
         low = low * base + convert(digit, 36)
         high, low = high * base + floor(low / 2 ^ 32), low % 2 ^ 32
         if high >= 2 ^ 32 then return 2 ^ 64 end
      end
      if low == 0 then return (2 ^ 32 - high) % 2 ^ 32 * 2 ^ 32 end
      return (2 ^ 32 - 1 - high) * 2 ^ 32 + 2 ^ 32 - low
   end

   rawset(_G, 'tonumber', function(...)
      local value, base = ...
      if base == nil and type(value) == 'number' then return value end
      local number = finish('tonumber', 0, pcall(convert, ...))
      if number and number <= 0 and type(value) ~= 'cdata' and find(value, '^%s*%-') then
         if base ~= nil and base ~= 10 then
            return from_the_other_end(base == 16 and match(value, '%-0[xX](%w+)') or match(value, '%w+'), base)
         end
         if type(value) == 'string' and find(value, '^%s*%-0+%s*$') then return 0 end
      end
      return number
   end)
end

local log = math.log

if log(8, 2) ~= 3 then
   function math.log(x, base)
      if base == nil then return log(x) end
      return log(x) / log(base)
   end
end

local rep = string.rep

if rep('x', 2, ',') ~= 'x,x' then
   function string.rep(s, n, separator)
      if separator == nil or n < 2 then return rep(s, n) end
      return rep(s .. separator, n - 1) .. s
   end
end

-- Nothing is found where a search begins behind the end.
for _, name in ipairs{'find', 'match'} do
   local search = string[name]
   if search('', '', 2) then
      string[name] = function(s, pattern, init, plain)
         local start = init ~= nil and (type(s) == 'string' or type(s) == 'number') and tonumber(init)
         if start and start > #tostring(s) + 1 then return nil end
         return search(s, pattern, init, plain)
      end
   end
end

local format = string.format

if not pcall(format, '%s', nil) then
   -- %s takes any value.
   function string.format(pattern, ...)
      local n, arguments, i = select('#', ...), {...}, 0
      for letter in string.gmatch(pattern, '%%[-+ #0-9.]*([%a%%])') do
         if letter ~= '%' then
            i = i + 1
            local kind = type(arguments[i])
            if letter == 's' and i <= n and kind ~= 'string' and kind ~= 'number' then
               arguments[i] = tostring(arguments[i])
            end
         end
      end
      return (finish('format', 0, pcall(format, pattern, unpack(arguments, 1, n))))
   end
end

---------------------------------------------------------------------------------------------------------
-- Files and processes

-- A file that was written to is the result, so that calls can be chained.
local methods = getmetatable(io.stdout).__index
local write = methods.write

local function written(file, result, ...)
   if result == true then return file end
   return result, ...
end

function methods.write(file, ...)
   return written(file, finish('write', 1, pcall(write, file, ...)))
end

local execute = os.execute
local windows = string.sub(package.config, 1, 1) == '\\'

-- How a command has ended, by the number that C gives: true or nil, 'exit' or 'signal', and the number.
local function ended(status)
   if windows then return status == 0 or nil, 'exit', status end
   local signal = status % 128
   if signal ~= 0 then return nil, 'signal', signal end
   local code = (status - status % 256) / 256
   return code == 0 or nil, 'exit', code
end

function os.execute(command)
   local status = execute(command)
   if type(status) ~= 'number' then return status end
   if command == nil then return status ~= 0 end
   if status == -1 then return nil, 'the command could not be started', -1 end
   return ended(status)
end

-- The engine's own close does not tell how the command of a pipe has ended. Here C closes the stream, which the
-- engine's file is then without: its first member points to it.
local ffi = jit and not windows and require('ffi')

if ffi and io.popen then
   ffi.cdef 'int pclose(void *stream);'
   local popen, close, close_any = io.popen, methods.close, io.close
   local is_pipe = setmetatable({}, {__mode = 'k'})

   local function opened(file, ...)
      if file then is_pipe[file] = true end
      return file, ...
   end

   function io.popen(...) return opened(popen(...)) end

   function methods.close(file, ...)
      if not is_pipe[file] then return close(file, ...) end
      is_pipe[file] = nil
      local stream = ffi.cast('void *', file)
      ffi.cast('void **', tonumber(string.sub(format('%p', file), 3), 16))[0] = nil
      return ended(ffi.C.pclose(stream))
   end

   function io.close(...)
      if is_pipe[(...)] then return methods.close(...) end
      return close_any(...)
   end
end

---------------------------------------------------------------------------------------------------------
-- Packages

-- The version that programs see is the one whose behaviour they get.
if jit then jit.version, jit.version_num = 'LuaJIT 2.1.0-beta2', 20100 end

package.searchers = package.searchers or package.loaders

package.searchpath = package.searchpath or function(name, path, separator, replacement)
   separator = separator or '.'
   if separator ~= '' then
      name = string.gsub(name, '%' .. separator, string.gsub(replacement or string.sub(package.config, 1, 1), '%%', '%%%%'), nil)
   end
   local tried = {}
   for template in string.gmatch(path, '[^;]+') do
      local file = string.gsub(template, '%?', (string.gsub(name, '%%', '%%%%')))
      local opened = io.open(file, 'rb')
      if opened then
         opened:close()
         return file
      end
      tried[#tried + 1] = string.format("\n\tno file '%s'", file)
   end
   return nil, table.concat(tried)
end
