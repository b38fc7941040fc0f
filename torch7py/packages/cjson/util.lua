-- cjson.util: files, comparison of values, and tables as text.
--
-- Arguments: core {fail}, host, util.

local core, _, util = ...
local fail = core.fail
local type, pairs, tostring, string, table, io = type, pairs, tostring, string, table, io

local function opened(name, mode)
   local file, message = io.open(name, mode)
   if not file then fail('cjson.util: %s', message) end
   return file
end

-- util.file_load([name]): a file's text, without a name that of the standard input.
function util.file_load(name)
   local file = name and opened(name, 'rb') or io.stdin
   local text = file:read '*a'
   if name then file:close() end
   return text
end

function util.file_save(name, data)
   local file = name and opened(name, 'wb') or io.stdout
   file:write(data)
   if name then file:close() end
end

-- util.is_array(t): the largest index of a list, 0 for an empty table, -1 if there are other keys.
function util.is_array(t)
   local most, count = 0, 0
   for key in pairs(t) do
      if type(key) ~= 'number' then return -1 end
      if key > most then most = key end
      count = count + 1
   end
   return most > count * 2 and -1 or most
end

function util.compare_values(a, b)
   if type(a) ~= type(b) then return false end
   if type(a) == 'table' then
      for key, value in pairs(a) do if not util.compare_values(value, b[key]) then return false end end
      for key in pairs(b) do if a[key] == nil then return false end end
      return true
   end
   if type(a) == 'number' and a ~= a then return b ~= b end
   return a == b
end

-- util.serialise_value(value): as text that can be read by people.
function util.serialise_value(value, indent, depth)
   indent, depth = indent or '', depth or 0
   if depth > 20 then fail 'cjson.util: too many tables inside each other' end
   if type(value) == 'string' then return string.format('%q', value) end
   if type(value) ~= 'table' then return tostring(value) end
   local inner, lines = indent .. '    ', {}
   local length = util.is_array(value)
   if length > 0 then
      for i = 1, length do lines[i] = inner .. util.serialise_value(value[i], inner, depth + 1) end
   else
      for key, item in pairs(value) do
         lines[#lines + 1] = ('%s[%s] = %s'):format(inner, util.serialise_value(key, inner, depth + 1),
                                                    util.serialise_value(item, inner, depth + 1))
      end
   end
   if #lines == 0 then return '{}' end
   return '{\n' .. table.concat(lines, ',\n') .. '\n' .. indent .. '}'
end
