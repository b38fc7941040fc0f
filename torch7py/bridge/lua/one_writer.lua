-- Where several processes run the program, its first one alone changes files and starts commands; the others get what
-- came of it. Each opens a file of its own in place of one to write. torch7py/ops/one_writer.py does this for Python.
--
-- Arguments: host {agree = f(what, values...) gives the first process's values, place = f(name, keeps) the path of the
-- file to open, acts = whether this process is the first}. Changes the functions of io and os.

local host = ...

local acts, agree, place = host.acts, host.agree, host.place
local type, error, pcall, select, setmetatable = type, error, pcall, select, setmetatable
local open, tmpfile, output, remove = io.open, io.tmpfile, io.output, os.remove
local match = string.match
local names = setmetatable({}, {__mode = 'k'})   -- file that was opened for writing -> its name

local function passed(ok, ...)
   if not ok then error((...), 3) end
   return ...
end

-- The result of f in the first process, or its error, for all.
local function by_one(name, f)
   return function(...)
      agree('a call of ' .. name)
      if acts then return passed(agree('the result of ' .. name, pcall(f, ...))) end
      return passed(agree('the result of ' .. name))
   end
end

function io.open(name, mode)
   if type(name) ~= 'string' or type(mode) ~= 'string' or not match(mode, '[wa+]') then return open(name, mode) end
   local path = place(name, match(mode, '^w') == nil)
   local file, message, number
   if acts then file, message, number = open(path, mode) end
   message, number = agree('opening ' .. name, message, number)
   if message == nil and not acts then
      file = open(path, mode)
   end
   if not acts then remove(path) end
   if message ~= nil then return nil, message, number end
   names[file] = name
   return file
end

local function ended(name, ...)
   agree('the end of ' .. name)
   return ...
end

local methods = getmetatable(io.stdout).__index
local close = methods.close

function methods.close(file)
   local name = names[file]
   if not name then return close(file) end
   names[file] = nil
   return ended(name, close(file))
end

function io.close(file) return methods.close(file or output()) end

function io.output(name)
   if type(name) ~= 'string' then return output(name) end
   local file, message = io.open(name, 'w')
   if not file then error(message, 2) end
   return output(file)
end

-- What a command prints, the first process reads to its end; what it is given, that one gives.
local popen = io.popen
local pipe

local start = by_one('io.popen', function(command, mode)
   local message
   pipe, message = popen(command, mode)
   return pipe ~= nil, message
end)

local printed = by_one('io.popen', function(command, mode)
   local from, message = popen(command, mode)
   if not from then return nil, message end
   local text = from:read('*a')
   from:close()
   return text
end)

function io.popen(command, mode)
   if mode ~= nil and match(mode, '^w') then
      local ok, message = start(command, mode)
      if not ok then return nil, message end
      return acts and pipe or tmpfile()
   end
   local text, message = printed(command, mode)
   if text == nil then return nil, message end
   local file = tmpfile()
   file:write(text)
   file:seek('set')
   return file
end

for _, name in ipairs {'execute', 'remove', 'rename', 'tmpname'} do os[name] = by_one('os.' .. name, os[name]) end

local time = os.time

function os.time(...)
   if select('#', ...) > 0 then return time(...) end
   return agree('os.time', time())
end
