-- what programs do with the flat vectors
require 'nn'
torch.manualSeed(1)
local net = nn.Sequential():add(nn.Linear(4, 8)):add(nn.Tanh()):add(nn.Linear(8, 3))
local mse = nn.MSECriterion()
local params, gradParams = net:getParameters()
local x, y = torch.randn(6, 4), torch.randn(6, 3)
local velocity = gradParams:clone():zero()
local best, bestLoss = params:clone(), math.huge
for step = 1, 8 do
   net:zeroGradParameters()
   local out = net:forward(x)
   local loss = mse:forward(out, y)
   net:backward(x, mse:backward(out, y))
   if loss < bestLoss then
      best:copy(params)
      bestLoss = loss
   end
   velocity:mul(0.9):add(-0.1, gradParams)
   params:add(velocity)
   params:clamp(-1, 1)
   print(step, loss, gradParams:norm(), velocity:norm(), params:mean())
end
params:copy(best)
print(mse:forward(net:forward(x), y))
