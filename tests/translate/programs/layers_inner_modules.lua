-- Modules in fields, run and trained through them.
require 'nn'
torch.manualSeed(4)
local Highway, parent = torch.class('nn.Highway', 'nn.Module')
function Highway:__init(n)
  parent.__init(self)
  self.n = n
  self.gate = nn.Sequential():add(nn.Linear(n, n)):add(nn.Sigmoid())
  self.transform = nn.Sequential():add(nn.Linear(n, n)):add(nn.Tanh())
  self.net = nn.Sequential()
    :add(nn.ConcatTable():add(self.gate):add(self.transform))
    :add(nn.CMulTable())
end
function Highway:updateOutput(input)
  self.output = self.net:forward(input)
  return self.output
end
function Highway:updateGradInput(input, gradOutput)
  self.gradInput = self.net:updateGradInput(input, gradOutput)
  return self.gradInput
end
function Highway:accGradParameters(input, gradOutput, scale)
  self.net:accGradParameters(input, gradOutput, scale)
end
function Highway:parameters() return self.net:parameters() end
function Highway:training() self.net:training() parent.training(self) end
function Highway:evaluate() self.net:evaluate() parent.evaluate(self) end
function Highway:__tostring__() return torch.type(self) .. '(' .. self.n .. ')' end
local net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Highway(4)):add(nn.Linear(4, 1))
local mse = nn.MSECriterion()
local x, y = torch.randn(7, 3), torch.randn(7, 1)
for i = 1, 6 do
  net:training()
  local out = net:forward(x)
  local loss = mse:forward(out, y)
  net:zeroGradParameters()
  net:backward(x, mse:backward(out, y))
  net:updateParameters(0.1)
  net:evaluate()
  print(i, loss, net:forward(x):norm())
end
