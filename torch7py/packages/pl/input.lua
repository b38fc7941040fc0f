-- pl.input: the words and numbers of a text. Where a function takes a source, that is a string, a file, or nothing for
-- the standard input.
--
-- Arguments: core {fail}, host, input. The package pl.utils is loaded before.

local core, _, input = ...
local fail = core.fail
local utils = require 'pl.utils'

-- input.alltokens(next_line, pattern[, f]): over the matches of the pattern in each line, or f of them.
function input.alltokens(next_line, pattern, f)
   local line, at = next_line(), 1
   return function()
      while line do
         local first, last = line:find(pattern, at)
         if first then
            at = last + 1
            local token = line:sub(first, last)
            if f then return (f(token)) end
            return token
         end
         line, at = next_line(), 1
      end
   end
end

-- input.create_getter(source): a function that returns the next line.
function input.create_getter(source)
   if not source then return io.read end
   if type(source) == 'string' then
      local lines, i = utils.split(source, '\n'), 0
      return function()
         i = i + 1
         return lines[i]
      end
   end
   if not source.read then fail 'not a file-like object' end
   return function() return source:read() end
end

function input.numbers(source)
   return input.alltokens(input.create_getter(source), utils.patterns.FLOAT, tonumber)
end

function input.words(source) return input.alltokens(input.create_getter(source), '%w+') end

-- The pattern of a line with captures for the selected columns.
local function pattern_of(columns, last, delimiter)
   local blank = not delimiter or delimiter == ' '
   local field = blank and '[^%s]*' or '[^' .. delimiter .. ']*'
   local fields, column = {}, 1
   for i = 1, last do
      fields[i] = field
      if columns[column] == i then
         fields[i], column = '(' .. field .. ')', column + 1
      end
   end
   return (blank and '%s*' or '') .. table.concat(fields, blank and '%s+' or delimiter)
end

-- input.fields(columns, [delimiter, [source, [options]]]): over the values of some columns (a list, or how many), as
-- numbers. With no_fail what is no number stays a string, with no_convert all do; else it ends the program.
function input.fields(columns, delimiter, source, options)
   options = options or {}
   local next_line, last, count = input.create_getter(source), 0, 0
   if type(columns) == 'number' then
      local n = columns
      columns = {}
      for i = 1, n do columns[i] = i end
   end
   for _, column in pairs(columns) do last = math.max(last, column) end
   local pattern = pattern_of(columns, last, delimiter)
   return function()
      for line in function() return next_line() end do
         count = count + 1
         local values = {line:match(pattern)}
         for i, text in ipairs(options.no_convert and {} or values) do
            values[i] = tonumber(text) or text
            if type(values[i]) == 'string' and not options.no_fail then
               utils.quit(("line %d: cannot convert '%s' to number"):format(count, text))
            end
         end
         if #values > 0 then return unpack(values) end
      end
   end
end
