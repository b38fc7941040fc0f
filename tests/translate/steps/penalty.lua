require 'nn'
require 'optim'
torch.manualSeed(1)
local net = nn.Sequential():add(nn.Linear(4, 8)):add(nn.Tanh()):add(nn.Linear(8, 3))
local mse = nn.MSECriterion()
local parameters, gradParameters = net:getParameters()
local x, y = torch.randn(6, 4), torch.randn(6, 3)
local coefL1, coefL2 = 0.001, 0.01
local function feval(w)
   if w ~= parameters then parameters:copy(w) end
   gradParameters:zero()
   local out = net:forward(x)
   local f = mse:forward(out, y)
   net:backward(x, mse:backward(out, y))
   if coefL1 ~= 0 or coefL2 ~= 0 then
      f = f + coefL1 * torch.norm(parameters, 1)
      f = f + coefL2 * torch.norm(parameters, 2) ^ 2 / 2
      gradParameters:add(torch.sign(parameters):mul(coefL1) + parameters:clone():mul(coefL2))
   end
   return f, gradParameters
end
local state = {learningRate = 0.1, momentum = 0.5}
for step = 1, 8 do
   local _, fs = optim.sgd(feval, parameters, state)
   print(step, fs[1])
end
