-- What every module makes of an input or a gradient with NaNs, infinities and numbers at the end of the range.
--
-- Arguments: a Lua file that returns cases {expression, input, seed}, and one that returns by number of a case the variants to
-- run, if not all. Each line: the number of the case, what stands in it, and of output, gradInput and the gradients of the
-- parameters how many elements are NaN, inf and -inf, where, and a number in which all others count; or `error`.
local write = dofile(arg[0]:match('^(.*/)') .. 'inputs.lua')
local cases = dofile(arg[1])

local function text(v, depth)
   if torch.isTensor(v) then
      if v:nElement() == 0 then return '[]' end
      local flat, counts, places, sum, most = v:double():contiguous():view(-1), {0, 0, 0}, 0, 0, 1e-300
      for i = 1, flat:size(1) do
         local x = flat[i]
         local kind = x ~= x and 1 or x == math.huge and 2 or x == -math.huge and 3
         if kind then
            counts[kind], places = counts[kind] + 1, places + i
         else
            most = math.max(most, math.abs(x))
         end
      end
      for i = 1, flat:size(1) do
         local x = flat[i]
         if math.abs(x) < math.huge then sum = sum + x / most * math.cos(0.37 * i) end
      end
      return ('%s:%s@%d:%.4g*%.3g'):format(table.concat(v:size():totable(), 'x'), table.concat(counts, ','), places, sum, most)
   end
   if type(v) == 'table' and depth < 4 then
      local parts = {}
      for i = 1, #v do parts[i] = text(v[i], depth + 1) end
      return '{' .. table.concat(parts, ' ') .. '}'
   end
   return type(v)
end

-- Put a number into a tensor of such that are no numbers of classes or items.
local function put(t, value)
   if t:nElement() < 2 or torch.type(t) ~= 'torch.DoubleTensor' or t:equal(torch.floor(t)) then return t end
   local flat = t:clone():view(-1)
   flat[2] = value
   if flat:size(1) > 6 then flat[6] = value end
   return t:copy(flat:viewAs(t))
end

local VARIANTS = {
   {'nan', 0 / 0}, {'inf', math.huge}, {'minf', -math.huge}, {'large', 1e300}, {'tiny', 5e-324}, {'negative_zero', 0 * -1},
   {'gradient_nan', 0 / 0}, {'gradient_inf', math.huge},
}
local chosen = arg[2] and dofile(arg[2])
for number, case in ipairs(cases) do
   local expr, input, seed = unpack(case)
   for _, variant in ipairs(VARIANTS) do
      local name, value = unpack(variant)
      local wanted = not chosen
      for _, known in ipairs(chosen and chosen[number] or {}) do wanted = wanted or known == name end
      if wanted then
         local ok, found = pcall(function()
            local m, x = make(expr, seed), make(input, seed)
            local of_gradient = name:match('^gradient')
            if not of_gradient then map(x, function(t) return put(t, value) end) end
            torch.manualSeed(seed)
            local y = m:forward(x)
            local output, g = text(y, 0), gradient(y)
            if of_gradient then map(g, function(t) return put(t, value) end) end
            m:zeroGradParameters()
            local back = text(m:backward(x, g), 0)
            local _, gradients = m:parameters()
            return output .. ' | ' .. back .. ' | ' .. text(gradients, 0)
         end)
         write(('%d %s %s\n'):format(number, name, ok and found or 'error'))
      end
   end
end
