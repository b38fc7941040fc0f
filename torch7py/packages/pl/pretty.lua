-- pl.pretty: tables as Lua source.
--
-- Arguments: core, host, pretty. The packages pl.utils and pl.stringx are loaded before.

local _, _, pretty = ...
local utils, stringx = require 'pl.utils', require 'pl.stringx'

local KEYWORDS = {}
for word in ('and break do else elseif end false for function if in local nil not or repeat return then true until while'):gmatch('%a+') do
   KEYWORDS[word] = true
end

local function number(x)
   if x ~= x then return 'NaN' end
   if x == math.huge then return 'Inf' end
   if x == -math.huge then return '-Inf' end
   if x == math.floor(x) and math.abs(x) < 2 ^ 53 then return ('%d'):format(x) end
   return ('%.14g'):format(x)
end

local function scalar(x)
   if type(x) == 'string' then return stringx.quote_string(x) end
   return type(x) == 'number' and number(x) or tostring(x)
end

local function key_text(key, set, bracket)
   if not bracket and type(key) == 'string' and key:find('^[%a_][%w_]*$') and not KEYWORDS[key] then return key .. set end
   if type(key) == 'number' then return '[' .. number(key) .. ']' .. set end
   local text = stringx.quote_string(tostring(key))
   return '[' .. (text:sub(1, 1) == '[' and ' ' .. text .. ' ' or text) .. ']' .. set
end

-- Keys in the order they are written: those that are not numbers by type and text, then the numbers.
local function keys_of(t, listed)
   local words, numbers = {}, {}
   for key in next, t do
      if type(key) ~= 'number' then
         words[#words + 1] = key
      elseif not listed[key] then
         numbers[#numbers + 1] = key
      end
   end
   table.sort(words, function(a, b)
      if type(a) ~= type(b) then return type(a) < type(b) end
      return tostring(a) < tostring(b)
   end)
   table.sort(numbers)
   for _, key in ipairs(numbers) do words[#words + 1] = key end
   return words
end

-- pretty.write(t[, space[, not_clever]]): the source; `space` is the indentation, '' for one line. With
-- `not_clever` the keys of lists are written too.
function pretty.write(t, space, not_clever)
   if type(t) ~= 'table' then
      if type(t) == 'string' then return stringx.quote_string(t) end
      return scalar(t), 'not a table'
   end
   space = space or '  '
   local set = space == '' and '=' or ' = '
   local newline = space == '' and '' or '\n'
   local open = {}
   local function write(value, indent)
      if type(value) ~= 'table' then return scalar(value) end
      if open[value] then return '<cycle>' end
      open[value] = true
      local inner, items, listed = indent .. space, {}, {}
      if not not_clever then
         for i = 1, #value do
            if rawget(value, i) == nil then break end
            items[i] = inner .. write(value[i], inner)
            listed[i] = true
         end
      end
      for _, key in ipairs(keys_of(value, listed)) do
         items[#items + 1] = inner .. key_text(key, set, not_clever) .. write(value[key], inner)
      end
      open[value] = nil
      if #items == 0 then return '{' .. newline .. indent .. '}' end
      return '{' .. newline .. table.concat(items, ',' .. newline) .. newline .. indent .. '}'
   end
   return write(t, '')
end

-- pretty.dump(t[, file]): print it, or write it to a file.
function pretty.dump(t, name)
   if name then return utils.writefile(name, (pretty.write(t))) end
   print((pretty.write(t)))
   return true
end

-- pretty.read(s): the table that a text holds; pretty.load(s[, env]): the globals that a text sets.
function pretty.read(s)
   utils.assert_string(1, s)
   while s:find('^%s*%-%-') do s = s:gsub('^%s*%-%-[^\n]*\n?', '') end
   if not s:find('^%s*{') then return nil, 'not a Lua table' end
   if s:find('[^\'"%w_]function[^\'"%w_]') then return nil, 'cannot have functions in table definition' end
   local chunk, err = load('return ' .. s, 'tbl', 't', {})
   if not chunk then return nil, err end
   local ok, result = pcall(chunk)
   if not ok then return nil, result end
   return result
end

function pretty.load(s, env)
   env = env or {}
   local chunk, err = load(s, 'tbl', 't', env)
   if not chunk then return nil, err end
   local ok, failure = pcall(chunk)
   if not ok then return nil, failure end
   return env
end

local function commas(x)
   local thousands = math.floor(x / 1000)
   return thousands > 0 and commas(thousands) .. ',' .. tostring(x % 1000) or tostring(x)
end

-- pretty.number(x[, kind[, digits]]): '2.3K' (kind 'N'), '2.3KiB' ('M', memory) or '2,300' ('T').
function pretty.number(x, kind, digits)
   if kind == 'T' then return commas(x) end
   local base, units = 1000, {'', 'K', 'M', 'B'}
   if kind == 'M' then base, units = 1024, {'B', 'KiB', 'MiB', 'GiB'} end
   local unit = 1
   while unit < #units and x >= base ^ unit do unit = unit + 1 end
   if unit == 1 then return x .. units[1] end
   return ('%.' .. (digits or 1) .. 'f%s'):format(x / base ^ (unit - 1), units[unit])
end

setmetatable(pretty, {__call = function(_, ...) return pretty.dump(...) end})
