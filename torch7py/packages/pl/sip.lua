-- pl.sip: patterns that are easier to write than Lua's. $ and a letter match a kind of text, and a name in braces is
-- the field for it.
--
--   local found = {}
--   sip.match('$v{name}=$f{value}', 'rate=0.1', found)      found is {name = 'rate', value = 0.1}
--
-- The kinds: v identifier, i integer, f number, q quoted, o option, r the rest, p path, ( [ { < up to the other bracket,
-- and Lua's classes of characters (a, d, l, s, u, w, x...). Arguments: core {fail}, host, sip.

local core, _, sip = ...
local fail = core.fail
local patterns = require('pl.utils').patterns

local kinds = {
   v = '(' .. patterns.IDEN .. ')',
   i = '(' .. patterns.INTEGER .. ')',
   f = '(' .. patterns.FLOAT .. ')',
   o = '([%a_][%w_%-]*)',
   r = '(%S.*)',
   p = '([%a]?[:]?[\\/%.%w_]+)',
}
local CLOSING = {['('] = ')', ['['] = ']', ['{'] = '}', ['<'] = '>'}
local NUMBERS = {d = true, i = true, f = true}

for class in ('acdlpuwxs'):gmatch '.' do
   for _, letter in ipairs {class, class:upper()} do kinds[letter] = kinds[letter] or '(%' .. letter .. '+)' end
end
for open, close in pairs(CLOSING) do kinds[open] = '(%b' .. open .. close .. ')' end

local function check(number, value, kind)
   if type(value) ~= kind then fail('argument %d must be %s', number, kind) end
end

function sip.custom_pattern(letter, pattern) kinds[letter] = pattern end

-- Blanks match any number of blanks, but one at least where they stand between what could run together.
local function with_blanks(spec)
   return (spec:gsub('()%s+()', function(first, after)
      local left, right = spec:sub(first - 2, first - 1), spec:sub(after, after + 1)
      local word_left = left:find '%$[vifadxlu]' or left:find '^[^%$]?[%w_]$'
      local word_right = right:find '%$[vifadxlu]' or right:find '^[%w_]'
      return word_left and word_right and '%s+' or '%s*'
   end))
end

-- sip.create_pattern(spec[, {at_start = true}]): Lua's pattern, the names of its captures in order (numbers where they
-- have none) and what kind each is; or nil and an error. Q is the quotation mark before a quoted text.
function sip.create_pattern(spec, options)
   check(1, spec, 'string')
   spec = spec:gsub('[%-%.%+%[%]%(%)%^%%%?%*]', '%%%0'):gsub('%$%%(%S)', '$%1')
   local named = spec:find '{%a+}'
   if options and options.at_start then spec = '^' .. spec end
   if spec:sub(-1) == '$' then spec = spec .. (named and 'r{rest}' or 'r') end
   local field_names = {}
   if named then
      spec = spec:gsub('{(%a+)}', function(name)
         table.insert(field_names, name)
         return ''
      end)
   end
   local names, kind_of, err = {}, {}, nil
   local function capture(name, kind)
      table.insert(names, name or #names + 1)
      kind_of[names[#names]] = kind
   end
   local pattern = with_blanks(spec):gsub('%$(%S)', function(kind)
      local name = table.remove(field_names, 1)
      if kinds[kind] then
         capture(name, kind)
         return kinds[kind]
      end
      if kind == 'q' then
         capture(name, named and 'q' or 'Q')
         capture(name, 'q')
         return '(["\'])(.-)%' .. #names - 1
      end
      err = 'unknown format type or character class'
      capture(name, kind)
   end)
   if err then return nil, err end
   return pattern, names, kind_of
end

-- sip.compile(spec[, options]): f(text, into), which says whether the text matches and puts the fields into a table, and
-- whether the fields have names.
function sip.compile(spec, options)
   check(1, spec, 'string')
   local pattern, names, kind_of = sip.create_pattern(spec, options)
   if not pattern then return nil, names end
   local named = type(names[1]) == 'string'
   for i, name in ipairs(names) do
      if named and type(name) == 'number' then return nil, ('field %d has no name, as others have'):format(i) end
   end
   return function(text, into)
      local captures = {text:match(pattern)}
      if not captures[1] then return false end
      local number = 0
      for i, name in ipairs(names) do
         local kind, value = kind_of[name], captures[i]
         if NUMBERS[kind] then
            value = tonumber(value)
         elseif CLOSING[kind] then
            value = value:sub(2, -2)
         end
         if named then
            into[name] = value
         elseif kind ~= 'Q' then
            number = number + 1
            into[number] = value
         end
      end
      return true
   end, named
end

local compiled = {}

function sip.match(spec, text, into, options)
   check(1, spec, 'string')
   check(2, text, 'string')
   check(3, into, 'table')
   if not compiled[spec] then
      local matcher, err = sip.compile(spec, options)
      if not matcher then fail('%s: %s', err, spec) end
      compiled[spec] = matcher
   end
   return compiled[spec](text, into)
end

function sip.match_at_start(spec, text, into) return sip.match(spec, text, into, {at_start = true}) end

---------------------------------------------------------------------------------------------------------
-- Lines of files

-- sip.fields(spec, file): over the fields of the lines that match.
function sip.fields(spec, file)
   check(1, spec, 'string')
   if not file then return nil, 'no file object' end
   local matches, err = sip.compile(spec)
   if not matches then return nil, err end
   return function()
      for line in function() return file:read() end do
         local captures = {}
         if matches(line, captures) then return unpack(captures) end
      end
   end
end

local registered = {}

-- sip.pattern(spec, f): register a pattern and its action for sip.read: f of the fields, or of a table where they have
-- names.
function sip.pattern(spec, f)
   local matches, named = sip.compile(spec)
   table.insert(registered, {matches = matches, named = named, f = f})
end

-- sip.read(file or name[, list of {spec, f}]): each line goes to the first pattern that matches it.
function sip.read(file, patterns_and_functions)
   if not file then return nil, 'no file object' end
   local opened
   if type(file) == 'string' then
      local err
      opened, err = io.open(file)
      if not opened then return nil, err end
   end
   for _, each in ipairs(patterns_and_functions or {}) do sip.pattern(each[1], each[2]) end
   local captures = {}
   for line in (opened or file):lines() do
      for _, each in ipairs(registered) do
         if each.matches(line, captures) then
            if each.f and each.named then
               each.f(captures)
            elseif each.f then
               each.f(unpack(captures))
            end
            captures = {}
            break
         end
      end
   end
   if opened then opened:close() end
end
