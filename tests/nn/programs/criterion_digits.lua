-- Prints the losses of criterions that compare element by element, and sums over their gradients, with all their digits:
-- `CLASS MEAN TYPE COUNT loss, sum of each element of the gradient times its place`. Each is computed several times, since
-- early calls may be served in another way than later ones.
require 'nn'

local function show(name, mean, kind, count, x, t)
   local c, seen = nn[name]():type(kind), {}
   c.sizeAverage = mean
   for call = 1, 6 do
      local loss = c:forward(x, t)
      local sum = 0
      local g = c:backward(x, t):double()
      for i = 1, count do sum = sum + i * g[i] end
      seen[call] = ('%.17g %.17g'):format(loss, sum)
      assert(seen[call] == seen[1], name .. ': call ' .. call .. ' gave ' .. seen[call] .. ', the first ' .. seen[1])
   end
   print(name, mean, kind, count, seen[1])
end

-- Of floats these are left out that add doubles to a float, or take a logarithm.
local NOT_FLOAT = {BCECriterion = true, SmoothL1Criterion = true, DistKLDivCriterion = true}
for _, name in ipairs {'MSECriterion', 'AbsCriterion', 'SmoothL1Criterion', 'MarginCriterion', 'BCECriterion', 'L1Cost',
                       'HingeEmbeddingCriterion'} do
   for seed, count in ipairs {1, 3, 7, 100, 1001, 2600, 5003} do
      torch.manualSeed(seed)
      local x, t = torch.rand(count), torch.rand(count)
      if name == 'HingeEmbeddingCriterion' then t = t:mul(2):ceil():mul(2):add(-3) end
      for _, kind in ipairs {'torch.DoubleTensor', 'torch.FloatTensor'} do
         if kind == 'torch.DoubleTensor' or not NOT_FLOAT[name] then
            show(name, true, kind, count, x:type(kind), t:type(kind))
            show(name, false, kind, count, x:type(kind), t:type(kind))
         end
      end
   end
end
