require 'nn'
require 'optim'
torch.manualSeed(3)
local net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 2))
local mse = nn.MSECriterion()
local x, y = torch.randn(5, 3), torch.randn(5, 2)
local w, g = net:getParameters()
local function feval()
   g:zero()
   local loss = mse:forward(net:forward(x), y)
   net:backward(x, mse:backward(net.output, y))
   return loss, g
end
-- without a dampening of its own that is the momentum, whatever it is now
local state = {learningRate = 0.1, momentum = 0.5, weightDecay = 1e-3}
for epoch = 1, 3 do
   for i = 1, 3 do
      local _, fs = optim.sgd(feval, w, state)
      print(epoch, i, fs[1], w:norm())
   end
   state.momentum = math.min(0.9, state.momentum + 0.2)
   state.weightDecay = state.weightDecay / 2
   state.learningRate = state.learningRate * 0.9
end
