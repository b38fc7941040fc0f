require 'nn'
require 'optim'
torch.manualSeed(7)
local net = nn.Sequential():add(nn.Linear(3, 5)):add(nn.Tanh()):add(nn.Linear(5, 2))
local mse = nn.MSECriterion()
local x, y = torch.randn(8, 3), torch.randn(8, 2)
local opt = {
   epochs = 4,
   optimState = {learningRate = 0.1, learningRateDecay = 0.01},
}
local w, g = net:getParameters()
local function feval()
   g:zero()
   local loss = mse:forward(net:forward(x), y)
   net:backward(x, mse:backward(net.output, y))
   return loss, g
end
for i = 1, opt.epochs do
   local _, fs = optim.sgd(feval, w, opt.optimState)
   print(i, fs[1], opt.optimState.learningRate)
end
