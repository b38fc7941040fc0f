-- pl.comprehension: lists from expressions.
--
--   local C = require 'pl.comprehension'.new()
--   C 'x^2 for x=1,4' ()                      gives {1, 4, 9, 16}
--   C 'sum(x for x if x % 2 == 0)' {1, 2, 4}  gives 6
--
-- Arguments: core {fail}, host, comprehension. The packages pl.utils and pl.luabalanced are loaded before.

local core, _, comprehension = ...
local fail = core.fail
local utils, balanced = require 'pl.utils', require 'pl.luabalanced'

-- The initial value of each reduction, and its update by a value.
local KINDS = {
   list = {'{}', '__all[#__all + 1] = (%s)'},
   table = {'{}', 'local __key, __value = %s __all[__key] = __value'},
   sum = {'0', '__all = __all + (%s)'},
   min = {'nil', 'local __one = %s if not __all or __one < __all then __all = __one end'},
   max = {'nil', 'local __one = %s if not __all or __one > __all then __all = __one end'},
}

-- The kind, where the expression starts and the position where it must have ended.
local function opening(text)
   local kind, at = text:match '^%s*([%a_][%w_]*)%s*()%('
   if kind then
      local _, after = balanced.match_bracketed(text, at)
      if text:find('^%s*$', after) then return kind, at + 1, after - 1 end
   end
   return 'list', 1, #text + 1
end

-- One `for`: its line of code, whether it goes over an argument, and the position after it.
local function loop(text, at, number)
   local names, sign, values, after
   names, at = balanced.match_namelist(text, at)
   if #names == 0 then fail 'syntax error: zero variables' end
   for _, name in ipairs(names) do
      if name:find '^__' then fail('identifier %s may not contain __ prefix', name) end
   end
   sign, after = text:match('^(=)%s*()', at)
   if not sign then sign, after = text:match('^(in)%s+()', at) end
   if not sign then
      return ('for __i%d = 1, #__list%d do local %s = __list%d[__i%d] '):format(number, number, names[1], number, number), true, at
   end
   values, at = balanced.match_explist(text, after)
   if sign == '=' and #values ~= 2 and #values ~= 3 then
      fail 'syntax error: numeric for requires 2 or three expressions'
   end
   return ('for %s %s %s do '):format(table.concat(names, ', '), sign, table.concat(values, ', ')), false, at
end

-- The largest n of the names _n outside of strings.
local function parameters_of(text)
   local largest = 0
   balanced.gsub(text, function(kind, piece)
      if kind ~= 'e' then return nil end
      for name in piece:gmatch '[%a_][%w_]*' do
         largest = math.max(largest, tonumber(name:match '^_(%d+)$') or 0)
      end
   end)
   return largest
end

local function code_of(text)
   local kind, at, stop = opening(text)
   local expressions
   expressions, at = balanced.match_explist(text, at)
   local arguments, opened, ends = {}, {}, 0
   for i = 1, parameters_of(text) do arguments[i] = '_' .. i end
   while text:find('^%s*for%s', at) do
      local code, of_argument
      ends = ends + 1
      code, of_argument, at = loop(text, text:match('^%s*for%s+()', at), ends)
      table.insert(opened, code)
      if of_argument then table.insert(arguments, '__list' .. ends) end
   end
   if ends == 0 then fail 'syntax error: missing "for" clause' end
   while text:find('^%s*if%s', at) do
      local condition
      condition, at = balanced.match_expression(text, text:match('^%s*if%s+()', at))
      table.insert(opened, 'if ' .. condition .. ' then ')
      ends = ends + 1
   end
   if at ~= stop then fail('syntax error: unrecognized %s', text:sub(at)) end
   if not KINDS[kind] then fail("there is no comprehension of the kind '%s'", kind) end
   local start, step = unpack(KINDS[kind])
   local declarations = #arguments > 0 and 'local ' .. table.concat(arguments, ', ') .. ' = ... ' or ''
   return ('%slocal __all = %s %s%s %sreturn __all'):format(
      declarations, start, table.concat(opened), step:format(table.concat(expressions, ', ')), ('end '):rep(ends))
end

-- comprehension.new([env]): C, where C(text) is the function of a text, with these globals (without, the caller's).
-- The arguments are _1, _2..., then a list for each `for x` alone.
function comprehension.new(env)
   env = env or getfenv(2)
   local function make(cache, text)
      local f = rawget(cache, text)
      if not f then
         local code, err = code_of(text), nil
         f, err = utils.load(code, 'tmp', 't', env)
         if not f then fail('%s in the code %s', err, code) end
         cache[text] = f
      end
      return f
   end
   return setmetatable({new = comprehension.new}, {__index = make, __call = make})
end
