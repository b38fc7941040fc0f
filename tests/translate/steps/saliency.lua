require 'nn'
torch.manualSeed(1)
local net = nn.Sequential():add(nn.Linear(6, 5)):add(nn.Tanh()):add(nn.Linear(5, 3)):add(nn.LogSoftMax())
local x = torch.randn(6)
local out = net:forward(x)
local _, class = out:max(1)
local gradOutput = torch.zeros(3)
gradOutput[class[1]] = 1
local saliency = net:updateGradInput(x, gradOutput):clone():abs()
for i = 1, 6 do print(i, saliency[i]) end
