-- xlua: a progress bar, named arguments, and small functions on strings and tables.
--
-- Arguments: core {fail}, host, xlua, chunk. The package sys is loaded before.

local core, _, xlua, chunk = ...
local fail = core.fail
local sys = sys

local columns = xlua._columns
xlua._columns = nil

chunk('options.lua')(core, xlua)
chunk('unpack.lua')(core, xlua)
chunk('profiler.lua')(core, xlua)

---------------------------------------------------------------------------------------------------------
-- Progress

local UNITS = {{'D', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}}

-- xlua.formatTime(seconds): the two largest units of a time, '1h5m' or '20ms'.
function xlua.formatTime(seconds)
   local words = {}
   for _, unit in ipairs(UNITS) do
      local count = math.floor(seconds / unit[2])
      seconds = seconds - count * unit[2]
      if count > 0 and #words < 2 then words[#words + 1] = count .. unit[1] end
   end
   local millis = math.floor(seconds * 1000)
   if millis > 0 and #words < 2 then words[#words + 1] = millis .. 'ms' end
   return #words > 0 and table.concat(words) or '0ms'
end

local TAIL = 34      -- columns for the times behind the bar
local MEMORY = 100   -- steps whose times are averaged

local width
local running, last = false, -1      -- whether a bar is being drawn, and how far it was
local timer, times, marks

local function draw(current, goal, filled, length)
   local empty = width - length - 4
   local bar = (filled > 0 and ('='):rep(filled - 1) .. '>' or '') .. ('.'):rep(length - math.max(filled, 0))
   io.write(' [', bar:sub(1, length), '] ', (' '):rep(empty), ('\b'):rep(empty))
   local elapsed = timer:time().real
   local step = current == marks[1] and 0 or (elapsed - times[1]) / (current - marks[1])
   marks[#marks + 1], times[#times + 1] = current, elapsed
   if #marks > MEMORY then
      table.remove(marks, 1)
      table.remove(times, 1)
   end
   local time = filled < length and ' ETA: ' .. xlua.formatTime(math.max(0, (goal - current) * step))
                or ' Tot: ' .. xlua.formatTime(elapsed)
   time = time .. ' | Step: ' .. xlua.formatTime(step)
   -- then the count, in the middle of the bar
   io.write(time, ('\b'):rep(math.floor(5 + #time + length / 2)), ' ', current, '/', goal, ' ')
end

-- xlua.progress(current, goal): draw a bar of how much is done, over the last one.
function xlua.progress(current, goal)
   width = width or math.min(columns(), 120)
   local length = width - TAIL
   local filled = math.floor(current * length / goal)
   if not running and (last == -1 or filled < last) then
      running, last = true, -1
      timer = torch.Timer()
      times, marks = {timer:time().real}, {current}
   else
      io.write('\r')
   end
   if not running then return end
   last = filled
   draw(current, goal, filled, length)
   if filled == length then
      running = false
      io.write('\n')
   end
   io.write('\r')
   io.flush()
end

---------------------------------------------------------------------------------------------------------
-- Functions on strings and tables, some of them added to Lua's libraries

_G.string.split = sys.split

-- string.tosymbol('a.b'): the value of a.b.
function _G.string.tosymbol(text)
   local ok, result = pcall(loadstring('return ' .. text))
   if not ok then fail('%s', result) end
   if not result then fail('symbol "%s" does not exist', text) end
   return result
end

-- table.splice(t[, start[, length]]): t without a part, and the part.
function _G.table.splice(t, start, length)
   start = start or 1
   local stop = start + (length or 1)
   local rest, part = {}, {}
   for i, item in ipairs(t) do
      local into = (i < start or i >= stop) and rest or part
      into[#into + 1] = item
   end
   return rest, part
end

-- table.prune(t[, hash[, merge]]): the last of the items with one hash, or the result of merge(item, the one before).
function _G.table.prune(t, hash, merge)
   local kept = {}
   for _, item in ipairs(t) do
      local key = item
      if hash then key = hash(item) end
      kept[key] = merge and kept[key] and merge(item, kept[key]) or item
   end
   local list = {}
   for _, item in pairs(kept) do list[#list + 1] = item end
   return list
end

local function quoted(value)
   if type(value) == 'table' then return xlua.table2string(value) end
   if type(value) ~= 'string' then return tostring(value) end
   value = value:gsub('\n', '\\n')
   if value:find('"') and not value:find("'") then return "'" .. value .. "'" end
   return '"' .. value:gsub('"', '\\"') .. '"'
end

-- xlua.table2string(t[, newline]): a table as Lua would write it, or with a line for each entry.
function xlua.table2string(t, newline)
   local items, listed = {}, {}
   for i, value in ipairs(t) do
      items[i] = quoted(value)
      listed[i] = true
   end
   for key, value in _G.pairs(t) do
      if not listed[key] then
         local name = type(key) == 'string' and key:match('^[_%a][_%w]*$') or '[' .. quoted(key) .. ']'
         items[#items + 1] = name .. (newline and ' : ' or '=') .. quoted(value)
      end
   end
   if newline then return '{\n   ' .. table.concat(items, '\n   ') .. '\n}' end
   return '{' .. table.concat(items, ',') .. '}'
end

---------------------------------------------------------------------------------------------------------
-- Errors and packages

-- xlua.error(message[, domain[, usage]]): raise an error in red.
function xlua.error(message, domain, usage)
   message = tostring(message)
   if domain then message = '<' .. domain .. '> ' .. message end
   error(core.position() .. sys.COLORS.Red .. message .. sys.COLORS.none .. (usage and '\n' .. tostring(usage) or ''), 0)
end

function xlua.trycatch(try, catch)
   local ok, err = pcall(try)
   if not ok then catch(err) end
end

-- xlua.require(name): the package, or false after a warning where it cannot be loaded.
function xlua.require(name)
   local ok, result = pcall(require, name)
   if ok then return result end
   print(result)
   print('warning: <' .. name .. '> could not be loaded (is it installed?)')
   return false
end

-- xlua.installed(name): whether a Lua file of that name is on the path, and where.
function xlua.installed(name)
   local path = package.searchpath(name, package.path)
   return path ~= nil, path or package.path
end

-- xlua.envparams(defaults): the same table with the values of environment variables.
function xlua.envparams(defaults)
   local values = {}
   for key, default in pairs(defaults) do
      local text = os.getenv(key)
      local value = text
      if text == nil then
         value = default
      elseif type(default) == 'number' then
         value = tonumber(text)
         if value == nil then fail("the environment variable %s is no number: '%s'", key, text) end
      elseif type(default) == 'boolean' and text:lower() == 'true' then
         value = true
      elseif type(default) == 'boolean' and text:lower() == 'false' then
         value = false
      end
      values[key] = value
   end
   return values
end

---------------------------------------------------------------------------------------------------------
-- Looking around

local SHOWN = 40     -- characters of a value

-- xlua.print(x, ...): a table with a line for each entry, anything else as text.
function xlua.print(x, ...)
   local mt = type(x) == 'table' and getmetatable(x)
   if mt and mt.__tostring__ then
      io.write(tostring(x))
   elseif type(x) == 'table' then
      local text = tostring(x)
      if not text:find('^table: ') then io.write(text, ':\n') end
      local lines = {}
      for key, value in pairs(x) do
         local shown = type(value) == 'userdata' and '<userdata>' or tostring(value):gsub('\n', '\\n')
         if #shown > SHOWN then shown = shown:sub(1, SHOWN) .. sys.COLORS.none .. ' ... ' end
         lines[#lines + 1] = '[' .. tostring(key) .. '] = ' .. shown
      end
      io.write('{', table.concat(lines, ',\n '), '}')
   else
      io.write(tostring(x))
   end
   if select('#', ...) > 0 then
      io.write('    ')
      print(...)
   else
      io.write('\n')
   end
end

-- xlua.log(name[, append]): output to the screen goes to a file too.
function xlua.log(name, append)
   paths.mkdir(paths.dirname(name))
   local file = assert(io.open(name, append and 'a' or 'w'))
   local write = io.write
   io._write, _print, print = write, print, xlua.print
   function _G.io.write(...)
      file:write(...)
      file:flush()
      return write(...)
   end
end

local protected = {}

-- xlua.clear(name), xlua.clearall(): remove one global, or all that came after this package.
function xlua.clear(name)
   _G[name] = nil
   collectgarbage()
end

function xlua.clearall()
   for name in next, _G do
      if not protected[name] then
         _G[name] = nil
         package.loaded[name] = nil
      end
   end
   collectgarbage()
end

-- xlua.who(): print the globals that came after this package, packages first.
function xlua.who()
   local packages, values = {}, {}
   for name, value in pairs(_G) do
      if package.loaded[name] and name ~= '_G' then
         packages[#packages + 1] = name
      elseif not protected[name] then
         values[name] = value
      end
   end
   for _, shown in ipairs {'', 'Global Libs:', packages, '', 'Global Vars:', values, ''} do xlua.print(shown) end
end

xprint, xerror, xrequire = xlua.print, xlua.error, xlua.require
for name in next, _G do protected[name] = true end
