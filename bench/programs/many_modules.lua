-- A model of very many small modules, as those were that compared sentences word by word: each of its branches looks
-- at one row of the input.
--
-- The global sizes is {branches, rows, columns}. Returns a function that builds the model, and one that runs it some
-- times forward and backward and returns the last loss. Globals for a port to start from: model, inputs.
require 'nn'

local branches, rows, columns = unpack(sizes)

torch.manualSeed(1)

inputs = torch.randn(rows, columns)
local target = torch.Tensor {1}
local criterion = nn.ClassNLLCriterion()

local function branch(row)
   local pair = nn.ConcatTable():add(nn.Linear(4, 1)):add(nn.Linear(4, 1))
   local found = nn.Sequential()
   found:add(nn.Select(1, row)):add(nn.Linear(columns, 4)):add(nn.Tanh()):add(pair):add(nn.JoinTable(1))
   return found
end

local function build()
   local all = nn.ConcatTable()
   for i = 1, branches do all:add(branch((i - 1) % rows + 1)) end
   model = nn.Sequential():add(all):add(nn.JoinTable(1)):add(nn.Linear(2 * branches, 3)):add(nn.LogSoftMax())
end

local function run(times)
   local loss
   for _ = 1, times do
      loss = criterion:forward(model:forward(inputs), target)
      model:zeroGradParameters()
      model:backward(inputs, criterion:backward(model.output, target))
      model:updateParameters(0.01)
   end
   return loss
end

return build, run
