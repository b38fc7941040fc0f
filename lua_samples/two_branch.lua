-- A model with two inputs of different kinds, and a shortcut: how tables of tensors flow through nn.
-- It learns a number from three measurements and a category.
--
--    two_branch.lua [iterations]
require 'nn'

torch.manualSeed(1)

iterations = tonumber(arg[1]) or 1200

-- y depends on the measurements, on the category, and on both together
local n = 60
measurements = torch.rand(n, 3)
categories = torch.Tensor(n)
y = torch.Tensor(n, 1)
for i = 1, n do
   local m, c = measurements[i], torch.random(1, 4)
   categories[i] = c
   y[i] = m[1] - 2 * m[2] + 0.5 * c + (c == 3 and math.sin(6 * m[3]) or 0)
end

-- ParallelTable: the first input to the first layer, the second to the second
local branches = nn.ParallelTable()
   :add(nn.Sequential():add(nn.Linear(3, 8)):add(nn.Tanh()))
   :add(nn.LookupTable(4, 8))

-- ConcatTable: one input to every layer; CAddTable: the sum of a table. Together a shortcut around the inner
-- layers.
local shortcut = nn.Sequential()
   :add(nn.ConcatTable()
      :add(nn.Identity())
      :add(nn.Sequential():add(nn.Linear(16, 16)):add(nn.Tanh())))
   :add(nn.CAddTable())

model = nn.Sequential()
   :add(branches)
   :add(nn.JoinTable(2))                     -- side by side along dimension 2: n x 16
   :add(shortcut)
   :add(nn.Linear(16, 1))

local criterion = nn.MSECriterion()
local input = {measurements, categories}

-- A layer keeps its last output, and a table layer a table of them.
model:forward(input)
local two = branches.output
print('branches: ' .. #two .. ' tensors, ' .. two[1]:size(2) .. ' and ' .. two[2]:size(2) .. ' columns')
print('joined: ' .. model:get(2).output:size(2) .. ' columns')

for i = 1, iterations do
   local prediction = model:forward(input)
   local loss = criterion:forward(prediction, y)
   model:zeroGradParameters()
   model:backward(input, criterion:backward(prediction, y))
   model:updateParameters(0.05)
   if i == 1 or i % 300 == 0 then
      print('iteration ' .. i .. ': loss ' .. loss)
   end
end
