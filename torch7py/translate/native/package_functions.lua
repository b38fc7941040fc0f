function xlua.unpack(args, name, description, ...)
   local defs, first, values = {...}, args[1], {}
   local by_name = #args == 1 and type(first) == 'table' and #first == 0 and torch.typename(first) == nil
   for i, def in ipairs(defs) do
      local value
      if by_name then value = first[def.arg] else value = args[i] end
      if value == nil and (def.req or #args == 0) then error('missing argument: ' .. def.arg, 0) end
      if value == nil then value = def.default end
      if value == nil and def.defaulta then value = values[def.defaulta] end
      values[def.arg], values[i] = value, value
   end
   return values, unpack(values, 1, #defs)
end
function torch.find(x, value, dim)
   if dim ~= nil then error('torch.find along a dimension') end
   local places, elements = {}, x:contiguous():view(-1)
   for i = 1, elements:size(1) do
      if elements[i] == value then table.insert(places, i) end
   end
   return places
end
function sys.isNaN(number)
   return number ~= number
end
function xlua.formatTime(seconds)
   local words, names, units = {}, {'D', 'h', 'm', 's'}, {86400, 3600, 60, 1}
   for i, unit in ipairs(units) do
      local count = math.floor(seconds / unit)
      seconds = seconds - count * unit
      if count > 0 and #words < 2 then table.insert(words, string.format('%d%s', count, names[i])) end
   end
   local millis = math.floor(seconds * 1000)
   if millis > 0 and #words < 2 then table.insert(words, string.format('%dms', millis)) end
   if #words > 0 then return table.concat(words) end
   return '0ms'
end
