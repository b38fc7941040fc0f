-- csvigo: files of separated values, as rows, as columns by name, or as a function that picks rows.
--
-- Arguments: core {fail}, host, csvigo. The package xlua is loaded before.

local core, _, csvigo = ...
local fail = core.fail
local xlua = xlua

local function line_of(values, separator, nan_as_missing)
   local fields = {}
   for i, value in ipairs(values) do
      local text = tostring(value)
      if nan_as_missing and value ~= value then text = '' end
      if text:find('"', 1, true) or text:find(separator, 1, true) then text = '"' .. text:gsub('"', '""') .. '"' end
      fields[i] = text
   end
   return table.concat(fields, separator)
end

-- The fields of a line. One in quotes may hold separators, and quotes twice. Several spaces are one separator.
local function fields_of(line, separator)
   line = line:gsub('\r', '') .. separator
   local pattern, plain = separator, true
   if separator == ' ' then pattern, plain = ' +', false end
   local fields, at = {}, 1
   repeat
      local value, from, to
      if line:sub(at, at) == '"' then
         local quote = at
         repeat
            quote = line:find('"', quote + 1, true)
            if not quote then fail('csvigo: a quote without its end in: %s', line:sub(1, -1 - #separator)) end
            local twice = line:sub(quote + 1, quote + 1) == '"'
            if twice then quote = quote + 1 end
         until not twice
         value = line:sub(at + 1, quote - 1):gsub('""', '"')
         from, to = line:find(pattern, quote + 1, plain)
      else
         from, to = line:find(pattern, at, plain)
         value = line:sub(at, from - 1)
      end
      fields[#fields + 1] = value
      at = to + 1
   until at > #line
   return fields
end

---------------------------------------------------------------------------------------------------------
-- csvigo.File(path, mode[, separator[, nan_as_missing]]): a file, record by record.

local File = torch.class('csvigo.File')

function File:__init(path, mode, separator, nan_as_missing)
   local file, err = io.open(path, mode)
   if not file then fail('csvigo: %s', err) end
   self.filepath, self.file, self.separator = path, file, separator or ','
   self.nan_as_missing = nan_as_missing or false
end

function File:close() self.file:close() end

function File:lines() return self.file:lines() end

-- file:read(): the next record as a list of strings; nil at the end.
function File:read()
   local line = self.file:read('*l')
   return line and fields_of(line, self.separator)
end

-- file:readall([mode]): all records; with mode 'large' as a table that makes a record of a line when it is asked.
function File:readall(mode)
   local lines = {}
   for line in self.file:lines() do lines[#lines + 1] = mode == 'large' and line or fields_of(line, self.separator) end
   return mode == 'large' and self:_on_demand(lines) or lines
end

function File:_on_demand(lines)
   local separator = self.separator
   local function at(_, i)
      if type(i) ~= 'number' or not lines[i] then fail('csvigo: there is no row %s', tostring(i)) end
      return fields_of(lines[i], separator)
   end
   local function rows(t)
      local i = 0
      return function()
         i = i + 1
         if lines[i] then return i, at(t, i) end
      end
   end
   return setmetatable({}, {
      __index = at,
      __newindex = function() fail('csvigo: the rows of a large file cannot be changed') end,
      __len = function() return #lines end,
      __pairs = rows,
      __ipairs = rows,
      __tostring = function()
         local shown = {}
         for i, line in ipairs(lines) do
            if #lines < 30 or i <= 10 or i >= #lines - 10 then
               shown[#shown + 1] = line .. '\n'
            elseif i == 11 then
               shown[#shown + 1] = ('.. .. .. .. .. .. .. .. .. \n'):rep(10)
            end
         end
         return table.concat(shown)
      end,
   })
end

-- file:write(values): one record.
function File:write(values)
   local done, err = self.file:write(line_of(values, self.separator, self.nan_as_missing), '\n')
   if not done then fail('csvigo: %s', err) end
end

-- file:writeall(records)
function File:writeall(records)
   for _, values in ipairs(records) do self:write(values) end
   return true
end

---------------------------------------------------------------------------------------------------------
-- Reading and writing files

local function home(path) return (path:gsub('^~', os.getenv('HOME') or '~')) end

local function teller(verbose)
   return function(text) if verbose then print('<csv>', text) end end
end

local function has_header(header, first)
   if header == 'auto' then return tonumber(first[1]) == nil end
   return type(header) ~= 'string' and header and true or false
end

-- Records as columns: their names in order, and a table name -> list of strings.
local function columns_of(records, header, skip)
   local start = 1 + skip
   local first = records[start]
   if not first then fail('csvigo: the file has no line %d', start) end
   local names = {}
   if has_header(header, first) then
      names, start = first, start + 1
   else
      for i = 1, #first do names[i] = 'var_' .. i end
   end
   local columns = {}
   for _, name in ipairs(names) do columns[name] = {} end
   for row = start, #records do
      for i, value in ipairs(records[row]) do
         if not names[i] then fail('csvigo: record %d has more fields than there are names', row) end
         table.insert(columns[names[i]], value)
      end
   end
   return names, columns
end

-- column -> value -> its rows
local function index_of(columns)
   local index = {}
   for name, values in pairs(columns) do
      local rows = {}
      for row, value in ipairs(values) do
         rows[value] = rows[value] or {}
         table.insert(rows[value], row)
      end
      index[name] = rows
   end
   return index
end

-- The rows, in order, that fit in `least` of the conditions; each condition counts a row at most once.
local function rows_of(index, conditions, least)
   local hits = {}
   for name, values in pairs(conditions) do
      if not index[name] then fail("csvigo: there is no column '%s'", tostring(name)) end
      for _, value in ipairs(type(values) == 'table' and values or {values}) do
         for _, row in ipairs(index[name][tostring(value)] or {}) do hits[row] = (hits[row] or 0) + 1 end
      end
   end
   local rows = {}
   for row, count in pairs(hits) do
      if count >= least then rows[#rows + 1] = row end
   end
   table.sort(rows)
   return rows
end

local function query_of(columns)
   local index = index_of(columns)
   -- query('all'), query('vars'), query('union' or 'inter', {name = value or list of values, ...})
   return function(...)
      local args, kind, conditions = xlua.unpack({select('#', ...) > 0 and ... or 'all', select(2, ...)}, 'query',
         'rows of a file by the values in their columns',
         {arg = 'query', type = 'string', help = 'all | help | vars | inter | union', default = 'all'},
         {arg = 'vars', type = 'table', help = 'column -> value or list of values'})
      if kind == 'help' then
         print(args.usage)
         return
      end
      if kind == 'all' then return columns end
      local result = {}
      if kind == 'vars' then
         for name in pairs(columns) do result[#result + 1] = name end
         return result
      end
      local count = 0
      for _ in pairs(conditions) do count = count + 1 end
      local rows = rows_of(index, conditions, kind == 'union' and 1 or count)
      for name, values in pairs(columns) do
         local picked = {}
         for i, row in ipairs(rows) do picked[i] = values[row] end
         result[name] = picked
      end
      return result
   end
end

-- csvigo.load(path) or csvigo.load{path =, separator =, mode =, header =, verbose =, skip =, column_order =}.
-- All values are strings. Modes: 'raw', a list of records; 'large', the same, parsed on demand; 'tidy', a table
-- column -> list, after the list of names where `column_order` is true; 'query', a function for rows.
function csvigo.load(...)
   local args, path, separator, mode, header, verbose, skip = xlua.unpack({...}, 'csvigo.load',
      'read a file of separated values',
      {arg = 'path', type = 'string', help = 'the file', req = true},
      {arg = 'separator', type = 'string', help = 'a character between fields', default = ','},
      {arg = 'mode', type = 'string', help = 'raw | tidy | query | large', default = 'tidy'},
      {arg = 'header', type = 'string', help = 'whether the first line names the columns: true | false | auto',
       default = 'auto'},
      {arg = 'verbose', type = 'boolean', help = 'say what is done', default = true},
      {arg = 'skip', type = 'number', help = 'lines to leave out at the start', default = 0},
      {arg = 'column_order', type = 'boolean', help = 'return the names of the columns too', default = false})
   local tell = teller(verbose)
   path = home(path)
   tell('parsing file: ' .. path)
   local file = csvigo.File(path, 'r', separator)
   local records = file:readall(mode)
   file:close()
   if mode == 'raw' or mode == 'large' then
      tell('parsing done')
      return records
   end
   if mode ~= 'tidy' and mode ~= 'query' then
      print(args.usage)
      fail("csvigo.load: unknown mode '%s'", tostring(mode))
   end
   tell('tidying up entries')
   local names, columns = columns_of(records, header, skip)
   if mode == 'tidy' then
      tell('returning tidy table')
      if args.column_order then return names, columns end
      return columns
   end
   tell('generating reversed index for fast queries')
   local query = query_of(columns)
   tell("returning query closure, type query('help') to get help")
   return query
end

local function mode_of(data)
   if type(data) == 'function' then return 'query' end
   if type(data) ~= 'table' then fail('csvigo.save: a table or a query is saved, not a %s', type(data)) end
   return #data == 0 and 'tidy' or 'raw'
end

-- csvigo.save(path, data) or csvigo.save{path =, data =, separator =, mode =, header =, verbose =, column_order =,
-- nan_as_missing =}: data as `load` returns it. `column_order` lists the columns to write.
function csvigo.save(...)
   local args, path, data, separator, mode, header, verbose = xlua.unpack({...}, 'csvigo.save',
      'write a file of separated values',
      {arg = 'path', type = 'string', help = 'the file', req = true},
      {arg = 'data', type = 'table', help = 'what to write', req = true},
      {arg = 'separator', type = 'string', help = 'a character between fields', default = ','},
      {arg = 'mode', type = 'string', help = 'what the data is: raw | tidy | query', default = 'autodetect'},
      {arg = 'header', type = 'boolean', help = 'whether to write the names of the columns', default = true},
      {arg = 'verbose', type = 'boolean', help = 'say what is done', default = true},
      {arg = 'column_order', type = 'table', help = 'the columns to write, in order'},
      {arg = 'nan_as_missing', type = 'boolean', help = 'write NaN as an empty field', default = false})
   local tell = teller(verbose)
   path = home(path)
   tell('writing to file: ' .. path)
   local file = csvigo.File(path, 'w', separator, args.nan_as_missing)
   if mode == 'autodetect' then mode = mode_of(data) end
   if mode == 'raw' then
      file:writeall(data)
   elseif mode == 'tidy' or mode == 'query' then
      if mode == 'query' then
         tell('generating tidy table')
         data = data('all')
      end
      tell('exporting tidy table to raw CSV')
      local names = args.column_order
      if not names then
         names = {}
         for name in pairs(data) do names[#names + 1] = name end
      end
      local records = {}
      for _, name in ipairs(names) do
         if not data[name] then fail("csvigo.save: there is no column '%s'", tostring(name)) end
         for row, value in ipairs(data[name]) do
            records[row] = records[row] or {}
            table.insert(records[row], value)
         end
      end
      if header then file:write(names) end
      file:writeall(records)
   else
      print(args.usage)
      fail("csvigo.save: unknown mode '%s'", tostring(mode))
   end
   tell('writing done')
   file:close()
end
