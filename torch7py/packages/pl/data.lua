-- pl.data: tables of rows, from files with a delimiter, and questions to them.
--
--   local d = data.read 'marks.csv'
--   for name, mark in d:select 'name,mark where mark > 3 sort by mark desc' do print(name, mark) end
--
-- Such a table has the functions of pl.array2d as methods too. Arguments: core {fail}, host, data. The packages pl.utils,
-- pl.List, pl.stringx and pl.array2d are loaded before.

local core, _, data = ...
local fail = core.fail
local utils, List, stringx = require 'pl.utils', require 'pl.List', require 'pl.stringx'
local array2d = require 'pl.array2d'

local Data = {}
function Data.__index(_, name) return Data[name] or array2d[name] end

---------------------------------------------------------------------------------------------------------
-- Files

-- The file, or nil and an error, and whether it was opened here.
local function open(file, mode)
   if file == 'stdin' or file == 'stdout' then return io[file] end
   if type(file) == 'string' then
      local opened, err = io.open(file, mode)
      return opened, err, opened ~= nil
   end
   if file and not file[mode == 'r' and 'read' or 'write'] then return nil, 'not a file-like object' end
   return file
end

local function delimiter_of(line)
   for _, mark in ipairs {',', '\t', ' ', ';'} do
      if line:find(mark, 1, true) then return mark == ' ' and '%s+' or mark end
   end
   return ' '
end

-- The fields of a line. In CSV they may have quotation marks around them, with commas within, and the last may be empty.
local function fields_of(line, delimiter, csv, n)
   if csv then
      line = line:gsub('"([^"]+)"', function(text) return (text:gsub(',', '\1')) end)
   end
   local fields = utils.split(line, delimiter, false, n)
   if csv then
      for i, text in ipairs(fields) do fields[i] = text:gsub('\1', ',') end
      if line:sub(-1) == ',' then table.insert(fields, '') end
   end
   return setmetatable(fields, List)
end

local function number_reader(options)
   return function(text)
      if options.thousands_dot then text = text:gsub('%.(...)', '%1') end
      if options.csv and text == '' then return 0 end
      return tonumber(text), 'not a number'
   end
end

-- The fields as numbers, where # counts as many numbers as fields.
local function all_numbers(fields)
   local numbers = {}
   for i = 1, #fields do numbers[i] = tonumber(fields[i]) end
   return #numbers == #fields and numbers
end

-- data.read(file or name[, options]): the rows of a file, or nil and an error. The options are delim, fieldnames (else
-- they are in the first line, unless that has numbers alone), no_convert, convert (functions by column), numfields,
-- last_field_collect, thousands_dot and csv.
function data.read(source, options)
   options = options or {}
   local file, err, opened = open(source, 'r')
   if not file then return nil, err end
   local line, count = file:read(), 1
   if not line then return nil, 'empty file' end
   local csv = options.csv
   local delimiter = csv and ',' or options.delim or delimiter_of(line)
   local indented = delimiter == '%s+' and line:find '^%s'

   local function next_line()
      line, count = file:read(), count + 1
   end
   local function split(n)
      return fields_of(indented and stringx.lstrip(line) or line, delimiter, csv, n)
   end

   -- By column, in the order of creation.
   local to_number, columns, converters = number_reader(options), {}, {}
   local function convert(column, f)
      table.insert(columns, column)
      converters[#columns] = f
   end
   for _, column in ipairs(options.numfields or {}) do convert(column, to_number) end

   local rows, names = {}, options.fieldnames
   if not names then
      local fields = split()
      local numbers = not options.convert and all_numbers(fields)
      for column, f in pairs(options.convert or {}) do convert(column, f) end
      if numbers then
         rows[1] = numbers
         for column = 1, #numbers do convert(column, to_number) end
      else
         names = fields
      end
      next_line()
   elseif type(names) == 'string' then
      names = fields_of(names, delimiter, csv)
   end
   local n = names and options.last_field_collect and #names or nil
   if names and line and not options.no_convert then
      local known = {}
      for _, column in ipairs(columns) do known[column] = true end
      for column, text in ipairs(split(n)) do
         if not known[column] and to_number(text) then convert(column, to_number) end
      end
   end

   while line do
      if line:find '%S' then
         local fields = split(n)
         for k, column in ipairs(columns) do
            local value, problem = converters[k](fields[column])
            if value == nil then
               return nil, ('%s: %s at line %d'):format(tostring(problem), tostring(fields[column]), count)
            end
            fields[column] = value
         end
         table.insert(rows, fields)
      end
      next_line()
   end
   if opened then file:close() end
   rows.delim = delimiter == '%s+' and ' ' or delimiter
   rows.fieldnames = names or {}
   return data.new(rows)
end

local function write_row(file, row, delimiter)
   file:write(table.concat(utils.array_tostring(row), delimiter), '\n')
end

-- data.write(rows, file or name[, fieldnames[, delimiter]]): true, or nil and an error.
function data.write(rows, target, names, delimiter)
   local file, err, opened = open(target, 'w')
   if not file then return nil, err end
   names, delimiter = names or rows.fieldnames, delimiter or '\t'
   if names and #names > 0 then file:write(table.concat(names, delimiter), '\n') end
   for _, row in ipairs(rows) do write_row(file, row, delimiter) end
   if opened then file:close() end
   return true
end

function Data:write_row(file, row) write_row(file, row, self.delim) end
function Data:write(target) data.write(self, target, self.fieldnames, self.delim) end

-- data.new(rows[, fieldnames]): make a table of rows such an object. Names are a list or one string; what cannot be in
-- the name of a variable becomes _ in them.
function data.new(rows, names)
   names = rows.fieldnames or names or ''
   if not rows.delim and type(names) == 'string' then
      rows.delim = delimiter_of(names)
      names = fields_of(names, rows.delim)
   end
   rows.original_fieldnames = {}
   for i, name in ipairs(names) do
      rows.original_fieldnames[i] = stringx.strip(name)
      names[i] = rows.original_fieldnames[i]:gsub('%W', '_')
   end
   rows.fieldnames = setmetatable(names, List)
   return setmetatable(rows, Data)
end

---------------------------------------------------------------------------------------------------------
-- Questions

local function parse(text)
   local where, after_where = text:find 'where '
   local sort, after_sort = text:find 'sort by '
   return {
      fields = text:sub(1, (where or sort or 0) - 1),
      where = where and text:sub(after_where + 1, (sort or 0) - 1),
      sort_by = sort and text:sub(after_sort + 1),
   }
end

-- The fields of a question; f(text), which gives a text with `row[i]` for each name of a field, and the first name that
-- is none; and g(name), which gives the `row[i]` of one. Where the fields have no names, or the question has $, they are
-- $1, $2 and so on.
local function reader(rows, fields)
   local names = rows.fieldnames
   local by_number = fields:find('$', 1, true) or #names == 0
   if fields:find '^%s*%*%s*' then
      fields = table.concat(names, ',')
      if by_number then
         local numbered = {}
         for i = 1, #rows[1] do numbered[i] = '$' .. i end
         fields = table.concat(numbered, ',')
      end
   elseif not by_number then
      fields = stringx.rstrip(fields):gsub('[^,%w]', '_')
   end
   local function replace(name)
      local column = tonumber(name:match '^%d+$') or names:index(name)
      return column and ('row[%d]'):format(column)
   end
   return fields, function(text)
      local unknown
      local code = text:gsub(by_number and '%$(%d+)' or utils.patterns.IDEN, function(name)
         if not replace(name) then unknown = unknown or name end
         return replace(name)
      end)
      return code, unknown
   end, replace
end

-- data.query(rows, question[, context[, as_row]]): an iterator, or nil and an error. The question is a text,
-- 'FIELDS [where CONDITION] [sort by FIELD [desc]]', or a table with fields, where (a function too) and sort_by.
-- The condition finds other names in the tables of the context and the globals.
function data.query(rows, question, context, as_row)
   if type(question) == 'string' then
      question = parse(question)
   elseif type(question) ~= 'table' then
      return nil, 'condition must be a string or a table'
   end
   local fields, where = question.fields, question.where
   if type(fields) == 'table' then fields = table.concat(fields, ',') end
   local listed, translate, column_of = reader(rows, fields)
   local function no_such(name) return nil, name .. ' not found in ' .. table.concat(rows.fieldnames, ',') end

   local env = _G
   if context then
      env = setmetatable({}, {__index = function(_, name)
         for _, names in ipairs(context) do
            if names[name] then return names[name] end
         end
         return _G[name]
      end})
   end
   local function compile(parameters, body)
      local compiled, err = utils.load('return function(' .. parameters .. ') return ' .. body .. ' end', 'tmp', 't', env)
      return compiled and compiled(), err
   end

   local values, unknown = translate(listed)
   if unknown then return no_such(unknown) end
   local name, order = (question.sort_by or ''):match '^%$?(%S*)(.*)$'
   local key = question.sort_by and column_of(name)
   if question.sort_by and not key then return no_such(name) end

   local get, err = compile('row', as_row and '{' .. values .. '}' or values)
   if not get then return nil, err end
   local holds
   if where == nil or type(where) == 'string' then
      holds, err = compile('row', (translate(where or 'true')))
      if not holds then return nil, err end
   else
      holds = utils.function_arg(0, where, 'condition.where must be callable')
   end

   local chosen = rows
   if key then
      local sign = (order == '' or order:find '^%s+asc$') and '<' or '>'
      local before = compile('a, b', key:gsub('row', 'a') .. sign .. key:gsub('row', 'b'))
      chosen = {}
      for _, row in ipairs(rows) do
         if holds(row) then table.insert(chosen, row) end
      end
      table.sort(chosen, before)
      holds = function() return true end
   end
   local i = 0
   return function()
      repeat i = i + 1 until i > #chosen or holds(chosen[i])
      if i <= #chosen then return get(chosen[i]) end
   end
end

Data.select = data.query
function Data:select_row(question, context) return data.query(self, question, context, true) end
function Data:column_names() return self.fieldnames end

local function answers(rows, question)
   local next_row, err = data.query(rows, question)
   if not next_row then fail('%s', err) end
   return next_row
end

-- rows:column_by_name(name or number): a list.
function Data:column_by_name(name)
   local column = {}
   for value in answers(self, type(name) == 'number' and '$' .. name or name) do table.insert(column, value) end
   return setmetatable(column, List)
end

-- rows:copy_select(question): an object of the answers.
function Data:copy_select(question)
   local copy, parsed = {delim = self.delim}, parse(question)
   local next_row = answers(self, question)
   local row = {next_row()}
   while #row > 0 do
      table.insert(copy, setmetatable(row, List))
      row = {next_row()}
   end
   return data.new(copy, fields_of((reader(self, parsed.fields)), ','))
end

-- data.filter(question[, from[, to[, dont_fail]]]): write the answers of a file to another.
function data.filter(question, from, to, dont_fail)
   local rows = data.read(from or 'stdin')
   local file = open(to or 'stdout', 'w')
   local next_row, err = rows:select(question)
   if not next_row then
      err = 'error: ' .. err
      if dont_fail then return nil, err end
      utils.quit(1, err)
   end
   local row = {next_row()}
   while #row > 0 do
      file:write(table.concat(row, rows.delim), '\n')
      row = {next_row()}
   end
end
