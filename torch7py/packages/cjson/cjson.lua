-- cjson: JSON texts and Lua values, after lua-cjson 2.1.
--
-- Keys of objects are written in the order of `pairs`, which is the same in every run; lua-cjson's was that of Lua's
-- tables.
--
-- Arguments: core {fail}, host, cjson. Sets core.fill_cjson, with which cjson.safe makes its table.

local core, _, cjson = ...
local fail = core.fail

local type, tonumber, pairs, next, rawget, rawequal, getmetatable = type, tonumber, pairs, next, rawget, rawequal, getmetatable
local error, pcall, select, floor, huge = error, pcall, select, math.floor, math.huge
local byte, char, find, format, gsub, match, sub = string.byte, string.char, string.find, string.format, string.gsub, string.match, string.sub
local concat = table.concat

-- The value of JSON's null: a userdata that is nothing but itself.
local null = newproxy(true)
getmetatable(null).__tostring = function() return 'userdata: NULL' end

-- In cjson.safe lua-cjson catches its own errors, which then have no position in a program.
local bare = false
local function problem(...)
   if bare then error(format(...), 0) end
   fail(...)
end

---------------------------------------------------------------------------------------------------------
-- Writing

local ESCAPES = {['"'] = '\\"', ['/'] = '\\/', ['\\'] = '\\\\', ['\b'] = '\\b', ['\t'] = '\\t', ['\n'] = '\\n',
                 ['\f'] = '\\f', ['\r'] = '\\r'}
for code = 0, 127 do
   local c = char(code)
   if (code < 32 or code == 127) and not ESCAPES[c] then ESCAPES[c] = format('\\u%04x', code) end
end

local function quoted(text) return '"' .. gsub(text, '[%z\1-\31"/\\\127]', ESCAPES) .. '"' end

local function refuse(value, reason) problem('Cannot serialise %s: %s', type(value), reason) end

local function number_text(settings, number)
   if number ~= number or number == huge or number == -huge then
      if settings.encode_invalid == 'off' then refuse(number, 'must not be NaN or Infinity') end
      if settings.encode_invalid == 'null' then return 'null' end
      return number ~= number and 'NaN' or number > 0 and 'Infinity' or '-Infinity'
   end
   return format(settings.number_format, number)
end

-- The length of a table that is an array, 0 for one without entries, nil for any other.
local function array_length(settings, t)
   local length, count = 0, 0
   for key in next, t do
      if type(key) ~= 'number' or key < 1 or floor(key) ~= key then return nil end
      if key > length then length = key end
      count = count + 1
   end
   if settings.sparse_ratio > 0 and length > count * settings.sparse_ratio and length > settings.sparse_safe then
      if not settings.sparse_convert then refuse(t, 'excessively sparse array') end
      return nil
   end
   return length
end

local append

local function append_object(settings, depth, parts, t)
   local first = true
   local step, state, at
   if getmetatable(t) == nil then step, state, at = pairs(t) else step, state = next, t end
   for key, value in step, state, at do
      parts[#parts + 1] = first and '{' or ','
      first = false
      local kind = type(key)
      if kind == 'string' then
         parts[#parts + 1] = quoted(key)
      elseif kind == 'number' then
         parts[#parts + 1] = '"' .. number_text(settings, key) .. '"'
      else
         refuse(key, 'table key must be a number or string')
      end
      parts[#parts + 1] = ':'
      append(settings, depth, parts, value)
   end
   parts[#parts + 1] = first and '{}' or '}'
end

function append(settings, depth, parts, value)
   local kind = type(value)
   if kind == 'string' then
      parts[#parts + 1] = quoted(value)
   elseif kind == 'number' then
      parts[#parts + 1] = number_text(settings, value)
   elseif kind == 'boolean' then
      parts[#parts + 1] = value and 'true' or 'false'
   elseif value == nil or rawequal(value, null) then
      parts[#parts + 1] = 'null'
   elseif kind == 'table' then
      depth = depth + 1
      if depth > settings.encode_depth then problem('Cannot serialise, excessive nesting (%d)', depth) end
      local length = array_length(settings, value)
      if not length or length == 0 then return append_object(settings, depth, parts, value) end
      for i = 1, length do
         parts[#parts + 1] = i == 1 and '[' or ','
         append(settings, depth, parts, rawget(value, i))
      end
      parts[#parts + 1] = ']'
   else
      refuse(value, 'type not supported')
   end
end

---------------------------------------------------------------------------------------------------------
-- Reading. A token is a kind, a value and its position; the position of the next one is in `source.at`.

local SINGLE = {['{'] = 'T_OBJ_BEGIN', ['}'] = 'T_OBJ_END', ['['] = 'T_ARR_BEGIN', [']'] = 'T_ARR_END',
                [','] = 'T_COMMA', [':'] = 'T_COLON'}
local UNESCAPED = {['"'] = '"', ['\\'] = '\\', ['/'] = '/', b = '\b', t = '\t', n = '\n', f = '\f', r = '\r'}
local WORDS = {t = {'true', 'T_BOOLEAN', true}, f = {'false', 'T_BOOLEAN', false}, n = {'null', 'T_NULL', null}}

local function utf8(code)
   if code < 0x80 then return char(code) end
   local tail = char(0x80 + code % 64)
   code = floor(code / 64)
   if code < 0x20 then return char(0xC0 + code) .. tail end
   tail = char(0x80 + code % 64) .. tail
   code = floor(code / 64)
   if code < 0x10 then return char(0xE0 + code) .. tail end
   return char(0xF0 + floor(code / 64), 0x80 + code % 64) .. tail
end

-- The character of a \u at a position, and the position after it; nil if it is invalid.
local function unicode(text, at)
   local digits = match(text, '^\\u(%x%x%x%x)', at)
   if not digits then return nil end
   local code = tonumber(digits, 16)
   if code < 0xD800 or code > 0xDFFF then return utf8(code), at + 6 end
   local low = match(text, '^\\u(%x%x%x%x)', at + 6)
   low = low and tonumber(low, 16)
   if code >= 0xDC00 or not low or low < 0xDC00 or low > 0xDFFF then return nil end
   return utf8((code - 0xD800) * 0x400 + low - 0xDC00 + 0x10000), at + 12
end

local function string_token(source, first)
   local text, at = source.text, first + 1
   local parts = {}
   while true do
      local _, stop, plain = find(text, '^([^%z"\\]*)', at)
      parts[#parts + 1] = plain
      at = stop + 1
      local c = sub(text, at, at)
      if c == '"' then
         source.at = at + 1
         return 'T_STRING', #parts == 1 and plain or concat(parts), first
      elseif c ~= '\\' then
         return 'unexpected end of string', nil, at
      end
      local escape = sub(text, at + 1, at + 1)
      if escape == 'u' then
         local character, after = unicode(text, at)
         if not character then return 'invalid unicode escape code', nil, at end
         parts[#parts + 1], at = character, after
      elseif UNESCAPED[escape] then
         parts[#parts + 1], at = UNESCAPED[escape], at + 2
      else
         return 'invalid escape code', nil, at
      end
   end
end

-- A number where JSON has none: hexadecimal, with zeros before it, infinite or none.
local function is_invalid_number(text, at)
   if find(text, '^%+', at) then return true end
   if find(text, '^%-', at) then at = at + 1 end
   return (find(text, '^0[xX%d]', at) or find(text, '^[iI][nN][fF]', at) or find(text, '^[nN][aA][nN]', at)) and true
end

-- A number as C's strtod reads it.
local function number_token(source, first)
   local text = source.text
   local sign, at = match(text, '^([+-]?)()', first)
   local digits, after = match(text, '^(0[xX]%x*%.?%x*)()', at)
   local value
   if digits and find(digits, '%x', 3) then
      local exponent, beyond = match(text, '^([pP][+-]?%d+)()', after)
      if exponent then digits, after = digits .. exponent, beyond end
      value = tonumber(digits)
   else
      digits, after = match(text, '^(%d*%.?%d*)()', at)
      if find(digits, '%d') then
         local exponent, beyond = match(text, '^([eE][+-]?%d+)()', after)
         if exponent then digits, after = digits .. exponent, beyond end
         value = tonumber(digits)
      else
         local word = match(text, '^%a+', at)
         word = word and word:lower() or ''
         if word:sub(1, 8) == 'infinity' then
            value, after = huge, at + 8
         elseif word:sub(1, 3) == 'inf' then
            value, after = huge, at + 3
         elseif word:sub(1, 3) == 'nan' then
            value, after = 0 / 0, at + 3
         else
            return 'invalid number', nil, first
         end
      end
   end
   source.at = after
   return 'T_NUMBER', sign == '-' and -value or value, first
end

-- The next token; the kind of an error is its message.
local function token(source)
   local text = source.text
   local at = match(text, '^[ \t\r\n]*()', source.at)
   local code = byte(text, at)
   if not code or code == 0 then return 'T_END', nil, at end
   local c = char(code)
   if SINGLE[c] then
      source.at = at + 1
      return SINGLE[c], nil, at
   end
   if c == '"' then return string_token(source, at) end
   if find(c, '[-%d]') then
      if not source.settings.decode_invalid and is_invalid_number(text, at) then
         return 'invalid number', nil, at
      end
      return number_token(source, at)
   end
   local word = WORDS[c]
   if word and sub(text, at, at + #word[1] - 1) == word[1] then
      source.at = at + #word[1]
      return word[2], word[3], at
   end
   if source.settings.decode_invalid and is_invalid_number(text, at) then return number_token(source, at) end
   return 'invalid token', nil, at
end

local function unexpected(expected, kind, position)
   problem('Expected %s but found %s at character %d', expected, kind, position)
end

local parse

local function descend(source, depth)
   if depth > source.settings.decode_depth then
      problem('Found too many nested data structures (%d) at character %d', depth, source.at - 1)
   end
end

local function parse_object(source, depth)
   descend(source, depth)
   local object = {}
   local kind, key, position = token(source)
   if kind == 'T_OBJ_END' then return object end
   while true do
      if kind ~= 'T_STRING' then unexpected('object key string', kind, position) end
      kind, _, position = token(source)
      if kind ~= 'T_COLON' then unexpected('colon', kind, position) end
      object[key] = parse(source, depth, token(source))
      kind, _, position = token(source)
      if kind == 'T_OBJ_END' then return object end
      if kind ~= 'T_COMMA' then unexpected('comma or object end', kind, position) end
      kind, key, position = token(source)
   end
end

local function parse_array(source, depth)
   descend(source, depth)
   local array, n = {}, 0
   local kind, value, position = token(source)
   if kind == 'T_ARR_END' then return array end
   while true do
      n = n + 1
      array[n] = parse(source, depth, kind, value, position)
      kind, value, position = token(source)
      if kind == 'T_ARR_END' then return array end
      if kind ~= 'T_COMMA' then unexpected('comma or array end', kind, position) end
      kind, value, position = token(source)
   end
end

function parse(source, depth, kind, value, position)
   if kind == 'T_STRING' or kind == 'T_NUMBER' or kind == 'T_BOOLEAN' or kind == 'T_NULL' then return value end
   if kind == 'T_OBJ_BEGIN' then return parse_object(source, depth + 1) end
   if kind == 'T_ARR_BEGIN' then return parse_array(source, depth + 1) end
   unexpected('value', kind, position)
end

---------------------------------------------------------------------------------------------------------
-- Settings

local MAX = 2147483647

local function check_count(name, most, ...)
   if select('#', ...) > most then
      fail("bad argument #%d to '%s' (found too many arguments)", most + 1, name)
   end
end

local function check_integer(name, position, value, low, high)
   local number = tonumber(value)
   if not number then
      fail("bad argument #%d to '%s' (number expected, got %s)", position, name, type(value))
   end
   number = number < 0 and math.ceil(number) or floor(number)
   if number < low or number > high then
      fail("bad argument #1 to '%s' (expected integer between %d and %d)", name, low, high)
   end
   return number
end

local function check_option(name, value, others)
   if type(value) == 'boolean' then return value and 'on' or 'off' end
   if type(value) == 'number' then value = tostring(value) end
   if type(value) ~= 'string' then
      fail("bad argument #1 to '%s' (string expected, got %s)", name, type(value))
   end
   if value ~= 'on' and value ~= 'off' and not others[value] then
      fail("bad argument #1 to '%s' (invalid option '%s')", name, value)
   end
   return value
end

local function option_value(option)
   if option == 'on' or option == 'off' then return option == 'on' end
   return option
end

-- The functions of a module in a table, with separate settings.
local function fill(t)
   local settings = {sparse_convert = false, sparse_ratio = 2, sparse_safe = 10, encode_depth = 1000, decode_depth = 1000,
                     number_format = '%.14g', encode_invalid = 'off', decode_invalid = true}
   local precision, keep_buffer = 14, true

   t.null, t._NAME, t._VERSION = null, 'cjson', '2.1devel'

   -- cjson.encode(value): its JSON text.
   function t.encode(...)
      if select('#', ...) ~= 1 then fail("bad argument #1 to 'encode' (expected 1 argument)") end
      local parts = {}
      append(settings, 0, parts, (...))
      return concat(parts)
   end

   -- cjson.decode(text): the value it is the text of; null is cjson.null.
   function t.decode(...)
      if select('#', ...) ~= 1 then fail("bad argument #1 to 'decode' (expected 1 argument)") end
      local text = ...
      if type(text) == 'number' then text = tostring(text) end
      if type(text) ~= 'string' then
         fail("bad argument #1 to 'decode' (string expected, got %s)", type(text))
      end
      if #text >= 2 and (byte(text, 1) == 0 or byte(text, 2) == 0) then
         problem('JSON parser does not support UTF-16 or UTF-32')
      end
      local source = {text = text, at = 1, settings = settings}
      local value = parse(source, 0, token(source))
      local kind, _, position = token(source)
      if kind ~= 'T_END' then unexpected('the end', kind, position) end
      return value
   end

   function t.encode_sparse_array(...)
      check_count('encode_sparse_array', 3, ...)
      local convert, ratio, safe = ...
      if convert ~= nil then settings.sparse_convert = option_value(check_option('encode_sparse_array', convert, {})) end
      if ratio ~= nil then settings.sparse_ratio = check_integer('encode_sparse_array', 2, ratio, 0, MAX) end
      if safe ~= nil then settings.sparse_safe = check_integer('encode_sparse_array', 3, safe, 0, MAX) end
      return settings.sparse_convert, settings.sparse_ratio, settings.sparse_safe
   end

   for name, field in pairs {encode_max_depth = 'encode_depth', decode_max_depth = 'decode_depth'} do
      t[name] = function(...)
         check_count(name, 1, ...)
         local depth = ...
         if depth ~= nil then settings[field] = check_integer(name, 1, depth, 1, MAX) end
         return settings[field]
      end
   end

   function t.encode_number_precision(...)
      check_count('encode_number_precision', 1, ...)
      local digits = ...
      if digits ~= nil then
         precision = check_integer('encode_number_precision', 1, digits, 1, 14)
         settings.number_format = format('%%.%dg', precision)
      end
      return precision
   end

   -- There is no buffer to keep.
   function t.encode_keep_buffer(...)
      check_count('encode_keep_buffer', 1, ...)
      local keep = ...
      if keep ~= nil then keep_buffer = option_value(check_option('encode_keep_buffer', keep, {})) end
      return keep_buffer
   end

   function t.encode_invalid_numbers(...)
      check_count('encode_invalid_numbers', 1, ...)
      local option = ...
      if option ~= nil then
         settings.encode_invalid = check_option('encode_invalid_numbers', option, {null = true})
      end
      return option_value(settings.encode_invalid)
   end

   function t.decode_invalid_numbers(...)
      check_count('decode_invalid_numbers', 1, ...)
      local option = ...
      if option ~= nil then
         settings.decode_invalid = option_value(check_option('decode_invalid_numbers', option, {}))
      end
      return settings.decode_invalid
   end

   -- cjson.new(): another copy of the module, with separate settings.
   function t.new() return fill({}) end
   return t
end

-- The same where encode and decode answer nil and a message instead of an error.
local function fill_safe(t)
   fill(t)
   for _, name in ipairs {'encode', 'decode'} do
      local f = t[name]
      t[name] = function(...)
         if select('#', ...) ~= 1 then fail("bad argument #1 to '%s' (expected 1 argument)", name) end
         bare = true
         local ok, result = pcall(f, (...))
         bare = false
         if ok then return result end
         return nil, result
      end
   end
   function t.new() return fill_safe({}) end
   return t
end

core.fill_cjson_safe = fill_safe
fill(cjson)
