-- Models whose layers stand in a list, and parts that functions make.
require 'nn'
torch.manualSeed(2)
local x, y = torch.randn(4, 5), torch.randn(4, 3)
local criterion = nn.MSECriterion()

local layers = {
   nn.Linear(5, 6),
   nn.ConcatTable():add(nn.Sequential():add(nn.Linear(6, 6)):add(nn.Tanh())):add(nn.Identity()), -- side by side
   nn.CMaxTable(),
   -- three numbers
   nn.Linear(6, 3),
}
local model = nn.Sequential()
for _, layer in ipairs(layers) do model:add(layer) end

local function test() return (model:forward(x) - y):clone():abs():max() end
for epoch = 1, 2 do
   model:zeroGradParameters()
   local output = model:updateOutput(x)
   print(criterion:updateOutput(output, y))
   -- the gradient by itself
   local gradOutput = criterion:updateGradInput(output, y)
   model:updateGradInput(x, gradOutput)
   model:accGradParameters(x, gradOutput)
   model:updateParameters(0.1)
   print(test())
end

-- the first part ends with a table, with which the second begins
local function words()
   local net = nn.Sequential()
   net:add(nn.LookupTable(7, 5)) -- rows of 5
   net:add(nn.SplitTable(1, 2)) -- one for each word
   return net
end
local function head()
   local net = nn.Sequential():add(nn.JoinTable(2)):add(nn.Linear(20, 3))
   return net
end
local both = nn.Sequential():add(words()):add(head())
print(both:forward(torch.LongTensor(4, 4):random(1, 7)):norm())
