require 'nn'
require 'optim'
torch.manualSeed(7)
local net = nn.Linear(2, 2)
local w, g = net:getParameters()
local mse = nn.MSECriterion()
local x, y = torch.randn(3, 2), torch.randn(3, 2)
local state, count, method = {learningRate = 0.1}, 3, optim.sgd
local function feval()
   g:zero()
   local l = mse:forward(net:forward(x), y)
   net:backward(x, mse:backward(net.output, y))
   return l, g
end
for i = 1, count do
  local new, fs = method(feval, w, state)
  print(fs[1], new:norm())
end
-- a state made in one function and used in another, with a rate that falls
function setup() config = {learningRate = 0.1, learningRateDecay = 0.5} end
function step() local _, fs = optim.sgd(feval, w, config) print(fs[1]) end
setup()
for i = 1, 3 do step() end
