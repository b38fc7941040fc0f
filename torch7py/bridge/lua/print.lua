-- th's `print`: tables are written out, level by level, everything else as text, each followed by a tab.
--
-- What it does that Lua's does not: a tab follows the last value too; no values, no line; a tensor at the top
-- is shown with its elements, in a table with its size alone; a table's __tostring is asked at the top only.
--
-- Arguments: host {write = f(text), typename = f(x) -> name or nil, colors = whether to colour}.
-- Result: {print = th's, plain = Lua's, set_level = f(n), install = f(), which sets the globals print,
-- print_new, print_old and setprintlevel}.
-- Uses the global `tostring` as it is when it is called, as Lua's print does.

local host = ...
local printing = {}

local type, select, error, getmetatable, rawset = type, select, error, getmetatable, rawset
local floor = math.floor
local write, typename = host.write, host.typename
local G, rawget, native_tostring = _G, rawget, tostring

local function tostring(value) return (rawget(G, 'tostring') or native_tostring)(value) end

local INDENT = 4        -- columns from a table's brace to the brace of a table in it
local depth_limit = 5   -- tables deeper than this are not written out

---------------------------------------------------------------------------------------------------------
-- Colours

local CODES = {none = '0', blue = '0;34', cyan = '0;36', green = '0;32', magenta = '0;35', red = '0;31',
               bright_black = '1;30', on_black = '40'}

local function paint(color, text)
   if not host.colors then return text end
   return '\27[' .. CODES[color] .. 'm' .. text .. '\27[0m'
end

local COLOR_OF = {number = 'cyan', boolean = 'blue', ['function'] = 'magenta', thread = 'on_black'}

---------------------------------------------------------------------------------------------------------
-- Values on one line

-- 'DoubleTensor - size: 2x3' for a tensor or storage, else nil.
local function summary(x)
   local name = typename(x) or ''
   local short = string.match(name, '^torch%.(.+)$') or name
   if string.find(name, 'torch.*Storage') then return short .. ' - size: ' .. x:size() end
   if not string.find(name, 'torch.*Tensor') then return nil end
   local sizes = {}
   for i = 1, x:nDimension() do sizes[i] = x:size(i) end
   if #sizes == 0 then return short .. ' - empty' end
   return short .. ' - size: ' .. table.concat(sizes, 'x')
end

local function inline(value, nested)
   local kind = type(value)
   if value == nil then return paint('bright_black', 'nil') end
   if kind == 'string' then
      if not nested then return paint('none', value) end
      local quote = paint('bright_black', '"')
      return quote .. paint('green', value) .. quote
   end
   if kind == 'userdata' or kind == 'cdata' then return paint('red', summary(value) or tostring(value)) end
   return paint(COLOR_OF[kind], tostring(value))
end

---------------------------------------------------------------------------------------------------------
-- Tables

local function first_key(t)
   local iterator, state, start = pairs(t)
   return (iterator(state, start))
end

local function write_table(t, depth)
   local margin = string.rep(' ', depth * INDENT)
   if not first_key(t) then
      write(margin .. '{}\n')
      return
   end
   write(margin .. '{\n')
   for key, value in pairs(t) do
      local name = margin .. '  ' .. tostring(key) .. ' : '
      if type(value) ~= 'table' then
         write(name .. inline(value, true) .. '\n')
      elseif depth >= depth_limit - 1 or first_key(value) == nil then
         write(name .. '{...}\n')
      else
         write(name .. '\n')
         write_table(value, depth + 1)
      end
   end
   write(margin .. '}\n')
end

---------------------------------------------------------------------------------------------------------
-- The functions

function printing.print(...)
   local n = select('#', ...)
   for i = 1, n do
      local value = select(i, ...)
      local kind = type(value)
      if kind == 'table' then
         local mt = getmetatable(value)
         if mt and mt.__tostring then
            write(tostring(value) .. '\n')
         else
            write_table(value, 0)
         end
      elseif kind == 'userdata' or kind == 'cdata' then
         write(tostring(value) .. '\n')
      else
         write(inline(value) .. (i == n and '\t\n' or '\t'))
      end
   end
end

function printing.plain(...)
   local texts = {...}
   for i = 1, select('#', ...) do
      local text = tostring(texts[i])
      if type(text) ~= 'string' then error("'tostring' must return a string to 'print'", 2) end
      texts[i] = text
   end
   write(table.concat(texts, '\t') .. '\n')
end

-- How many levels of tables are written out; 0 for Lua's own print.
function printing.set_level(n)
   if type(n) ~= 'number' or n < 0 then error('setprintlevel expects a number that is not negative', 2) end
   depth_limit = floor(n)
   rawset(_G, 'print', depth_limit == 0 and printing.plain or printing.print)
end

function printing.install()
   rawset(_G, 'print', printing.print)
   rawset(_G, 'print_new', printing.print)
   rawset(_G, 'print_old', printing.plain)
   rawset(_G, 'setprintlevel', printing.set_level)
end

return printing
