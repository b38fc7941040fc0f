-- rex_pcre: the functions of Lua's string library for Perl's regular expressions, as in lrexlib.
--
-- Arguments: core, host, the package's table with _check(pattern, flags) and _find(pattern, flags, subject, start).

local core, _, rex = ...
local fail = core.fail
local check, find_at = rex._check, rex._find
rex._check, rex._find = nil, nil

local type, tonumber, tostring, setmetatable, getmetatable, unpack = type, tonumber, tostring, setmetatable, getmetatable, unpack
local insert, concat, huge = table.insert, table.concat, math.huge

local LETTERS = {i = 0x1, m = 0x2, s = 0x4, x = 0x8, U = 0x200}
local FLAGS = {CASELESS = 0x1, MULTILINE = 0x2, DOTALL = 0x4, EXTENDED = 0x8, UNGREEDY = 0x200, UTF8 = 0x800}

local Pattern = {}
Pattern.__index = Pattern
function Pattern:__tostring() return ('rex_pcre_regex (%s)'):format(self.text) end

local function flags_of(flags)
   if flags == nil then return 0 end
   if type(flags) == 'number' then return flags end
   local sum, seen = 0, {}
   for letter in tostring(flags):gmatch('.') do
      if not LETTERS[letter] then fail("rex_pcre: there is no compile flag '%s'", letter) end
      if not seen[letter] then sum = sum + LETTERS[letter] end
      seen[letter] = true
   end
   return sum
end

function rex.new(text, flags)
   if type(text) ~= 'string' then fail('rex_pcre: a pattern is a string, not a %s', type(text)) end
   local p = {text = text, flags = flags_of(flags), names = {}}
   local described = check(text, p.flags)
   p.captures = described[1]
   for i = 2, #described, 2 do p.names[described[i]] = described[i + 1] end
   return setmetatable(p, Pattern)
end

local function pattern_of(pattern, flags)
   return getmetatable(pattern) == Pattern and pattern or rex.new(pattern, flags)
end

local function check_subject(subject)
   if type(subject) == 'number' then return tostring(subject) end
   if type(subject) ~= 'string' then fail('rex_pcre: a subject is a string, not a %s', type(subject)) end
   return subject
end

-- 0-based position of an `init` that counts from 1, or from the end.
local function start_of(init, length)
   init = tonumber(init) or 1
   if init < 0 then init = length + init + 1 end
   return init < 1 and 0 or init - 1
end

local function search(p, subject, start)
   if start > #subject then return nil end
   return find_at(p.text, p.flags, subject, start)
end

-- The texts of the captures of a match, or the text of the match if the pattern has no captures.
local function captures_of(p, subject, match, with_match)
   if p.captures == 0 and with_match then return {subject:sub(match[1], match[2])}, 1 end
   local texts = {}
   for i = 1, p.captures do
      local first = match[2 * i + 1]
      texts[i] = first and subject:sub(first, match[2 * i + 2]) or false
   end
   return texts, p.captures
end

function Pattern:find(subject, init)
   subject = check_subject(subject)
   local match = search(self, subject, start_of(init, #subject))
   if not match then return nil end
   local texts, n = captures_of(self, subject, match)
   return match[1], match[2], unpack(texts, 1, n)
end

function Pattern:match(subject, init)
   subject = check_subject(subject)
   local match = search(self, subject, start_of(init, #subject))
   if not match then return nil end
   local texts, n = captures_of(self, subject, match, true)
   return unpack(texts, 1, n)
end

-- First and last position, and a table of the positions of the captures (exec) or of their texts (tfind).
function Pattern:exec(subject, init)
   subject = check_subject(subject)
   local match = search(self, subject, start_of(init, #subject))
   if not match then return nil end
   local positions = {unpack(match, 3)}
   for name, number in pairs(self.names) do
      local first = match[2 * number + 1]
      positions[name] = first and subject:sub(first, match[2 * number + 2]) or false
   end
   return match[1], match[2], positions
end

function Pattern:tfind(subject, init)
   subject = check_subject(subject)
   local match = search(self, subject, start_of(init, #subject))
   if not match then return nil end
   local texts = captures_of(self, subject, match)
   for name, number in pairs(self.names) do texts[name] = texts[number] end
   return match[1], match[2], texts
end

function rex.find(subject, pattern, init, flags) return pattern_of(pattern, flags):find(subject, init) end
function rex.match(subject, pattern, init, flags) return pattern_of(pattern, flags):match(subject, init) end

-- The matches of a subject one after the other; after an empty match the search continues one character later.
local function matches(p, subject)
   local at, last = 0, -1
   return function()
      local match = search(p, subject, at)
      while match and match[2] == last and match[2] < match[1] do   -- empty, right behind the last one
         at = at + 1
         match = search(p, subject, at)
      end
      if not match then
         at = huge
         return nil
      end
      at, last = match[2], match[2]
      if match[2] < match[1] then at = at + 1 end
      return match
   end
end

function rex.gmatch(subject, pattern, flags)
   local p = pattern_of(pattern, flags)
   subject = check_subject(subject)
   local following = matches(p, subject)
   return function()
      local match = following()
      if not match then return nil end
      local texts, n = captures_of(p, subject, match, true)
      return unpack(texts, 1, n)
   end
end

function rex.count(subject, pattern, flags)
   local n = 0
   for _ in matches(pattern_of(pattern, flags), check_subject(subject)) do n = n + 1 end
   return n
end

function rex.split(subject, pattern, flags)
   local p = pattern_of(pattern, flags)
   subject = check_subject(subject)
   local following, from, done = matches(p, subject), 1, false
   return function()
      if done then return nil end
      local match = following()
      if not match then
         done = true
         return subject:sub(from), nil
      end
      local piece = subject:sub(from, match[1] - 1)
      from = match[2] + 1
      local texts, n = captures_of(p, subject, match, true)
      return piece, unpack(texts, 1, n)
   end
end

-- The replacement of a match: a text in which %0 to %9 are captures, the entry of a table, or the result of a function.
local function replacement_for(replacement, matched_text, texts, n)
   local kind = type(replacement)
   if kind == 'function' then return replacement(unpack(texts, 1, n)) end
   if kind == 'table' then return replacement[texts[1]] end
   return (replacement:gsub('%%(.)', function(c)
      if not c:find('%d') then return c end
      local number = tonumber(c)
      if number == 0 then return matched_text end
      if number > n then fail('rex_pcre: the pattern has no capture %d', number) end
      return texts[number] or ''
   end))
end

-- gsub(subject, pattern, replacement, limit, flags): the new text, the number of matches and of replacements. The limit is
-- a number of matches, or a function of first, last and replacement. It says whether (or by what) to replace, and then
-- true, to replace all that follow without asking, or how many of these; nothing, to be asked again.
function rex.gsub(subject, pattern, replacement, limit, flags)
   local p = pattern_of(pattern, flags)
   subject = check_subject(subject)
   local kind = type(replacement)
   if kind == 'number' then
      replacement = tostring(replacement)
   elseif kind ~= 'string' and kind ~= 'table' and kind ~= 'function' then
      fail('rex_pcre.gsub: the replacement is a string, a table or a function, not a %s', kind)
   end
   local most, decide = type(limit) == 'number' and limit or huge, type(limit) == 'function' and limit or nil
   local parts, from, matched, replaced = {}, 1, 0, 0
   for match in matches(p, subject) do
      if matched >= most then break end
      matched = matched + 1
      local matched_text = subject:sub(match[1], match[2])
      local texts, n = captures_of(p, subject, match, true)
      local new = replacement_for(replacement, matched_text, texts, n)
      if decide then
         local use, further = decide(match[1], match[2], new or nil)
         if type(use) == 'string' then new = use elseif not use then new = nil end
         if further == true then decide = nil end
         if type(further) == 'number' then decide, most = nil, matched + further end
      end
      insert(parts, subject:sub(from, match[1] - 1))
      if new then
         replaced = replaced + 1
         insert(parts, tostring(new))
      else
         insert(parts, matched_text)
      end
      from = match[2] + 1
   end
   insert(parts, subject:sub(from))
   return concat(parts), matched, replaced
end

function rex.flags(t)
   t = t or {}
   for name, bit in pairs(FLAGS) do t[name] = bit end
   return t
end

return rex
