require 'nn'
require 'optim'
torch.manualSeed(3)
local net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 2))
local mse = nn.MSECriterion()
local x, y = torch.randn(5, 3), torch.randn(5, 2)
local w, g = net:getParameters()
local opt = {method = 'adagrad', rate = 0.1}
local function feval()
   g:zero()
   local loss = mse:forward(net:forward(x), y)
   net:backward(x, mse:backward(net.output, y))
   return loss, g
end
-- all in the call: it begins anew each time
for i = 1, 3 do
   local _, fs = optim[opt.method](feval, w, {learningRate = opt.rate})
   print(i, fs[1])
end
-- settings and state apart
local config, state = {learningRate = 0.05}, {}
local methods = {plain = optim.sgd, adaptive = optim.adam}
local function train(n)
   for i = 1, n do
      local _, fs = methods['adaptive'](feval, w, config, state)
      print(i, fs[1])
   end
end
train(3)
local decaying = {learningRate = 0.05, learningRateDecay = 0.1, momentum = 0.9}
local method = optim[opt.method]
for i = 1, 3 do
   local _, fs = method(feval, w, decaying)
   print(i, fs[1])
   decaying.learningRate = decaying.learningRate * 0.9
end
