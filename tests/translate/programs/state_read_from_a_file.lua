-- the state of an optimizer is saved, and what comes back is asked for its fields
require 'nn'
require 'optim'
torch.manualSeed(1)
local net, criterion = nn.Linear(3, 1), nn.MSECriterion()
local weights, gradients = net:getParameters()
local config, state = {learningRate = 0.01}, {}
local x, y = torch.randn(4, 3), torch.randn(4, 1)
local function feval()
  gradients:zero()
  local loss = criterion:forward(net:forward(x), y)
  net:backward(x, criterion:backward(net.output, y))
  return loss, gradients
end
for i = 1, 3 do
  local _, losses = optim.adam(feval, weights, config, state)
  print(losses[1])
end
torch.save('state.t7', {state = state, config = config})
local back = torch.load('state.t7')
print(back.state.t, back.state.m:norm(), back.config.learningRate)
