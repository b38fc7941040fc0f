-- A network whose first layer makes vectors, of a batch and of one picture.
require 'nn'
torch.manualSeed(8)
local pixels = nn.Sequential():add(nn.View(36)):add(nn.Linear(36, 2)):add(nn.Tanh())
local pictures = torch.randn(3, 2, 3, 6)
print(pixels:forward(pictures):sum(), pixels:forward(pictures[2]):size())
