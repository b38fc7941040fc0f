-- What the backward of every module gives where something happens between forward and backward, or the gradient has
-- another shape than the output.
--
-- Arguments: a Lua file that returns cases {expression, input, seed}. Each line: the number of the case, what was done, and
-- numbers for gradInput and the gradients of the parameters in which every element counts, or `error`.
local write = dofile(arg[0]:match('^(.*/)') .. 'inputs.lua')
local cases = dofile(arg[1])

local function all_in(v, f) map(v, function(t) f(t) return t end) end
local VARIANTS = {
   {'nothing', function(m, x, g) return g end},
   {'parameters', function(m, x, g) all_in((m:parameters()), function(t) t:mul(1.5) end) return g end},
   {'output', function(m, x, g) all_in(m.output, function(t) t:mul(2) end) return g end},
   {'column', function(m, x, g) return map(g, function(t) return t:view(t:nElement(), 1) end) end},
   {'vector', function(m, x, g) return map(g, function(t) return t:view(-1) end) end},
   {'twice', function(m, x, g) m:backward(x, g) return g end},
}

for number, case in ipairs(cases) do
   local expr, input, seed = unpack(case)
   for _, variant in ipairs(VARIANTS) do
      local ok, found = pcall(function()
         local m, x = make(expr, seed), make(input, seed)
         torch.manualSeed(seed)
         local g = gradient(m:forward(x))
         m:zeroGradParameters()
         local back = m:backward(x, variant[2](m, x, g))
         local _, gradients = m:parameters()
         return text(back, 0) .. ' ' .. text(gradients, 0)
      end)
      write(('%d %s %s\n'):format(number, variant[1], ok and found or 'error'))
   end
end
