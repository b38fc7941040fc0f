-- What becomes of a module's output and gradInput in its next passes: whether each is the same object, and whether what a script
-- has kept shows the new numbers.
--
-- Arguments: a Lua file that returns cases {expression, input, seed}, and one that returns by number of a case the variants to
-- run, if not all. Each line: the number of the case, the variant, and of both results for each of three passes (one, if
-- all are alike) the nesting, of a table with `same` or `new`, of a tensor `written`, or `left` where it has its old numbers.
local write = dofile(arg[0]:match('^(.*/)') .. 'inputs.lua')
local cases = dofile(arg[1])

-- A value, with what was in it.
local function record(value)
   if type(value) ~= 'table' then return {value, text = text(value, 1)} end
   local entries = {}
   for i = 1, #value do entries[i] = record(value[i]) end
   return {value, entries = entries}
end

local function compare(before, now)
   if type(before[1]) ~= 'table' then
      if not torch.isTensor(before[1]) then return '-' end
      local is_same = torch.isTensor(now) and torch.pointer(before[1]) == torch.pointer(now)
      return not is_same and text(before[1], 1) == before.text and 'left' or 'written'
   end
   local parts = {rawequal(before[1], now) and 'same' or 'new'}
   for i = 1, #before.entries do parts[#parts + 1] = compare(before.entries[i], type(now) == 'table' and now[i] or nil) end
   return '{' .. table.concat(parts, ' ') .. '}'
end

-- Another gradient in each pass.
local pass
local function of_this_pass(output) return map(gradient(output), function(t) return t:mul(1 + pass) end) end

local VARIANTS = {
   passes = function(m, x)
      local output = m:forward(x)
      return output, m:backward(x, of_this_pass(output))
   end,
   looked_at = function(m, x)
      m:forward(x)
      m:backward(x, of_this_pass(m.output))
      return m.output, m.gradInput
   end,
   other_inputs = function(m, x)
      x = map(x, function(t) return t:clone() end)
      local output = m:forward(x)
      return output, m:backward(x, of_this_pass(output))
   end,
   halves = function(m, x)
      local output = m:updateOutput(x)
      local gradInput = m:updateGradInput(x, of_this_pass(output))
      m:accGradParameters(x, of_this_pass(output))
      return output, gradInput
   end,
}

-- Other numbers in the floating tensors of an input, but for numbers of columns.
local function change(x)
   map(x, function(t) if t:type() == 'torch.DoubleTensor' and not t:eq(torch.floor(t)):all() then t:mul(0.9) end end)
end

local chosen = arg[2] and dofile(arg[2])
for number, case in ipairs(cases) do
   local expr, input, seed = unpack(case)
   for _, name in ipairs(chosen and (chosen[number] or {}) or {'passes', 'looked_at', 'other_inputs', 'halves'}) do
      local ok, found = pcall(function()
         pass = 0
         local m, x = make(expr, seed), make(input, seed)
         local results, lines = {VARIANTS[name](m, x)}, {}
         while pass < 3 do
            pass = pass + 1
            if not expr:find('Sparse') then change(x) end
            if m.forget then m:forget() end
            local output, gradInput = record(results[1]), record(results[2])
            results = {VARIANTS[name](m, x)}
            lines[pass] = compare(output, results[1]) .. ' ' .. compare(gradInput, results[2])
         end
         if lines[1] == lines[2] and lines[2] == lines[3] then return lines[1] end
         return table.concat(lines, ' | ')
      end)
      if not ok or found:find('{') then write(('%d %s %s\n'):format(number, name, ok and found or 'error')) end
   end
end
