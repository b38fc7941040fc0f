-- an image made by optim
require 'nn'
require 'optim'
torch.manualSeed(1)
local net = nn.Sequential():add(nn.SpatialConvolution(1, 3, 3, 3)):add(nn.Tanh())
local criterion = nn.MSECriterion()
local target = net:forward(torch.randn(1, 8, 8)):clone()
local img = torch.randn(1, 8, 8)
local state = {learningRate = 0.5}
local function feval(x)
   local output = net:forward(x)
   local loss = criterion:forward(output, target)
   local grad = net:updateGradInput(x, criterion:backward(output, target))
   return loss, grad
end
for i = 1, 6 do
   local _, loss = optim.adam(feval, img, state)
   print(i, loss[1])
end
