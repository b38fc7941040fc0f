require 'nn'
require 'optim'
torch.manualSeed(7)
local T = torch.class('Trainer')
function T:__init(model, criterion, opt)
  self.model = model
  self.criterion = criterion
  self.optimState = {
    learningRate = opt.LR,
    learningRateDecay = 0.0,
    momentum = opt.momentum,
    nesterov = true,
    dampening = 0.0,
    weightDecay = opt.weightDecay,
  }
  self.opt = opt
  self.params, self.gradParams = model:getParameters()
end
function T:train(epoch, inputs, targets)
  self.optimState.learningRate = self:learningRate(epoch)
  local function feval()
    return self.criterion.output, self.gradParams
  end
  local lossSum, N = 0, 0
  self.model:training()
  for i = 1, inputs:size(1), 8 do
    local input, target = inputs:narrow(1, i, 8), targets:narrow(1, i, 8)
    local output = self.model:forward(input):float()
    local loss = self.criterion:forward(self.model.output, target)
    self.model:zeroGradParameters()
    self.criterion:backward(self.model.output, target)
    self.model:backward(input, self.criterion.gradInput)
    optim.sgd(feval, self.params, self.optimState)
    lossSum = lossSum + loss
    N = N + 1
    print((' | Epoch: [%d][%d]  Err %1.4f'):format(epoch, i, loss))
  end
  return lossSum / N
end
function T:learningRate(epoch)
  local decay = 0
  decay = epoch >= 3 and 2 or epoch >= 2 and 1 or 0
  return self.opt.LR * math.pow(0.1, decay)
end
local model = nn.Sequential():add(nn.Linear(4, 6)):add(nn.ReLU()):add(nn.Linear(6, 3))
local criterion = nn.CrossEntropyCriterion()
local inputs = torch.randn(24, 4)
local targets = torch.Tensor(24)
for i = 1, 24 do targets[i] = (i % 3) + 1 end
local trainer = Trainer(model, criterion, {LR = 0.1, momentum = 0.9, weightDecay = 1e-4})
for epoch = 1, 4 do
  local loss = trainer:train(epoch, inputs, targets)
  print(string.format('epoch %d loss %.10f', epoch, loss))
end
