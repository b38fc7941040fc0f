-- A kind of nn.Container, whose halves ask the module in it.
require 'nn'
torch.manualSeed(3)
local Res, parent = torch.class('nn.Residual', 'nn.Container')
function Res:__init(inner)
  parent.__init(self)
  self.modules[1] = inner
end
function Res:updateOutput(input)
  self.output:resizeAs(input):copy(input)
  self.output:add(self.modules[1]:forward(input))
  return self.output
end
function Res:updateGradInput(input, gradOutput)
  self.gradInput:resizeAs(input):copy(gradOutput)
  self.gradInput:add(self.modules[1]:updateGradInput(input, gradOutput))
  return self.gradInput
end
function Res:accGradParameters(input, gradOutput, scale)
  self.modules[1]:accGradParameters(input, gradOutput, scale)
end
local net = nn.Sequential():add(nn.Residual(nn.Sequential():add(nn.Linear(4, 4)):add(nn.Tanh()))):add(nn.Linear(4, 2))
local mse = nn.MSECriterion()
local x, y = torch.randn(6, 4), torch.randn(6, 2)
for i = 1, 5 do
  local out = net:forward(x)
  local loss = mse:forward(out, y)
  net:zeroGradParameters()
  net:backward(x, mse:backward(out, y))
  net:updateParameters(0.3)
  print(i, loss)
end
