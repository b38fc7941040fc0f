-- Layers that derive from nn.Linear and nn.Sequential.
require 'nn'
torch.manualSeed(4)
local NL, parent = torch.class('nn.NormLinear', 'nn.Linear')
function NL:__init(nin, nout, std)
  self.std = std
  parent.__init(self, nin, nout)
end
function NL:reset(stdv)
  if self.std then
    self.weight:normal(0, self.std)
    self.bias:fill(0.1)
  else
    parent.reset(self)
  end
end
function NL:updateOutput(input)
  parent.updateOutput(self, input)
  self.output:mul(0.5)
  return self.output
end
function NL:__tostring__() return 'NormLinear' end
local MLP, mparent = torch.class('nn.MLP', 'nn.Sequential')
function MLP:__init(sizes)
  mparent.__init(self)
  for i = 1, #sizes - 1 do
    self:add(nn.Linear(sizes[i], sizes[i + 1]))
    if i < #sizes - 1 then self:add(nn.Tanh()) end
  end
end
local net = nn.MLP{3, 5, 4, 1}
local a = nn.NormLinear(3, 3, 0.2)
local b = nn.NormLinear(3, 3)
print(a.bias:sum(), a.weight:size(1))
local mse = nn.MSECriterion()
local x, y = torch.randn(7, 3), torch.randn(7, 1)
for i = 1, 6 do
  local out = net:forward(x)
  local loss = mse:forward(out, y)
  net:zeroGradParameters()
  net:backward(x, mse:backward(out, y))
  net:updateParameters(0.1)
  print(i, loss)
end
print(a:forward(x):norm(), b:forward(x):norm())
