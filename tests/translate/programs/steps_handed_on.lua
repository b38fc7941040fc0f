-- The function for optim hands its work to another one; copies of a cell, whose last state is kept uncopied.
require 'nn'
require 'optim'
torch.manualSeed(3)
local size, length, rows = 4, 3, 2
local cell = nn.Sequential():add(nn.JoinTable(2)):add(nn.Linear(2 + size, size)):add(nn.Tanh())
local reader = nn.Linear(size, 2)
local flat, slopes = nn.Container():add(cell):add(reader):getParameters()
local cells, readers, costs = {}, {}, {}
for t = 1, length do
   cells[t] = cell:clone('weight', 'bias', 'gradWeight', 'gradBias')
   readers[t] = reader:clone('weight', 'bias', 'gradWeight', 'gradBias')
   costs[t] = nn.MSECriterion()
end
local first = torch.zeros(rows, size)

local function work(at, seen)
   if at ~= flat then flat:copy(at) end
   slopes:zero()
   local states, found, missed = {[0] = first}, {}, 0
   for t = 1, length do
      states[t] = cells[t]:forward({seen[t], states[t - 1]})
      found[t] = readers[t]:forward(states[t])
      missed = missed + costs[t]:forward(found[t], seen[t + 1])
   end
   local of_state = torch.zeros(rows, size)
   for t = length, 1, -1 do
      of_state:add(readers[t]:backward(states[t], costs[t]:backward(found[t], seen[t + 1])))
      of_state = cells[t]:backward({seen[t], states[t - 1]}, of_state)[2]:clone()
   end
   first = states[length]
   return missed / length, slopes
end
local settings = {learningRate = 0.05}
for round = 1, 5 do
   local seen = torch.rand(length + 1, rows, 2)
   local _, all = optim.adagrad(function(at) return work(at, seen) end, flat, settings)
   print(round, all[1])
end

-- A list that is filled from its end.
local gains, discounted, sum = {1, 0, 2, 1}, {}, 0
for i = #gains, 1, -1 do
   sum = gains[i] + 0.5 * sum
   discounted[i] = sum
end
local listed = torch.Tensor(discounted)
print(listed:mean())
