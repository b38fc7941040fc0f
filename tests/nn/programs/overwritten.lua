-- What the backward of every module gives where memory that its forward read or wrote was overwritten since.
--
-- Arguments: a Lua file that returns cases {expression, input, seed}, and one that returns by number of a case the variants to
-- run, if not all. Each line: the number of the case, what was overwritten, and numbers for gradInput and the gradients of the
-- parameters in which every element counts, or `error`.
local write = dofile(arg[0]:match('^(.*/)') .. 'inputs.lua')
local cases = dofile(arg[1])

-- Other numbers in the same memory; what looks like numbers of classes or items stays.
local function overwrite(v)
   map(v, function(t)
      local numbers = t:nElement() > 0 and t:double()
      if numbers and (numbers - torch.floor(numbers)):abs():max() > 0 then
         local flat = torch.range(1, t:nElement()):mul(1.9):sin():viewAs(numbers):abs()
         t:copy(numbers:mul(0.5):add(flat:mul(0.25)))
      end
      return t
   end)
end
local function copies(v) return map(v, function(t) return t:clone() end) end

-- What is done between the forward and the backward, and whether the halves of the backward are called one by one.
local function halves(m, x, g, between)
   local back = copies(m:updateGradInput(x, g))
   between()
   m:accGradParameters(x, g)
   return back
end
local VARIANTS = {
   {'input', function(m, x, g) overwrite(x) return m:backward(x, g) end},
   {'other', function(m, x, g) x = copies(x) overwrite(x) return m:backward(x, g) end},
   {'input_between', function(m, x, g) return halves(m, x, g, function() overwrite(x) end) end},
   {'gradient_between', function(m, x, g) return halves(m, x, g, function() overwrite(g) end) end},
   {'gradInput_between', function(m, x, g) return halves(m, x, g, function() overwrite(m.gradInput) end) end},
   {'zeroed', function(m, x, g) map(x, function(t) if t:double():equal(torch.floor(t:double())) then return t end return t:zero() end) return m:backward(x, g) end},
}
local PLACES = {
   {'', function(m) return m end, 1},
   {'_later', function(m) return nn.Sequential():add(m) end, 3},
}
local chosen = arg[2] and dofile(arg[2])
for number, case in ipairs(cases) do
   local expr, input, seed = unpack(case)
   for _, place in ipairs(PLACES) do
      for _, variant in ipairs(VARIANTS) do
         local name = variant[1] .. place[1]
         local wanted = not chosen
         for _, known in ipairs(chosen and chosen[number] or {}) do wanted = wanted or known == name end
         if wanted then
            local ok, found = pcall(function()
               local m, x = make(expr, seed), make(input, seed)
               m = place[2](m)
               torch.manualSeed(seed)
               local g = gradient(m:forward(x))
               for pass = 2, place[3] do m:backward(x, g) m:forget() m:forward(x) end
               m:zeroGradParameters()
               local back = variant[2](m, x, g)
               local _, gradients = m:parameters()
               return text(back, 0) .. ' ' .. text(gradients, 0)
            end)
            write(('%d %s %s\n'):format(number, name, ok and found or 'error'))
         end
      end
   end
end
