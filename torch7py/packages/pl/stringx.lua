-- pl.stringx: more functions on strings, after Python's.
--
-- Arguments: core {fail}, host, stringx. The package pl.utils is loaded before.

local core, _, stringx = ...
local fail = core.fail
local utils = require 'pl.utils'
local check = utils.assert_string

local function as_list(t) return setmetatable(t, require 'pl.List') end

---------------------------------------------------------------------------------------------------------
-- Predicates

for name, pattern in next, {isalpha = '^%a+$', isdigit = '^%d+$', isalnum = '^%w+$', isspace = '^%s+$',
                            islower = '^[%l%s]+$', isupper = '^[%u%s]+$'} do
   stringx[name] = function(s) return check(1, s):find(pattern) == 1 end
end

local function with_any(s, parts, has)
   check(1, s)
   if type(parts) == 'string' then return has(parts) end
   if type(parts) ~= 'table' then fail("argument #2 expected a 'string' or a 'table', got a '%s'", type(parts)) end
   for _, part in ipairs(parts) do
      if has(part) then return true end
   end
   return false
end

-- stringx.startswith(s, prefix or list of them), stringx.endswith(s, suffix or list of them).
function stringx.startswith(s, prefix)
   return with_any(s, prefix, function(p) return s:sub(1, #p) == p end)
end
function stringx.endswith(s, suffix)
   return with_any(s, suffix, function(p) return #s >= #p and s:sub(#s - #p + 1) == p end)
end

---------------------------------------------------------------------------------------------------------
-- Finding and replacing

function stringx.lfind(s, part, first, last)
   check(1, s)
   local at, stop = s:find(check(2, part), first, true)
   if at and (not last or stop <= last) then return at end
   return nil
end

local function occurrences(s, part, first, last, overlap)
   local position, count = nil, 0
   local at, stop = s:find(part, first, true)
   while at and stop <= last do
      position, count = at, count + 1
      at, stop = s:find(part, (overlap and at or stop) + 1, true)
   end
   return position, count
end

function stringx.rfind(s, part, first, last)
   check(1, s)
   last = last or #s
   if check(2, part) == '' then return last + 1 end
   return (occurrences(s, part, first or 1, last, true))
end

-- stringx.count(s, part[, overlap]): how often a part is in a string.
function stringx.count(s, part, overlap)
   check(1, s)
   if part == '' then return #s + 1 end
   return (select(2, occurrences(s, part, 1, #s, overlap)))
end

-- stringx.replace(s, old, new[, n]): with the first n (or all) of one part replaced.
function stringx.replace(s, old, new, n)
   check(1, s)
   return (s:gsub(utils.escape(check(2, old)), (check(3, new):gsub('%%', '%%%%')), n))
end

-- stringx.partition(s, mark), stringx.rpartition: before, the first (the last) mark, after.
function stringx.partition(s, mark)
   local at = stringx.lfind(s, mark)
   if not at then return s, '', '' end
   return s:sub(1, at - 1), mark, s:sub(at + #mark)
end
function stringx.rpartition(s, mark)
   local at = stringx.rfind(s, mark)
   if not at then return '', '', s end
   return s:sub(1, at - 1), mark, s:sub(at + #mark)
end

function stringx.at(s, i) return check(1, s):sub(i, i) end

---------------------------------------------------------------------------------------------------------
-- Blanks

local function class_of(characters) return characters and '[' .. utils.escape(characters) .. ']' or '%s' end

function stringx.lstrip(s, characters) return (check(1, s):gsub('^' .. class_of(characters) .. '*', '')) end

function stringx.rstrip(s, characters)
   check(1, s)
   local class, last = '^' .. class_of(characters), #s
   while last > 0 and s:find(class, last) do last = last - 1 end
   return s:sub(1, last)
end

-- stringx.strip(s[, characters]): without blanks, or other characters, at either end.
function stringx.strip(s, characters) return stringx.rstrip(stringx.lstrip(s, characters), characters) end

local function fill(s, width, character)
   return (character or ' '):rep(width - #s)
end
function stringx.ljust(s, width, character) return check(1, s) .. fill(s, width, character) end
function stringx.rjust(s, width, character) return fill(check(1, s), width, character) .. s end
function stringx.center(s, width, character)
   check(1, s)
   local missing = math.max(0, width - #s)
   local right = math.ceil(missing / 2)
   return (character or ' '):rep(missing - right) .. s .. (character or ' '):rep(right)
end

function stringx.expandtabs(s, width)
   width = width or 8
   return (check(1, s):gsub('([^\t\r\n]*)\t', function(before)
      return before .. (' '):rep(width - #before % width)
   end))
end

---------------------------------------------------------------------------------------------------------
-- Lists

function stringx.join(s, list) return table.concat(list, check(1, s)) end

-- stringx.split(s[, mark[, n]]): the pieces between blanks, or between marks, n at most.
function stringx.split(s, mark, n)
   check(1, s)
   if not mark then s = stringx.lstrip(s) end
   local pieces = utils.split(s, mark, mark ~= nil, n)
   if mark and mark ~= '' and stringx.endswith(s, mark) and (n or math.huge) > #pieces then
      pieces[#pieces + 1] = ''
   end
   return as_list(pieces)
end

function stringx.splitv(s, pattern) return utils.splitv(check(1, s), pattern) end

-- stringx.splitlines(s[, keep]): its lines, with or without their ends.
function stringx.splitlines(s, keep)
   check(1, s)
   local lines, at = {}, 1
   while at <= #s do
      local first, last = s:find('\r?[\r\n]', at)
      if first and s:sub(first, last) == '\r\r' then last = first end
      lines[#lines + 1] = s:sub(at, (keep and last or first and first - 1) or #s)
      at = (last or #s) + 1
   end
   return as_list(lines)
end

-- for line in stringx.lines(s)
function stringx.lines(s)
   check(1, s)
   if s:sub(-1) ~= '\n' then s = s .. '\n' end
   return s:gmatch('([^\n]*)\n')
end

function stringx.title(s)
   return (check(1, s):gsub('(%S)(%S*)', function(first, rest) return first:upper() .. rest:lower() end))
end
stringx.capitalize = stringx.title

-- stringx.shorten(s, width[, tail]): a string of at most `width`, with dots for the rest.
function stringx.shorten(s, width, tail)
   if #check(1, s) <= width then return s end
   if width < 3 then return ('.'):rep(width) end
   if tail then return '...' .. s:sub(#s - width + 4) end
   return s:sub(1, width - 3) .. '...'
end

-- stringx.quote_string(s): as Lua source, between long brackets where it has lines or long brackets itself.
function stringx.quote_string(s)
   check(1, s)
   local level, at = s:find('\n') and 0 or nil, 1
   local brackets = s .. ']'
   while true do
      local first, last, _, signs = brackets:find('([%[%]])(=*)%1', at)
      if not first then break end
      level, at = math.max(level or 0, #signs + 1), last
   end
   if not level or s:find('\r') then return (('%q'):format(s):gsub('\r', '\\r')) end
   local signs = ('='):rep(level)
   return '[' .. signs .. '[' .. (s:sub(1, 1) == '\n' and '\n' or '') .. s .. ']' .. signs .. ']'
end

-- stringx.import(): make these functions methods of all strings.
function stringx.import()
   for name, f in next, stringx do
      if _G.string[name] == nil then _G.string[name] = f end
   end
end

---------------------------------------------------------------------------------------------------------
-- 'format' % values

local function format(text, ...)
   local values, i = {...}, 0
   for kind in text:gmatch('%%.') do
      i = i + 1
      if kind == '%s' and type(values[i]) ~= 'string' then values[i] = tostring(values[i]) end
   end
   return text:format(unpack(values, 1, math.max(i, select('#', ...))))
end

-- stringx.format_operator(): let `%` on a string format a value, a list of them, or, by $name, a table or function.
function stringx.format_operator()
   getmetatable('').__mod = function(text, value)
      if value == nil then return text end
      local plain = type(value) == 'table' and getmetatable(value) == nil
      if plain and #value > 0 then return format(text, unpack(value)) end
      if type(value) == 'function' then return (text:gsub('%$([%w_]+)', value)) end
      if plain then
         local function lookup(name) return value[name] or name end
         return (text:gsub('%${([%w_]+)}', lookup):gsub('%$([%w_]+)', lookup))
      end
      return format(text, value)
   end
end
