-- pl.luabalanced: pieces of Lua source in a string. Each function returns the piece that starts at a position (1 by
-- default) and the position after it; nil and the position if there is none.
--
-- Arguments: core {fail}, host, luabalanced.

local core, _, luabalanced = ...
local fail = core.fail

local CLOSING = {['('] = ')', ['{'] = '}', ['['] = ']'}
local WORDS = {['and'] = true, ['or'] = true, ['not'] = true}

-- The position after a string that starts at one.
local function after_string(s, at)
   local mark = s:match('^["\']', at)
   local signs = not mark and s:match('^%[(=*)%[', at)
   if signs then
      return s:match('%]' .. signs .. '%]()', at) or fail 'syntax error'
   end
   if not mark then return nil end
   local position = at + 1
   while true do
      position = s:find('[' .. mark .. '\\]', position) or fail 'syntax error'
      if s:sub(position, position) == mark then return position + 1 end
      position = position + 2
   end
end

local function after_comment(s, at)
   if s:sub(at, at + 1) ~= '--' then return nil end
   return after_string(s, s:find('^%[=*%[', at + 2) or #s + 1) or s:match('^[^\n]*\n?()', at)
end

local function after_brackets(s, at)
   if not CLOSING[s:sub(at, at)] then return nil end
   local open = {}
   repeat
      at = s:find('[][(){}"\']', at) or fail 'syntax error: unbalanced'
      local c, after = s:sub(at, at), after_string(s, at)
      if after then
         at = after
      else
         if CLOSING[c] then
            table.insert(open, CLOSING[c])
         elseif table.remove(open) ~= c then
            fail 'syntax error: unbalanced'
         end
         at = at + 1
      end
   until #open == 0
   return at
end

-- Two consecutive operands end an expression, and so does a token that cannot be part of one.
local function after_expression(s, at)
   local operand = false   -- whether the last thing was one
   while at <= #s do
      local word, after = s:match('^([%w_]+)()', at)
      if word then
         if operand and not WORDS[word] then break end
         operand = not WORDS[word]
      else
         after = after_comment(s, at) or s:match('^%s+()', at)
         if not after then
            after = after_string(s, at) or after_brackets(s, at)
            operand = after ~= nil
            after = after or s:match('^[=<>~]=()', at)
            if not after and s:find('^[]);,=}]', at) then break end
         end
      end
      at = after or at + 1
   end
   return at
end

for name, after in pairs {match_string = after_string, match_bracketed = after_brackets,
                          match_expression = after_expression} do
   luabalanced[name] = function(s, at)
      at = at or 1
      local stop = after(s, at)
      if not stop then return nil, at end
      return s:sub(at, stop - 1), stop
   end
end

-- These return lists, which may be empty.
function luabalanced.match_namelist(s, at)
   at = at or 1
   local names, pattern = {}, '^([%a_][%w_]*)%s*()'
   while true do
      local name, after = s:match(pattern, at)
      if not name then return names, at end
      table.insert(names, name)
      at, pattern = after, '^%s*,%s*([%a_][%w_]*)%s*()'
   end
end

function luabalanced.match_explist(s, at)
   at = at or 1
   local expressions = {}
   while at do
      local stop = after_expression(s, at)
      table.insert(expressions, s:sub(at, stop - 1))
      at = s:match('^%s*,%s*()', stop)
      if not at then return expressions, stop end
   end
end

-- luabalanced.gsub(s, f): with f(kind, piece) for each piece: kind 'c' for a comment, 's' for a string, 'e' for the code
-- between. nil or false from f keeps it.
function luabalanced.gsub(s, f)
   local parts, from, at = {}, 1, 1
   local function add(kind, piece)
      if piece ~= '' then table.insert(parts, f(kind, piece) or piece) end
   end
   while at <= #s do
      local comment = after_comment(s, at)
      local after = comment or after_string(s, at)
      if after then
         add('e', s:sub(from, at - 1))
         add(comment and 'c' or 's', s:sub(at, after - 1))
         from = after
      end
      at = after or s:find('[-"\'%[]', at + 1) or #s + 1
   end
   add('e', s:sub(from))
   return table.concat(parts)
end
