-- show(...): print values, tables with their entries in a fixed order. failure(f, ...): print an error without its place.
local function text(x)
   if type(x) == 'string' then
      return '"' .. x:gsub('["\\]', '\\%0'):gsub('%c', function(c) return '\\' .. c:byte() end) .. '"'
   end
   if type(x) ~= 'table' then return type(x) == 'function' and 'a function' or tostring(x) end
   local mt = getmetatable(x)
   if mt and mt.__tostring and mt._name == nil then return '<' .. tostring(x) .. '>' end
   local keys, parts = {}, {}
   for key in pairs(x) do keys[#keys + 1] = key end
   table.sort(keys, function(a, b)
      if type(a) == type(b) then return a < b end
      return type(a) == 'number'
   end)
   for i, key in ipairs(keys) do
      parts[i] = (key == i and '' or tostring(key) .. '=') .. text(x[key])
   end
   return (mt and mt._name or '') .. '{' .. table.concat(parts, ', ') .. '}'
end

function show(...)
   local parts = {}
   for i = 1, select('#', ...) do parts[i] = text((select(i, ...))) end
   print(table.concat(parts, ' '))
end

function failure(f, ...)
   local ok, err = pcall(f, ...)
   print(ok, (tostring(err):gsub('^[^\n]-:%d+: ', '')))
end
