-- pprint: values as texts that people read, tables by sorted keys, large tensors by their sizes.
--
-- Result: the package, a table that can be called, which is a global too.

local type, tostring, pairs, ipairs, select = type, tostring, pairs, ipairs, select
local pcall, getmetatable, setmetatable, next, rawset = pcall, getmetatable, setmetatable, next, rawset
local concat, sort, rep, format = table.concat, table.sort, string.rep, string.format
local torch = torch

local DEPTH = 4      -- of tables, where a call names none
local SHOWN = 20     -- the largest number of elements that is printed

local ESCAPES = {['\a'] = '\\a', ['\b'] = '\\b', ['\f'] = '\\f', ['\n'] = '\\n', ['\r'] = '\\r', ['\t'] = '\\t',
                 ['\v'] = '\\v'}

local function quoted(text)
   text = text:gsub('%c', ESCAPES)
   if text:find('"', 1, true) and not text:find("'", 1, true) then return "'" .. text .. "'" end
   return format('%q', text)
end

local RANKS = {}
for i, name in ipairs {'number', 'boolean', 'string', 'table', 'tensor', 'function', 'userdata', 'thread'} do
   RANKS[name] = i
end

local function comes_before(a, b)
   local first, second = type(a), type(b)
   if first ~= second then return RANKS[first] < RANKS[second] end
   return (first == 'string' or first == 'number') and a < b
end

-- The keys of a table that are not in its list part.
local function keys_of(t, length)
   local keys = {}
   for key in pairs(t) do
      if type(key) ~= 'number' or key < 1 or key > length then keys[#keys + 1] = key end
   end
   sort(keys, comes_before)
   return keys
end

local function sizes(tensor)
   if tensor:dim() == 0 then return '[0-dimensional tensor]' end
   return concat(tensor:size():totable(), 'x')
end

local text_of

local function key_text(key, limit, inline, level)
   if type(key) == 'string' and key:find('^[%a_][%w_]*$') then return key end
   return '[' .. text_of(key, limit, inline, level) .. ']'
end

local function table_text(t, limit, inline, level)
   if level >= limit then return '{...}' end
   local inner = level + 1
   local function line(at) return inline and ' ' or '\n' .. rep('  ', at) end
   local parts, length, metatable = {'{'}, #t, getmetatable(t)
   local tostring_method = type(metatable) == 'table' and metatable.__tostring
   if type(tostring_method) == 'function' then
      local ok, text = pcall(tostring_method, t)
      if not ok then text = 'error: ' .. tostring(text) end
      if type(text) == 'string' and text ~= '' then
         parts[#parts + 1] = ' -- ' .. text:gsub('%c', ESCAPES) .. (length > 0 and line(inner) or '')
      end
   end
   local comma = ''
   local function put(before, text)
      parts[#parts + 1] = comma .. before .. text
      comma = ','
   end
   for i = 1, length do put(' ', text_of(t[i], limit, inline, inner)) end
   local keys = keys_of(t, length)
   for _, key in ipairs(keys) do
      put(line(inner), key_text(key, limit, inline, inner) .. ' = ' .. text_of(t[key], limit, inline, inner))
   end
   if metatable then put(line(inner), '<metatable> = ' .. text_of(metatable, limit, inline, inner)) end
   if #keys > 0 or metatable then
      parts[#parts + 1] = line(level)
   elseif length > 0 then
      parts[#parts + 1] = ' '
   end
   return concat(parts) .. '}'
end

function text_of(value, limit, inline, level)
   local kind = type(value)
   if kind == 'string' then return quoted(value) end
   if value == math.huge then return 'math.huge' end
   if value == -math.huge then return '-math.huge' end
   if kind == 'number' or kind == 'boolean' or kind == 'nil' then return tostring(value) end
   if kind == 'table' then return table_text(value, limit, inline, level) end
   if torch.isTensor(value) then
      if value:nElement() <= SHOWN then return tostring(value) end
      return ('[%s of dimension %s]'):format(torch.typename(value), sizes(value))
   end
   if torch.isStorage(value) then
      if value:size() <= SHOWN then return tostring(value) end
      return ('[%s of size %d]'):format(torch.typename(value), value:size())
   end
   return '<' .. kind .. '>'
end

local pprint = {dims = sizes}

function pprint.pretty_string(value, depth, inline) return text_of(value, depth or DEPTH, inline or false, 0) end
function pprint.string(value, depth) return text_of(value, depth or DEPTH, true, 0) end

-- The sizes of a tensor, its smallest element, mean and largest, and its type; of all tensors of a list.
function pprint.info(value)
   if type(value) == 'table' then
      local between, parts = #value > 1 and '\n' or ' ', {}
      for i, item in ipairs(value) do parts[i] = pprint.info(item) .. between end
      return '{' .. between .. concat(parts) .. '}'
   end
   local parts = {sizes(value)}
   for _, name in ipairs {'min', 'mean', 'max', 'type'} do
      if value[name] then parts[#parts + 1] = name .. ': ' .. text_of(value[name](value), 0, false, 0) end
   end
   return '[' .. concat(parts, ', ') .. ']'
end

-- A function that returns the texts of its arguments, with spaces between them.
function pprint.printer(depth)
   return function(...)
      local texts = {}
      for i = 1, select('#', ...) do texts[i] = text_of(select(i, ...), depth or DEPTH, false, 0) end
      return concat(texts, ' ')
   end
end

function pprint.__call(_, value, depth) print(pprint.pretty_string(value, depth)) end
setmetatable(pprint, pprint)
rawset(_G, 'pprint', pprint)
return pprint
