require 'optim'
require 'nn'
torch.manualSeed(2)
-- functions of a tensor, one of them for two tensors
local function bowl(x)
   return (x[1] - 3)^2 + x[2]^2, torch.Tensor{2 * (x[1] - 3), 2 * x[2]}
end
local x = torch.Tensor{1, 2}
local state = {learningRate = 0.1}
for i = 1, 5 do
   x, fx = optim.sgd(bowl, x, state)
   print(i, fx[1], x[1], x[2])
end
local y = torch.Tensor{1, 2}
local y2, fy = optim.adam(bowl, y, {learningRate = 0.1})
print(y2[1], y[1])
-- what a network makes of it
local net = nn.Linear(2, 1)
print(net:forward(x)[1], net:forward(y)[1])
