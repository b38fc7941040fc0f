require 'nn'
torch.manualSeed(7)
local F = nn.Sequential():add(nn.Linear(2, 6)):add(nn.ReLU()):add(nn.LeakyReLU(0.1)):add(nn.Linear(6, 3))
local D = nn.Sequential():add(nn.ConcatTable():add(nn.Linear(3, 6)):add(nn.Linear(3, 6))):add(nn.CAddTable()):add(nn.LeakyReLU(0.2)):add(nn.Linear(6, 1)):add(nn.Sigmoid())
print(D:forward(F:forward(torch.randn(4, 2))):sum())
