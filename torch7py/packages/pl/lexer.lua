-- pl.lexer: the tokens of a text, one by one.
--
-- A stream of tokens is a function: each call gives the type and the text (or number) of the next token. A stream may be
-- called with a pattern, which returns the text up to its next match, with a list {{type, value}, ...}, which is
-- inserted next, or with 0, which returns the line and the column.
--
-- Arguments: core {fail}, host, lexer.

local core, _, lexer = ...
local fail = core.fail
local yield = coroutine.yield

---------------------------------------------------------------------------------------------------------
-- Actions for a token that a pattern has matched

local function emit(kind) return function(token) return yield(kind, token) end end

local comment, space, preprocessor = emit('comment'), emit('space'), emit('prepro')
local function itself(token) return yield(token, token) end
local function number(token, options) return yield('number', options.number and tonumber(token) or token) end

local function quoted(kind)
   return function(token, options) return yield(kind, options.string and token:sub(2, -2) or token) end
end

-- A string in long brackets; the pattern has captured the signs between them.
local function long_string(token, options, match)
   local bracket = 2 + #match[3]
   return yield('string', options.string and token:sub(bracket + 1, -bracket - 1) or token)
end

local function word(keywords)
   return function(token) return yield(keywords[token] and 'keyword' or 'iden', token) end
end

local function set_of(words)
   local set = {}
   for name in words:gmatch('%S+') do set[name] = true end
   return set
end

---------------------------------------------------------------------------------------------------------
-- Languages

local HEX, EXPONENT, NUMBER = '^0x%x+', '^%d+%.?%d*[eE][%+%-]?%d+', '^%d+%.?%d*'
local SIGNED_EXPONENT, SIGNED_NUMBER = '^[%+%-]?%d+%.?%d*[eE][%+%-]?%d+', '^[%+%-]?%d+%.?%d*'
local IDENTIFIER = '^[%a_][%w_]*'
-- Strings: empty; ending in an escaped backslash; any other.
local EMPTY, BACKSLASH, STRING = [[^((['"])%2)]], [[^(['"]).-\\%1]], [[^(['"]).-[^\]%1]]

local LUA_WORDS = set_of('and break do else elseif end false for function if in local nil not or repeat return then true until while')
local C_WORDS = set_of([[class break do sizeof else continue struct false for public void private protected goto if static
   const typedef enum char int bool long float true delete double while new namespace try catch switch case extern return
   default unsigned signed union volatile register short]])

local function with_signs(rules, signs)
   for sign in signs:gmatch('%S+') do rules[#rules + 1] = {'^' .. sign:gsub('%p', '%%%0'), itself} end
   rules[#rules + 1] = {'^.', itself}
   return rules
end

local string_token, char_token = quoted('string'), quoted('char')

local PLAIN = with_signs({
   {'^%s+', space}, {HEX, number}, {IDENTIFIER, emit('iden')}, {SIGNED_EXPONENT, number}, {SIGNED_NUMBER, number},
   {EMPTY, string_token}, {BACKSLASH, string_token}, {STRING, string_token},
}, '')

local LUA = with_signs({
   {'^%s+', space}, {HEX, number}, {IDENTIFIER, word(LUA_WORDS)}, {EXPONENT, number}, {NUMBER, number},
   {EMPTY, string_token}, {BACKSLASH, string_token}, {STRING, string_token},
   {'^%-%-%[(=*)%[.-%]%1%]', comment}, {'^%-%-.-\n', comment}, {'^%[(=*)%[.-%]%1%]', long_string},
}, '== ~= <= >= ... ..')

local C = with_signs({
   {'^%s+', space}, {'^#.-[^\\]\n', preprocessor}, {HEX, number}, {IDENTIFIER, word(C_WORDS)},
   {EXPONENT, number}, {NUMBER, number}, {EMPTY, string_token}, {STRING, char_token},
   {'^//.-\n', comment}, {'^/%*.-%*/', comment},
}, '== != <= >= -> && || ++ -- += -= *= /= |= ^= ::')

---------------------------------------------------------------------------------------------------------
-- Streams

-- lexer.scan(s[, rules[, filter[, options]]]): the stream of a string, or of an object with `read`, which gives lines.
-- Rules are {pattern, action}; the first match counts, and action(token, options, match) yields the tokens.
-- `filter` is a set of actions that are passed over, `space` and `comments` among their names. Options are `number`
-- (numbers become numbers) and `string` (strings lose their quotes).
function lexer.scan(s, rules, filter, options)
   if s == nil then fail("a string or an object with read is expected, got nil") end
   local file = type(s) ~= 'string' and s or nil
   rules = rules or PLAIN
   filter = filter or {space = true}
   options = options or {number = true, string = true}
   local passed = {[space] = filter.space or nil, [comment] = filter.comments or nil}
   for action, on in next, filter do
      if type(action) == 'function' then passed[action] = on or nil end
   end

   local text, at, line = file and '' or s, 1, file and 0 or 1

   -- The argument with which the stream was called after a token.
   local function answer(request)
      while request ~= nil do
         local following
         if type(request) == 'table' then
            yield('', '')
            for _, token in ipairs(request) do yield(token[1], token[2]) end
         elseif type(request) == 'string' then
            local first, last = text:find(request, at)
            local before = first and text:sub(first, last) or ''
            at = (first and last or #text) + 1
            following = yield('', before)
         else
            following = yield(line, at)
         end
         request = following
      end
   end

   local function next_token()
      for _, rule in ipairs(rules) do
         local match = {text:find(rule[1], at)}
         local first, last = match[1], match[2]
         if first then
            if last < first then fail("the pattern '%s' finds nothing and stays where it is", rule[1]) end
            at = last + 1
            local action = rule[2]
            if passed[action] then return end
            lexer.finished = at > #text
            return answer(action(text:sub(first, last), options, match))
         end
      end
      fail("nothing fits at '%s'", text:sub(at, at + 20))
   end

   return coroutine.wrap(function()
      while true do
         if at > #text then
            if not file then return end
            local read = file:read()
            if not read then return end
            text, at, line = read .. '\n', 1, line + 1
         end
         next_token()
      end
   end)
end

function lexer.lua(s, filter, options) return lexer.scan(s, LUA, filter or {space = true, comments = true}, options) end
function lexer.cpp(s, filter, options) return lexer.scan(s, C, filter or {comments = true}, options) end
function lexer.get_keywords() return LUA_WORDS end

-- lexer.insert(stream, type, value), (stream, list of {type, value}), (stream, maker of another stream): what comes next.
function lexer.insert(stream, what, value)
   if not what then return end
   if type(what) == 'string' then
      what = {{what, value}}
   elseif type(what) == 'function' then
      local tokens = {}
      for kind, token in what() do tokens[#tokens + 1] = {kind, token} end
      what = tokens
   end
   stream(what)
end

local function up_to(stream, pattern)
   local _, token = stream(pattern)
   return token
end

function lexer.getline(stream) return up_to(stream, '.-\n') end
function lexer.getrest(stream) return up_to(stream, '.+') end
function lexer.lineno(stream) return stream(0) end

-- The next token that is not space.
function lexer.skipws(stream)
   local kind, value
   repeat kind, value = stream() until kind ~= 'space'
   return kind, value
end

-- lexer.expecting(stream, type[, keep_space]): the value of the next token, which must be of this type.
function lexer.expecting(stream, expected, keep_space)
   if type(stream) ~= 'function' then fail('argument 1 must be function') end
   if type(expected) ~= 'string' then fail('argument 2 must be string') end
   local kind, value = (keep_space and stream or lexer.skipws)(stream)
   if kind ~= expected then fail('expecting %s', expected) end
   return value
end

-- lexer.get_separated_list(stream[, end[, delimiter]]): lists of the tokens between delimiters (','), up to the end (')'),
-- which may be '\n', and the token that ended it; nil and 'EOS' where the stream ends before. Parentheses go together.
function lexer.get_separated_list(stream, last, delimiter)
   last, delimiter = last or ')', delimiter or ','
   local lists, list, level = {}, {}, 1
   while true do
      local kind, value = stream()
      if not kind then return nil, 'EOS' end
      local ends = kind == last
      if last == '\n' then ends = kind == 'space' and value:find('\n') ~= nil end
      if level == 1 and (ends or kind == ')') then
         lists[#lists + 1] = list
         return lists, {kind, value}
      elseif kind == delimiter and level == 1 then
         lists[#lists + 1] = list
         list = {}
      else
         if kind == '(' then level = level + 1 elseif kind == ')' then level = level - 1 end
         list[#list + 1] = {kind, value or kind}
      end
   end
end
