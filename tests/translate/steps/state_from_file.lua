-- Training goes on with the states of optimizers that were saved: of a trainer, of a loop, and where there is none yet.
require 'nn'
require 'optim'
torch.manualSeed(3)
local x, y = torch.randn(12, 4), torch.randn(12, 1)
local mse = nn.MSECriterion()
local function build()
   return nn.Sequential():add(nn.Linear(4, 3)):add(nn.Tanh()):add(nn.Linear(3, 1))
end
local opt = {rate = 0.1}
local first, second, third = os.tmpname(), os.tmpname(), os.tmpname()

-- a trainer that is given a state, or not
local trainer = torch.class('Trainer')
function trainer:__init(model, opt, state)
   self.model = model
   self.state = state or {learningRate = opt.rate, momentum = 0.9, learningRateDecay = 0.1}
   self.weights, self.gradients = model:getParameters()
end
function trainer:step()
   local function feval() return self.loss, self.gradients end
   local output = self.model:forward(x)
   self.loss = mse:forward(output, y)
   self.model:zeroGradParameters()
   self.model:backward(x, mse:backward(output, y))
   optim.sgd(feval, self.weights, self.state)
   return self.loss
end
local before = Trainer(build(), opt)
for i = 1, 3 do print(i, before:step()) end
torch.save(first, before.state)
torch.save(second, before.model)
local after = Trainer(torch.load(second), opt, torch.load(first))
for i = 4, 6 do print(i, after:step()) end

-- everything in one table, with a state or without one
local function resume(path)
   local checkpoint = path and torch.load(path)
   local model = checkpoint and checkpoint.model or build()
   local weights, gradients = model:getParameters()
   local state = checkpoint and checkpoint.state or {learningRate = 0.05}
   local from = checkpoint and checkpoint.epoch or 0
   for epoch = from + 1, from + 2 do
      local _, loss = optim.adam(function()
         gradients:zero()
         local output = model:forward(x)
         local loss = mse:forward(output, y)
         model:backward(x, mse:backward(output, y))
         return loss, gradients
      end, weights, state)
      print(epoch, loss[1])
      torch.save(third, {model = model, state = state, epoch = epoch, opt = opt})
   end
end
resume()
resume(third)

os.remove(first)
os.remove(second)
os.remove(third)
