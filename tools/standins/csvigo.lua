-- What the programs of tests/programs use of the csvigo library: load, of a file whose first line names the columns.

csvigo = {}

local function fields_of(line)
   local fields = {}
   for field in (line .. ','):gmatch('([^,]*),') do
      fields[#fields + 1] = field:match('^"(.*)"$') or field
   end
   return fields
end

-- The columns by name; numbers as numbers.
function csvigo.load(path)
   local columns, names = {}, nil
   for line in io.lines(path) do
      local fields = fields_of((line:gsub('\r$', '')))
      if not names then
         names = fields
         for _, name in ipairs(names) do columns[name] = {} end
      else
         for i, name in ipairs(names) do table.insert(columns[name], tonumber(fields[i]) or fields[i]) end
      end
   end
   return columns
end

return csvigo
