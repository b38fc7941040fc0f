-- pl.array2d: tables of rows. A range is i1, j1, i2, j2 (rows and columns, from the end where negative; all where left
-- out) or a string such as 'A1:B2' or 'R1C1:R2C2'.
--
-- Arguments: core {fail}, host, array2d. The packages pl.utils, pl.tablex, pl.types and pl.List are loaded before.

local core, _, array2d = ...
local fail = core.fail
local utils, tablex, types = require 'pl.utils', require 'pl.tablex', require 'pl.types'
local List = require 'pl.List'
local assert_arg, callable = utils.assert_arg, utils.function_arg

-- A result that has the other table's metatable.
local function like(result, t)
   local mt = type(result) == 'table' and getmetatable(t)
   return mt and setmetatable(result, mt) or result
end

-- array2d.new(rows, columns, value or f(i, j))
function array2d.new(rows, columns, value)
   local computed, result = types.is_callable(value), {}
   for i = 1, rows do
      result[i] = {}
      for j = 1, columns do
         if computed then result[i][j] = value(i, j) else result[i][j] = value end
      end
   end
   return result
end

function array2d.size(t)
   assert_arg(1, t, 'table')
   return #t, #t[1]
end

---------------------------------------------------------------------------------------------------------
-- Rows and columns

function array2d.row(t, i)
   assert_arg(1, t, 'table')
   local row = {}
   for j, value in ipairs(t[i]) do row[j] = value end
   return setmetatable(row, List)
end

function array2d.column(t, j)
   assert_arg(1, t, 'table')
   return setmetatable(tablex.imap(function(row) return row[j] end, t), List)
end

local function each(count, get, t)
   local i = 0
   return function()
      i = i + 1
      if i <= count then return get(t, i), i end
   end
end

function array2d.rows(t)
   assert_arg(1, t, 'table')
   return each(#t, array2d.row, t)
end
function array2d.columns(t)
   assert_arg(1, t, 'table')
   return each(#t[1], array2d.column, t)
end

function array2d.swap_rows(t, i, k)
   assert_arg(1, t, 'table')
   t[i], t[k] = t[k], t[i]
   return t
end
function array2d.swap_cols(t, j, k)
   assert_arg(1, t, 'table')
   for _, row in ipairs(t) do row[j], row[k] = row[k], row[j] end
   return t
end

function array2d.extract_rows(t, indices) return like(tablex.index_by(t, indices), t) end
function array2d.extract_cols(t, indices)
   assert_arg(1, t, 'table')
   local result = {}
   for i, row in ipairs(t) do result[i] = tablex.index_by(row, indices) end
   return like(result, t)
end

array2d.remove_row = table.remove
function array2d.remove_col(t, j)
   assert_arg(1, t, 'table')
   for _, row in ipairs(t) do table.remove(row, j) end
end

---------------------------------------------------------------------------------------------------------
-- Functions of the elements

function array2d.map(f, t, argument)
   assert_arg(2, t, 'table')
   f = callable(1, f)
   return like(tablex.imap(function(row) return tablex.imap(f, row, argument) end, t), t)
end

function array2d.reduce_rows(f, t)
   assert_arg(1, t, 'table')
   return tablex.map(function(row) return tablex.reduce(f, row) end, t)
end
function array2d.reduce_cols(f, t)
   assert_arg(1, t, 'table')
   return tablex.map(function(j) return tablex.reduce(f, array2d.column(t, j)) end, tablex.keys(t[1]))
end
function array2d.reduce2(between_rows, in_row, t)
   assert_arg(3, t, 'table')
   return tablex.reduce(between_rows, array2d.reduce_rows(in_row, t))
end

-- array2d.map2(f, dimension of a, dimension of b, a, b[, argument]): a list goes with every row of a table.
function array2d.map2(f, a_dimension, b_dimension, a, b, argument)
   assert_arg(1, a, 'table')
   assert_arg(2, b, 'table')
   f = callable(1, f)
   local function rows(x, y) return tablex.map2(f, x, y, argument) end
   if a_dimension == 1 and b_dimension == 1 then return tablex.map2(f, a, b) end
   if a_dimension == 2 and b_dimension == 2 then return tablex.map2(rows, a, b) end
   if a_dimension == 1 and b_dimension == 2 then return tablex.imap(function(row) return rows(a, row) end, b) end
   if a_dimension == 2 and b_dimension == 1 then return tablex.imap(function(row) return rows(row, b) end, a) end
end

-- array2d.product(f, a, b): f of every pair, a row for each item of b.
function array2d.product(f, a, b)
   f = callable(1, f)
   assert_arg(2, a, 'table')
   assert_arg(3, b, 'table')
   local result = {}
   for i, item in ipairs(b) do result[i] = tablex.map(f, a, item) end
   return result
end

---------------------------------------------------------------------------------------------------------
-- Shapes

function array2d.flatten(t)
   local rows, columns = array2d.size(t)
   local result = {}
   for k = 0, rows * columns - 1 do result[k + 1] = t[math.floor(k / columns) + 1][k % columns + 1] end
   return setmetatable(result, List)
end

-- array2d.reshape(t, rows[, by_columns]): the same elements in another number of rows, read along columns or rows.
function array2d.reshape(t, rows, by_columns)
   local old_rows, old_columns = array2d.size(t)
   local columns, k, result = old_rows * old_columns / rows, 0, {}
   for i = 1, rows do
      result[i] = {}
      for j = 1, columns do
         if by_columns then
            result[i][j] = t[k % old_rows + 1][math.floor(k / old_rows) + 1]
         else
            result[i][j] = t[math.floor(k / old_columns) + 1][k % old_columns + 1]
         end
         k = k + 1
      end
   end
   return like(result, t)
end

function array2d.transpose(t)
   assert_arg(1, t, 'table')
   return array2d.reshape(t, #t[1], true)
end

---------------------------------------------------------------------------------------------------------
-- Ranges

local function cell(text)
   local row, column = text:match 'R(%d+)C(%d+)'
   if row then return tonumber(row), tonumber(column) end
   local letters, digits = text:match '(%a+)(%d+)'
   if not letters then fail('bad cell specifier: %s', text) end
   local j = 0
   for letter in letters:gmatch '.' do j = 26 * j + letter:byte() - 64 end
   return tonumber(digits), j
end

function array2d.parse_range(text)
   assert_arg(1, text, 'string')
   local first, last = utils.splitv(text:upper(), ':')
   local i, j = cell(first or '')
   if not last then return i, j end
   return i, j, cell(last)
end

local function within(position, size, default)
   position = position or default
   return math.min(math.max(position < 0 and size + position + 1 or position, 1), size)
end

-- array2d.default_range(t, range): the four numbers.
function array2d.default_range(t, i1, j1, i2, j2)
   if type(i1) == 'string' and not (j1 or i2 or j2) then i1, j1, i2, j2 = array2d.parse_range(i1) end
   local rows, columns = array2d.size(t)
   return within(i1, rows, 1), within(j1, columns, 1), within(i2, rows, rows), within(j2, columns, columns)
end
local range = array2d.default_range

-- array2d.slice(t, range): a list where it is one row or column, the value where it is one element.
function array2d.slice(t, ...)
   assert_arg(1, t, 'table')
   local i1, j1, i2, j2 = range(t, ...)
   local result = {}
   for i = i1, i2 do
      local part = t[i][j1]
      if j1 ~= j2 then
         part = {}
         for j = j1, j2 do table.insert(part, t[i][j]) end
      end
      table.insert(result, part)
   end
   if i1 == i2 then result = result[1] end
   return like(result, t)
end
array2d.range = array2d.slice

-- array2d.set(t, value or f(i, j), range)
function array2d.set(t, value, ...)
   local i1, j1, i2, j2 = range(t, ...)
   local computed = types.is_callable(value)
   for i = i1, i2 do
      tablex.set(t[i], computed and function(j) return value(i, j) end or value, j1, j2)
   end
end

-- array2d.forall(t, f(row, j), [after_row(i),] range)
function array2d.forall(t, f, after_row, ...)
   assert_arg(1, t, 'table')
   local i1, j1, i2, j2 = range(t, ...)
   for i = i1, i2 do
      for j = j1, j2 do f(t[i], j) end
      if after_row then after_row(i) end
   end
end

-- array2d.write(t[, file[, format[, range]]])
function array2d.write(t, file, format, ...)
   assert_arg(1, t, 'table')
   file = file or io.stdout
   local function element(row, j)
      if format then utils.fprintf(file, format, row[j]) else file:write(tostring(row[j]), ' ') end
   end
   array2d.forall(t, element, function() file:write '\n' end, ...)
end

-- array2d.move(into, i, j, from, range): copy a block; the rows are those of `from` and i - 1 further down.
function array2d.move(into, at_row, at_column, from, ...)
   assert_arg(1, into, 'table')
   assert_arg(4, from, 'table')
   local i1, j1, i2, j2 = range(from, ...)
   local rows, columns = array2d.size(into)
   for i = i1, math.min(rows, i2) do
      for j = j1, math.min(columns, j2) do into[i + at_row - 1][j + at_column - 1] = from[i][j] end
   end
end

-- array2d.iter(t[, indices[, range]]): over the elements, with both numbers before them if `indices`.
function array2d.iter(t, indices, ...)
   assert_arg(1, t, 'table')
   local i1, j1, i2, j2 = range(t, ...)
   local i, j = i1, j1 - 1
   return function()
      j = j + 1
      if j > j2 then i, j = i + 1, j1 end
      if i > i2 then return nil end
      if indices then return i, j, t[i][j] end
      return t[i][j]
   end
end
