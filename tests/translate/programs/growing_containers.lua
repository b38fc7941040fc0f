-- Containers that are filled in loops, branches and functions.
require 'nn'
require 'optim'
torch.manualSeed(3)
local function inception(n, kinds)
  local concat = nn.ConcatTable()
  for i = 1, kinds do
    concat:add(nn.Sequential():add(nn.Linear(n, 3 * i)):add(nn.Tanh()))
  end
  return concat
end
local c = nn.Concat(2)
for i = 1, 3 do c:add(nn.Linear(4, i)) end
local m = nn.Sequential()
m:add(c)
m:add(inception(6, 2))
m:add(nn.JoinTable(2))
local heads = nn.ParallelTable()
for i = 1, 2 do
  local head = nn.Sequential()
  head:add(nn.Linear(9, 2))
  if i == 2 then head:add(nn.Sigmoid()) end
  heads:add(head)
end
local x = torch.randn(5, 4)
local h = m:forward(x)
print(h:norm())
local out = heads:forward{h, h}
print(#out, out[1]:norm(), out[2]:norm())
local conv = nn.Sequential()
local planes = {2, 4, 3}
for i = 1, #planes - 1 do
  conv:add(nn.SpatialConvolution(planes[i], planes[i + 1], 3, 3)):add(nn.ReLU(true))
end
conv:add(nn.View(-1))
print(conv:forward(torch.randn(1, 2, 7, 7)):norm())

-- A mixture of as many experts as a loop makes, and all losses of a search that no variable keeps.
local experts = nn.ConcatTable()
for i = 1, 3 do
   local expert = nn.Sequential()
   expert:add(nn.Linear(4, 5)):add(nn.Tanh()):add(nn.Linear(5, 2))
   experts:add(expert)
end
local chooser = nn.Sequential():add(nn.Linear(4, 3)):add(nn.SoftMax())
local mixed = nn.Sequential():add(nn.ConcatTable():add(chooser):add(experts)):add(nn.MixtureTable())
local points, aims, miss = torch.randn(6, 4), torch.randn(6, 2), nn.MSECriterion()
local all_weights, all_slopes = mixed:getParameters()
local function search()
   all_slopes:zero()
   local found = miss:forward(mixed:forward(points), aims)
   mixed:backward(points, miss:backward(mixed.output, aims))
   return found, all_slopes
end
local _, seen = optim.lbfgs(search, all_weights, {maxIter = 5, learningRate = 0.5})
print(seen[1] > seen[#seen], #seen, mixed:forward(points[1]):size(1))
