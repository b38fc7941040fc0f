require 'nn'
require 'optim'
torch.manualSeed(7)
local Sim = torch.class('LSTMSim')
function Sim:__init(config)
  self.learning_rate = config.learning_rate or 0.05
  self.batch_size = config.batch_size or 6
  self.reg = config.reg or 1e-4
  self.optim_state = {learningRate = self.learning_rate}
  self.criterion = nn.MSECriterion()
  self.module = nn.Sequential():add(nn.Linear(4, 5)):add(nn.Sigmoid()):add(nn.Linear(5, 2))
  self.params, self.grad_params = self.module:getParameters()
end
function Sim:train(dataset)
  local indices = torch.randperm(dataset.size)
  for i = 1, dataset.size, self.batch_size do
    local batch_size = math.min(i + self.batch_size - 1, dataset.size) - i + 1
    local feval = function(x)
      self.grad_params:zero()
      local loss = 0
      for j = 1, batch_size do
        local idx = indices[i + j - 1]
        local input, target = dataset.x[idx], dataset.y[idx]
        local output = self.module:forward(input)
        local example_loss = self.criterion:forward(output, target)
        loss = loss + example_loss
        self.module:backward(input, self.criterion:backward(output, target))
      end
      loss = loss / batch_size
      self.grad_params:div(batch_size)
      -- regularization
      loss = loss + 0.5 * self.reg * self.params:norm() ^ 2
      self.grad_params:add(self.reg, self.params)
      return loss, self.grad_params
    end
    local _, fs = optim.adagrad(feval, self.params, self.optim_state)
    print(i, fs[1])
  end
end
local m = LSTMSim{learning_rate = 0.05}
local data = {size = 16, x = torch.randn(16, 4), y = torch.randn(16, 2)}
for epoch = 1, 3 do m:train(data) end
print(m.params:norm())
