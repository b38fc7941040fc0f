-- How many outputs a layer has is counted in the data; then L-BFGS with a line search over all of it
require 'nn'
require 'optim'
torch.manualSeed(10)

local plants = {}
for kind = 1, 3 do
   for _ = 1, 10 do
      plants[#plants + 1] = {leaf = kind + torch.normal(0, 0.4), stem = 2 * kind + torch.normal(0, 0.6), kind = kind}
   end
end
local sizes, kinds = torch.Tensor(#plants, 2), torch.Tensor(#plants)
for i, plant in ipairs(plants) do
   sizes[i][1], sizes[i][2] = plant.leaf, plant.stem
   kinds[i] = plant.kind
end

local many = kinds:max() - kinds:min() + 1
local net = nn.Sequential():add(nn.Linear(2, many)):add(nn.LogSoftMax())
local nll = nn.ClassNLLCriterion()
local theta, slope = net:getParameters()

local turn = 0
local function onOne(point)
   if point ~= theta then theta:copy(point) end
   turn = turn % #plants + 1
   slope:zero()
   local guess = net:forward(sizes[turn])
   local cost = nll:forward(guess, kinds[turn])
   net:backward(sizes[turn], nll:backward(guess, kinds[turn]))
   return cost, slope
end

local config = {learningRate = 0.05, momentum = 0.5}
local costs = 0
for _ = 1, #plants do
   local _, each = optim.sgd(onOne, theta, config)
   costs = costs + each[1]
end
print(string.format('one by one: %.6f', costs / #plants))

local function onAll(point)
   if point ~= theta then theta:copy(point) end
   slope:zero()
   local guess = net:forward(sizes)
   local cost = nll:forward(guess, kinds)
   net:backward(sizes, nll:backward(guess, kinds))
   return cost, slope
end
net:reset()
local _, each = optim.lbfgs(onAll, theta, {lineSearch = optim.lswolfe, maxIter = 8})
print(#each > 3)
for i = 1, 3 do print(string.format('%.8f', each[i])) end
local _, found = net:forward(sizes):max(2)
print(found:eq(kinds:long():view(-1, 1)):sum())
