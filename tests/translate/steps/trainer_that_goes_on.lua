-- A class whose optimizer goes on from what an earlier run has saved, if there is any.
require 'nn'
require 'optim'
torch.manualSeed(6)

local function latest(path)
   if not paths.filep(path) then return nil end
   local all = torch.load(path)
   return all.epoch, all.state
end

local M = {}
local Trainer = torch.class('fit.Trainer', M)

function Trainer:__init(net, criterion, rate, state)
   self.net = net
   self.criterion = criterion
   self.rate = rate
   self.state = state or {
      learningRate = rate,
      momentum = 0.8,
      dampening = 0.0,
      weightDecay = 0.01,
   }
   self.params, self.grads = net:getParameters()
end

function Trainer:train(epoch, x, y)
   self.state.learningRate = self.rate * math.pow(0.5, epoch)
   local function feval()
      return self.criterion.output, self.grads
   end
   self.net:forward(x)
   local loss = self.criterion:forward(self.net.output, y)
   self.net:zeroGradParameters()
   self.criterion:backward(self.net.output, y)
   self.net:backward(x, self.criterion.gradInput)
   optim.sgd(feval, self.params, self.state)
   return loss
end

local net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 2))
local _, before = latest('no such file')
local trainer = M.Trainer(net, nn.MSECriterion(), 0.2, before)
local x, y = torch.randn(5, 3), torch.randn(5, 2)
for epoch = 1, 3 do print(epoch, trainer:train(epoch, x, y)) end

local path = os.tmpname()
torch.save(path, {epoch = 3, state = trainer.state})
local epoch, state = latest(path)
local again = M.Trainer(net, nn.MSECriterion(), 0.2, state)
for i = epoch + 1, epoch + 2 do print(i, again:train(i, x, y)) end
