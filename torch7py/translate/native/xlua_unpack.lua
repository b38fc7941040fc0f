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
