require 'nn'
require 'optim'
torch.manualSeed(7)
local Net = torch.class('Learner')
function Net:__init(rate)
  self.net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 2))
  self.crit = nn.MSECriterion()
  self.params, self.grads = self.net:getParameters()
  self.params:uniform(-0.1, 0.1)
  self.config = {learningRate = rate, momentum = 0.9, learningRateDecay = 0.01}
  self.best = self.params:clone()
end
function Net:step(x, y)
  local feval = function(p)
    if p ~= self.params then self.params:copy(p) end
    self.grads:zero()
    local out = self.net:forward(x)
    local l = self.crit:forward(out, y)
    self.net:backward(x, self.crit:backward(out, y))
    if self.grads:norm() > 1 then self.grads:mul(1 / self.grads:norm()) end
    return l, self.grads
  end
  local _, fs = optim.sgd(feval, self.params, self.config)
  return fs[1]
end
function Net:decay() self.config.learningRate = self.config.learningRate * 0.5 end
function Net:keep() self.best:copy(self.params) end
function Net:restore() self.params:copy(self.best) end
local a, b = Learner(0.1), Learner(0.2)
local x, y = torch.randn(8, 3), torch.randn(8, 2)
for i = 1, 4 do
  print(a:step(x, y), b:step(x, y))
  if i == 2 then a:decay() a:keep() end
end
a:restore()
print(a.params:norm(), b.params:norm(), a.config.learningRate)
