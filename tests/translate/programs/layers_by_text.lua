-- Layers that are chosen by texts
require 'nn'
torch.manualSeed(1)
local activations = {relu = nn.ReLU, tanh = nn.Tanh, sigmoid = nn.Sigmoid}
local opt = {act = 'tanh'}
local net = nn.Sequential():add(nn.Linear(2, 3)):add(activations[opt.act]()):add(nn.Linear(3, 1))
print(net:forward(torch.ones(2))[1])
torch.manualSeed(1)
local first = nn[('ReLU')]()
local function build(kind) return nn.Sequential():add(nn.Linear(2, 2)):add(nn[kind]()) end
print(build('Tanh'):forward(torch.ones(2)):sum(), build('Sigmoid'):forward(torch.ones(2)):sum())
local crit = nn['MSECriterion']()
print(crit:forward(torch.ones(2), torch.zeros(2)))
