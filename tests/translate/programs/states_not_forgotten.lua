-- Two networks that take sequences step by step and never forget: what one training step leaves goes into the
-- next, but no gradient goes back there.
require 'rnn'
torch.manualSeed(5)

local steps = nn.Recursor(nn.Sequential():add(nn.FastLSTM(3, 4)):add(nn.MuFuRu(4, 3)):add(nn.Linear(3, 2)), 3)
local single = nn.Sequential():add(nn.GRU(3, 4)):add(nn.Linear(4, 2))
local criterion = nn.MSECriterion()

-- drawn in the vector, which a second call replaces
steps:getParameters():uniform(-0.3, 0.3)
local weights, gradients = steps:getParameters()

for i = 1, 4 do
   -- three steps, and back through them
   gradients:zero()
   local xs, ys, outputs, loss = {}, {}, {}, 0
   for t = 1, 3 do
      xs[t], ys[t] = torch.randn(2, 3), torch.randn(2, 2)
      outputs[t] = steps:forward(xs[t])
      loss = loss + criterion:forward(outputs[t], ys[t])
   end
   for t = 3, 1, -1 do
      steps:backward(xs[t], criterion:backward(outputs[t], ys[t]))
   end
   weights:add(-0.1, gradients)

   -- one step at a time
   local x, y = torch.randn(2, 3), torch.randn(2, 2)
   single:zeroGradParameters()
   local err = criterion:forward(single:forward(x), y)
   single:backward(x, criterion:backward(single.output, y))
   single:updateParameters(0.1)
   print(i, loss, err)
end

torch.save('steps.t7', steps)
print(weights:norm())
