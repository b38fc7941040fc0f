-- lua-utf8: strings by their characters in UTF-8. Patterns are those of ASCII characters alone.
--
-- Arguments: core {fail}, host, utf8.

local core, _, utf8 = ...
local fail = core.fail
local type, select, tonumber, ipairs, unpack = type, select, tonumber, ipairs, unpack
local string, table, math = string, table, math

utf8.charpattern = '[%z\1-\127\194-\244][\128-\191]*'

-- The code and the length of the character at a byte; nil if it is invalid.
local function decoded(s, at)
   local first = s:byte(at)
   if not first then return nil end
   if first < 0x80 then return first, 1 end
   local more = first >= 0xF0 and 3 or first >= 0xE0 and 2 or 1
   if first < 0xC2 or first > 0xF4 then return nil end
   local code = first % (more == 3 and 8 or more == 2 and 16 or 32)
   for i = 1, more do
      local next_one = s:byte(at + i)
      if not next_one or next_one < 0x80 or next_one > 0xBF then return nil end
      code = code * 64 + next_one - 0x80
   end
   local least = more == 3 and 0x10000 or more == 2 and 0x800 or 0x80
   if code < least or code > 0x10FFFF or code >= 0xD800 and code <= 0xDFFF then return nil end
   return code, more + 1
end

local function encoded(code)
   if type(code) ~= 'number' or code < 0 or code > 0x10FFFF or code % 1 ~= 0 then fail 'utf8.char: value out of range' end
   if code < 0x80 then return string.char(code) end
   local tail, lead = '', nil
   local limit = 0x40
   repeat
      tail = string.char(0x80 + code % 64) .. tail
      code = math.floor(code / 64)
      limit = limit / 2
   until code < limit
   lead = 256 - 2 * limit
   return string.char(lead + code) .. tail
end

function utf8.char(...)
   local characters = {}
   for i = 1, select('#', ...) do characters[i] = encoded((select(i, ...))) end
   return table.concat(characters)
end

-- The position of each character, and the position after the last; an invalid byte is an error.
local function starts(s, name)
   local positions, at = {}, 1
   while at <= #s do
      local _, length = decoded(s, at)
      if not length then fail('utf8.%s: invalid UTF-8 code', name) end
      positions[#positions + 1] = at
      at = at + length
   end
   positions[#positions + 1] = at
   return positions
end

-- First and last character of a range with negative positions counted from the end.
local function range(count, i, j)
   i, j = i or 1, j or count
   if i < 0 then i = math.max(count + i + 1, 1) elseif i == 0 then i = 1 end
   if j < 0 then j = count + j + 1 elseif j > count then j = count end
   return i, j
end

local function byte_position(s, i)
   if i >= 0 then return i end
   return -i > #s and 0 or #s + i + 1
end

-- utf8.len(s[, i[, j]]): the number of characters that begin in those bytes; nil and the position of an invalid byte.
function utf8.len(s, i, j)
   local at, last, count = byte_position(s, i or 1), byte_position(s, j or -1), 0
   if at < 1 or at > #s + 1 then fail 'utf8.len: initial position out of string' end
   while at <= last do
      local _, length = decoded(s, at)
      if not length then return nil, at end
      at, count = at + length, count + 1
   end
   return count
end

-- utf8.sub(s, i[, j]): from one character to another.
function utf8.sub(s, i, j)
   local positions = starts(s, 'sub')
   i, j = range(#positions - 1, i, j)
   if i > j then return '' end
   return s:sub(positions[i], positions[j + 1] - 1)
end

-- utf8.codepoint(s[, i[, j]]): the codes of the characters that begin in those bytes.
function utf8.codepoint(s, i, j)
   i = byte_position(s, i or 1)
   j = byte_position(s, j or i)
   if i < 1 or j > #s then fail 'utf8.codepoint: out of range' end
   local codes = {}
   while i <= j do
      local code, length = decoded(s, i)
      if not code then fail 'utf8.codepoint: invalid UTF-8 code' end
      codes[#codes + 1], i = code, i + length
   end
   return unpack(codes)
end

-- utf8.byte(s[, i[, j]]): the codes of characters by their numbers.
function utf8.byte(s, i, j)
   local positions = starts(s, 'byte')
   i = i or 1
   i, j = range(#positions - 1, i, j or i)
   local codes = {}
   for n = i, j do if positions[n] and positions[n] <= #s then codes[#codes + 1] = (decoded(s, positions[n])) end end
   return unpack(codes)
end

-- for position, code in utf8.codes(s)
function utf8.codes(s)
   return function(_, at)
      local _, length = decoded(s, at)
      at = at == 0 and 1 or at + length
      if at > #s then return nil end
      local code = decoded(s, at)
      if not code then fail 'utf8.codes: invalid UTF-8 code' end
      return at, code
   end, s, 0
end

local function goes_on(s, at) local b = s:byte(at) return b ~= nil and b >= 0x80 and b <= 0xBF end

-- The position and the code of the character that is some characters after the one at a byte; nothing outside the
-- string.
local function moved(s, at, count)
   while count > 0 and at <= #s do
      repeat at = at + 1 until not goes_on(s, at)
      count = count - 1
   end
   while count < 0 and at > 1 do
      repeat at = at - 1 until at == 1 or not goes_on(s, at)
      count = count + 1
   end
   if count ~= 0 or at < 1 or at > #s then return nil end
   local code = decoded(s, at)
   if not code then fail 'utf8: invalid UTF-8 code' end
   return at, code
end

-- for position, code in utf8.next, s; with a position and a number, the character that many characters from there.
function utf8.next(s, position, count)
   return moved(s, byte_position(s, position or 1), count or (position and 1 or 0))
end

-- utf8.charpos(s[, i]): the i-th character; utf8.charpos(s, position, count): that many characters from a byte.
function utf8.charpos(s, position, count)
   if count then return moved(s, byte_position(s, position or 1), count) end
   position = position or 1
   if position < 0 then return moved(s, #s + 1, position) end
   return moved(s, 1, position > 0 and position - 1 or 0)
end

-- utf8.offset(s, n[, i]): the byte at which the n-th character from byte i begins.
function utf8.offset(s, n, i)
   local at = byte_position(s, i or (n > 0 and 1 or #s + 1))
   if at < 1 or at > #s + 1 then fail 'utf8.offset: position out of range' end
   if n == 0 then
      while at > 1 and goes_on(s, at) do at = at - 1 end
      return at
   end
   if goes_on(s, at) then fail 'utf8.offset: initial position is a continuation byte' end
   while n < 0 and at > 1 do
      repeat at = at - 1 until at == 1 or not goes_on(s, at)
      n = n + 1
   end
   n = n > 0 and n - 1 or n
   while n > 0 and at <= #s do
      repeat at = at + 1 until not goes_on(s, at)
      n = n - 1
   end
   return n == 0 and at or nil
end

function utf8.reverse(s)
   local positions, characters = starts(s, 'reverse'), {}
   for n = #positions - 1, 1, -1 do characters[#characters + 1] = s:sub(positions[n], positions[n + 1] - 1) end
   return table.concat(characters)
end

function utf8.insert(s, n, text)
   if text == nil then return s .. n end
   local positions = starts(s, 'insert')
   if n < 0 then n = #positions + n end
   if not positions[n] then fail('utf8.insert: there is no character %d', n) end
   return s:sub(1, positions[n] - 1) .. text .. s:sub(positions[n])
end

function utf8.remove(s, i, j)
   local positions = starts(s, 'remove')
   i, j = range(#positions - 1, i or -1, j)
   if i > j then return s end
   return s:sub(1, positions[i] - 1) .. s:sub(positions[j + 1])
end

function utf8.isvalid(s) return (utf8.len(s)) ~= nil end

-- Functions with patterns, and those that change letters, know ASCII alone.
local function plain(s, name)
   if s:find '[\128-\255]' then fail('lua-utf8: %s of other characters than those of ASCII is not supported', name) end
end

for _, name in ipairs {'find', 'match', 'gmatch', 'gsub'} do
   local f = string[name]
   utf8[name] = function(s, pattern, ...)
      if pattern == utf8.charpattern and name == 'gmatch' then return f(s, pattern) end
      plain(s, name)
      plain(pattern, name)
      return f(s, pattern, ...)
   end
end

for _, name in ipairs {'lower', 'upper'} do
   local f = string[name]
   utf8[name] = function(s)
      if type(s) == 'string' then plain(s, name) end
      return f(s)
   end
end

utf8.format, utf8.rep = string.format, string.rep
