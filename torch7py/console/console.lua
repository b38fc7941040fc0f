-- Lua's part of a console: whether a text is complete, its evaluation, and the names that may follow.
--
-- Result: {state = f(text), evaluate = f(text, name), keep = f(value), read_line = f(), members = f(methods_only, part, ...), kind = f(part, ...),
-- defined_at = f(part, ...)}. The parts are the keys that lead from the globals to a value.
-- Sets the globals who, import, _RESULTS, _RESULT and _LAST, as th's prompt did.

local G = _G
local type, select, next, rawget, rawset = type, select, next, rawget, rawset
local pcall, unpack, loadstring, require, tostring = pcall, unpack, loadstring, require, tostring
local find, match, gsub, sub = string.find, string.match, string.gsub, string.sub
local concat, sort = table.concat, table.sort
local raw_metatable, getinfo = debug.getmetatable, debug.getinfo
local typename, torch_type = torch.typename, torch.type

local console = {}

---------------------------------------------------------------------------------------------------------
-- From text to function

local QUIET = {print = true, require = true}   -- statements whose results are not printed

-- What is evaluated of a text: without the `=` of Lua's own prompt, and without the semicolon that silences it.
local function cleaned(text)
   text = gsub(text, '^%s*=', '', 1)
   local rest, silent = gsub(text, ';%s*$', '')
   return rest, silent > 0
end

-- A list of expressions: what may follow `return`, and stand in a table (which takes `x = 1` too).
local function as_expressions(text)
   return loadstring('return ' .. text .. '\n') ~= nil and loadstring('return {' .. text .. '\n}') ~= nil
end

-- Where the last statement of a text begins if it is a list of expressions, on lines of its own or behind a semicolon.
local function last_expression(text)
   if as_expressions(text) then return 1 end
   local starts = {}
   for start in string.gmatch(text, '[\n;]()') do starts[#starts + 1] = start end
   local is_chunk = loadstring(text) ~= nil
   for i = #starts, 1, -1 do
      local before, last = sub(text, 1, starts[i] - 1), sub(text, starts[i])
      -- Of a text that Lua takes as it is, only a call is a statement of its own: `-b` goes on with the line before.
      local alone = is_chunk and match(last, '^%s*[%a_]') and loadstring(last) or not is_chunk
      if alone and find(last, '%S') and as_expressions(last) and loadstring(before)
            and loadstring(before .. 'return ' .. last .. '\n') then
         return starts[i]
      end
   end
   return nil
end

-- The function of a text and whether its results are to be shown; nil and a message for what is not Lua.
local function compile(text, name)
   local body, silent = cleaned(text)
   if not find(body, '%S') then return function() end, false end
   local start = last_expression(body)
   if start then
      local before, last = sub(body, 1, start - 1), sub(body, start)
      silent = silent or QUIET[match(last, "^%s*([%a_][%w_]*)%s*[('\"]") or '']
      -- A table, since a call in its place would be a tail call, and an error in it have no line.
      return loadstring(before .. 'return {' .. last .. '\n}', name), not silent
   end
   local f, message = loadstring(body, name)
   return f, false, message
end

-- 'complete', 'incomplete' or 'invalid': whether more lines could make it a program.
function console.state(text)
   if compile(text, '=text') then return 'complete' end
   if find(text, '\\\r?\n?$') then return 'incomplete' end   -- a string that goes on
   for _, start in next, {'', 'return '} do
      local _, message = loadstring(start .. cleaned(text) .. '\n', '=text')
      if message and find(message, "near '?<eof>'?$") then return 'incomplete' end
   end
   return 'invalid'
end

---------------------------------------------------------------------------------------------------------
-- Evaluation

rawset(G, '_RESULTS', {})
rawset(G, '_RESULT', {})
rawset(G, '_LAST', '')

-- Keep what was printed.
local function keep(value)
   if value == nil then return end
   local results = rawget(G, '_RESULTS')
   if type(results) == 'table' and value ~= results then results[#results + 1] = value end
   rawset(G, '_LAST', value)
end

console.keep = keep

-- Gives what is wrong where the text is no Lua.
function console.evaluate(text, name)
   local main_chunk, shown, message = compile(text, name)
   if not main_chunk then return message end
   local results = main_chunk()
   if not shown then return nil end
   rawset(G, '_RESULT', results)
   local n = 0
   for i in next, results do
      if type(i) == 'number' and i > n then n = i end
   end
   G.print(unpack(results, 1, n))
   keep(results[1])
   return nil
end

local stdin = io.stdin
function console.read_line() return stdin:read('*l') end

---------------------------------------------------------------------------------------------------------
-- What is there

local function value_at(name, ...)
   local value = rawget(G, name)
   for i = 1, select('#', ...) do
      if value == nil then return nil end
      local ok, inner = pcall(function(key) return value[key] end, (select(i, ...)))
      if not ok then return nil end
      value = inner
   end
   return value
end

local function is_callable(value)
   if type(value) == 'function' then return true end
   local mt = raw_metatable(value)
   return type(mt) == 'table' and mt.__call ~= nil
end

-- Put the names of a value's fields into `names`: its own, its class's and those of the classes above.
local function collect(names, value, methods_only, seen)
   if seen[value] then return end
   seen[value] = true
   if type(value) == 'table' then
      for key, field in next, value do
         if type(key) == 'string' and (not methods_only or is_callable(field)) then names[key] = true end
      end
   end
   local mt = raw_metatable(value)
   if type(mt) ~= 'table' then return end
   local index = rawget(mt, '__index')
   if rawget(mt, '__typename') ~= nil then
      collect(names, mt, methods_only, seen)
   elseif type(index) == 'table' then
      collect(names, index, methods_only, seen)
   end
end

local function listed(names)
   local list = {}
   for name in next, names do
      if find(name, '^[%a_][%w_]*$') then list[#list + 1] = name end
   end
   return concat(list, '\n')
end

-- The names that may follow a value, one on each line; without a value, the globals.
function console.members(methods_only, ...)
   local names = {}
   if select('#', ...) == 0 then
      for key in next, G do
         if type(key) == 'string' then names[key] = true end
      end
   else
      local value = value_at(...)
      if value ~= nil then collect(names, value, methods_only, {}) end
   end
   return listed(names)
end

-- What a value is: its type, or the name of its class; of a constructor such as nn.Linear, that of what it makes.
function console.kind(...)
   local value = value_at(...)
   if value == nil then return nil end
   local mt = raw_metatable(value)
   local name = typename(value) or type(value) == 'table' and type(mt) == 'table' and rawget(mt, '__typename')
   return name or torch_type(value)
end

-- Of a function written in Lua, or the constructor of a class: its chunk's name and the line where it begins.
function console.defined_at(...)
   local value = value_at(...)
   if type(value) == 'table' then value = value.__init end
   if type(value) ~= 'function' then return nil end
   local info = getinfo(value, 'S')
   if info.what == 'C' then return nil end
   return info.source, info.linedefined
end

---------------------------------------------------------------------------------------------------------
-- The globals of th's prompt

local preloaded = {}

-- The fields of a package become globals, those that are not there yet, or all.
local function import(name, forced)
   local loaded = require(name)
   local symbols = rawget(G, name) or loaded
   if type(symbols) ~= 'table' then return end
   for key, value in next, symbols do
      if forced or rawget(G, key) == nil then rawset(G, key, value) end
   end
end

local function described(value)
   local kind = torch_type(value)
   if kind == 'table' then return 'table - size: ' .. #value end
   if find(kind, '^torch%..*Tensor$') then
      local sizes = value:size():totable()
      return sub(kind, 7) .. (#sizes == 0 and ' - empty' or ' - size: ' .. concat(sizes, 'x'))
   end
   if find(kind, '^torch%..*Storage$') then return sub(kind, 7) .. ' - size: ' .. value:size() end
   if kind == 'string' then
      local text = gsub(value, '\n', '\\n')
      return 'string : "' .. (#text > 40 and sub(text, 1, 40) .. '...' or text) .. '"'
   end
   return type(value) == 'table' and kind or tostring(value)
end

-- Print the global variables of the program, or with `system` those that were there before, too.
local function who(system)
   local names, width = {[true] = {}, [false] = {}}, 0
   for key in next, G do
      local name = tostring(key)
      local is_system = preloaded[key] == true
      if system or not is_system then
         local list = names[is_system]
         list[#list + 1] = name
         if #name > width then width = #name end
      end
   end
   for _, is_system in next, system and {true, false} or {false} do
      G.print(is_system and '== System Variables ==' or '== User Variables ==')
      sort(names[is_system])
      for _, name in next, names[is_system] do
         G.print(('[%s]%s = %s'):format(name, (' '):rep(width - #name), described(rawget(G, name))))
      end
   end
   G.print('==')
end

rawset(G, 'import', import)
rawset(G, 'who', who)
for key in next, G do preloaded[key] = true end

return console
