-- manual updates, one loop
require 'nn'
torch.manualSeed(3)
local G = nn.Sequential():add(nn.Linear(3, 6)):add(nn.Tanh()):add(nn.Linear(6, 2))
local D = nn.Sequential():add(nn.Linear(2, 6)):add(nn.Tanh()):add(nn.Linear(6, 1)):add(nn.Sigmoid())
local bce = nn.BCECriterion()
local ones, zeros = torch.ones(5, 1), torch.zeros(5, 1)
for i = 1, 10 do
   local x = torch.randn(5, 2)
   local z = torch.randn(5, 3)
   D:zeroGradParameters()
   local out = D:forward(x)
   local lossReal = bce:forward(out, ones)
   D:backward(x, bce:backward(out, ones))
   local fake = G:forward(z)
   out = D:forward(fake)
   local lossFake = bce:forward(out, zeros)
   D:backward(fake, bce:backward(out, zeros))
   D:updateParameters(0.1)
   -- generator
   G:zeroGradParameters()
   out = D:forward(fake)
   local lossG = bce:forward(out, ones)
   local gradFake = D:updateGradInput(fake, bce:backward(out, ones))
   G:backward(z, gradFake)
   G:updateParameters(0.1)
   print(i, lossReal + lossFake, lossG)
end
