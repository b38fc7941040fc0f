-- Outputs of modules that other modules have called, wherever the module comes from.
require 'nn'
require 'nngraph'
torch.manualSeed(3)

local function encoder(n)
   local net = nn.Sequential()
   net:add(nn.Linear(n, 4))
   net:add(nn.Tanh())
   return net
end

local Model = {}
function Model:build(n)
   self.first = encoder(n)
   self.code = nn.Sequential()
   self.code:add(nn.Linear(4, 2))
   self.code:add(nn.Sigmoid())
   self.whole = nn.Sequential()
   self.whole:add(self.first)
   self.whole:add(self.code)
   self.whole:add(nn.Linear(2, 3))
end
Model:build(5)

local x = torch.randn(6, 5)
print(Model.first:forward(x):sum())
local y = torch.randn(6, 5)
Model.whole:forward(y)
print(Model.first.output:sum(), Model.code.output:sum())
Model.whole:forward(x)
print(string.format('%.6f', Model.code.output:norm()))

local input = nn.Identity()()
local hidden = nn.Tanh()(nn.Linear(5, 3)(input))
local graph = nn.gModule({input}, {hidden})
local criterion = nn.ClassNLLCriterion()
local network = nn.Sequential():add(graph):add(nn.LogSoftMax())
local classes = torch.Tensor{1, 2, 3, 1, 2, 3}
print(('%.6f'):format(criterion:forward(network:forward(x), classes)))
print(graph.output[2]:sum())
