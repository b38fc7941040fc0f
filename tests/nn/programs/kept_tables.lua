-- Whether a module's output and gradInput, where they are tables, are the same table after the next pass, and each table in them.
--
-- Arguments: a Lua file that returns cases {expression, input, seed}, and one that returns by number of a case the variants to
-- run, if not all. Each line: the number of the case, `tables`, and of both results the nesting with `same` or `new`.
local write = dofile(arg[0]:match('^(.*/)') .. 'inputs.lua')
local cases = dofile(arg[1])

local function compare(before, now)
   if type(before) ~= 'table' then return torch.isTensor(before) and 'T' or '-' end
   local parts = {rawequal(before, now) and 'same' or 'new'}
   for i = 1, #before do parts[#parts + 1] = compare(before[i], now[i]) end
   return '{' .. table.concat(parts, ' ') .. '}'
end

local chosen = arg[2] and dofile(arg[2])
for number, case in ipairs(cases) do
   local expr, input, seed = unpack(case)
   if not chosen or chosen[number] then
      local ok, found = pcall(function()
         local m, x = make(expr, seed), make(input, seed)
         local output = m:forward(x)
         local gradInput = m:backward(x, gradient(output))
         if m.forget then m:forget() end
         local later = m:forward(x)
         return compare(output, later) .. ' ' .. compare(gradInput, m:backward(x, gradient(later)))
      end)
      if not ok or found:find('{') then write(('%d tables %s\n'):format(number, ok and found or 'error')) end
   end
end
