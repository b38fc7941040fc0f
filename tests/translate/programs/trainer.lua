-- A class that holds a model, its flat parameters and its settings.
require 'nn'
require 'optim'
torch.manualSeed(6)
torch.class('Trainer')
function Trainer:__init(opt)
  self.nin = opt.nin
  self.nclasses = opt.nclasses
  self.batchSize = opt.batchSize or 8
  self.model = nn.Sequential():add(nn.Linear(self.nin, 7)):add(nn.Tanh()):add(nn.Linear(7, self.nclasses)):add(nn.LogSoftMax())
  self.criterion = nn.ClassNLLCriterion()
  self.params, self.grads = self.model:getParameters()
  self.optimState = {learningRate = opt.lr, momentum = 0.9}
end
function Trainer:train(x, y)
  local total = 0
  self.model:training()
  for i = 1, x:size(1), self.batchSize do
    local n = math.min(self.batchSize, x:size(1) - i + 1)
    local bx, by = x:narrow(1, i, n), y:narrow(1, i, n)
    local feval = function(p)
      self.grads:zero()
      local out = self.model:forward(bx)
      local loss = self.criterion:forward(out, by)
      self.model:backward(bx, self.criterion:backward(out, by))
      return loss, self.grads
    end
    local _, fs = optim.sgd(feval, self.params, self.optimState)
    total = total + fs[1] * n
  end
  return total / x:size(1)
end
function Trainer:test(x, y)
  self.model:evaluate()
  local out = self.model:forward(x)
  local _, best = out:max(2)
  return best:view(-1):typeAs(y):eq(y):sum() / y:size(1)
end
local t = Trainer{nin = 5, nclasses = 3, lr = 0.1}
local x = torch.randn(30, 5)
local y = torch.Tensor(30):random(1, 3)
for epoch = 1, 4 do print(epoch, t:train(x, y), t:test(x, y)) end
