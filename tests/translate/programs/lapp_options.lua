-- Options of Penlight's lapp
require 'nn'
local lapp = require 'pl.lapp'

-- what may be told
local opt = lapp [[
Train a small network
   -s,--save         (default "logs")       where to save
   -r,--learningRate (default 0.5)          100 % of the rate
   -b,--batchSize    (number default 5)     size of a batch
   --name            (string default 12)    a name
   -f,--full                                all data
   -t                (default 2)            turns
]] -- that is all

torch.manualSeed(2)
local model, criterion = nn.Linear(3, 2), nn.MSECriterion()
local x, y = torch.randn(opt.batchSize, 3), torch.randn(opt.batchSize, 2)
for turn = 1, opt.t do
   local loss = criterion:forward(model:forward(x), y)
   model:zeroGradParameters()
   model:backward(x, criterion:backward(model.output, y))
   model:updateParameters(opt.learningRate)
   print(turn, loss, opt.save .. '/' .. opt.name, opt.full)
end
