-- pl.text: paragraphs, and texts with $names in them.
--
-- Arguments: core {fail}, host, text. The packages pl.utils, pl.stringx, pl.types and pl.List are loaded before.

local core, _, text = ...
local fail = core.fail
local utils, stringx, List = require 'pl.utils', require 'pl.stringx', require 'pl.List'
local is_callable = require('pl.types').is_callable

text.format_operator = stringx.format_operator

---------------------------------------------------------------------------------------------------------
-- Paragraphs

-- f(line) for every line.
local function with_lines(s, f)
   local lines = utils.split(s, '\n')
   for i, line in ipairs(lines) do lines[i] = f(line) end
   return table.concat(lines, '\n') .. '\n'
end

-- text.indent(s, n[, character])
function text.indent(s, n, character)
   utils.assert_string(1, s)
   local margin = (character or ' '):rep(utils.assert_arg(2, n, 'number'))
   return with_lines(s, function(line) return margin .. line end)
end

-- text.dedent(s): without the blanks that all lines start with.
function text.dedent(s)
   utils.assert_string(1, s)
   local first = math.huge
   for position in ('\n' .. s):gmatch '\n[^%S\n]*()%S' do
      local line_start = s:sub(1, position - 2):match '()[^\n]*$'
      first = math.min(first, position - line_start)
   end
   return with_lines(s, function(line) return line:sub(first) end)
end

-- The next line; its words are taken out of the list.
local function next_line(words, width, break_long)
   local word = words[1]
   if #word > width then
      if not break_long then return table.remove(words, 1) end
      words[1] = word:sub(width + 1)
      return word:sub(1, width)
   end
   local line = ''
   while words[1] and #line + (line == '' and 0 or 1) + #words[1] <= width do
      word = table.remove(words, 1)
      if word ~= '' then line = (line == '' and '' or line .. ' ') .. word end
   end
   return line
end

-- text.wrap(s[, width[, break_long]]): a list of lines no longer than that (70 without), but for longer words.
function text.wrap(s, width, break_long)
   s = stringx.strip((s:gsub('\n', ' ')))
   if s == '' then return {''} end
   local words, lines = utils.split(s, '%s'), List()
   while words[1] do lines:append(next_line(words, width or 70, break_long)) end
   return lines
end

function text.fill(s, width, break_long)
   return table.concat(text.wrap(s, width, break_long), '\n') .. '\n'
end

---------------------------------------------------------------------------------------------------------
-- Templates

local Template = {}
Template.__index = Template
text.Template = Template

function Template.new(s) return setmetatable({tmpl = utils.assert_string(1, s)}, Template) end
setmetatable(Template, {__call = function(_, s) return Template.new(s) end})

local function value_of(values, name)
   if not values[name] then fail('not present in table %s', name) end
   return values[name]
end

local function substitute(s, values, safe)
   local function get(name)
      if is_callable(values) then return values(name) end
      if safe then return values[name] or name end
      return value_of(values, name)
   end
   return (s:gsub('%${([%w_]+)}', get):gsub('%$([%w_]+)', get))
end

-- t:substitute(values): with the values of $name and ${name}; t:safe_substitute(values): a name without one stays.
function Template:substitute(values) return substitute(self.tmpl, utils.assert_arg(1, values, 'table')) end
function Template:safe_substitute(values) return substitute(self.tmpl, utils.assert_arg(1, values, 'table'), true) end

-- t:indent_substitute(values): where a value has several lines each is indented as its name is. A value may be a template.
function Template:indent_substitute(values)
   utils.assert_arg(1, values, 'table')
   return with_lines(self.tmpl, function(line)
      return (line:gsub('(%s*)%$([%w_]+)', function(margin, name)
         local value = value_of(values, name)
         local inner = getmetatable(value) == Template
         local part = inner and value.tmpl or tostring(value)
         if part:find '\n' then part = with_lines(part, function(one) return margin .. one end) end
         return inner and substitute(part, values) or part
      end))
   end)
end
