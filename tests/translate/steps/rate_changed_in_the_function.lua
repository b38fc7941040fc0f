require 'nn'
require 'optim'
torch.manualSeed(3)
local net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 2))
local mse = nn.MSECriterion()
local x, y = torch.randn(5, 3), torch.randn(5, 2)
local w, g = net:getParameters()
local state = {learningRate = 0.2, learningRateDecay = 0.05}
local calls = 0
-- the rate is for the next step: optim has looked at it when it calls the function
local function feval()
   calls = calls + 1
   if calls % 3 == 0 then state.learningRate = state.learningRate / 2 end
   g:zero()
   local loss = mse:forward(net:forward(x), y)
   net:backward(x, mse:backward(net.output, y))
   return loss, g
end
for i = 1, 9 do
   local _, fs = optim.sgd(feval, w, state)
   print(i, fs[1], w:norm(), state.learningRate)
end
