-- A penalty on activations, a reversed gradient, a layer that counts and prints.
require 'nn'
torch.manualSeed(4)
do
  local L1, parent = torch.class('nn.L1Pen', 'nn.Module')
  function L1:__init(l1weight)
    parent.__init(self)
    self.l1weight = l1weight
  end
  function L1:updateOutput(input)
    local m = self.l1weight
    local loss = m * input:norm(1)
    self.loss = loss
    self.output = input
    return self.output
  end
  function L1:updateGradInput(input, gradOutput)
    local m = self.l1weight
    self.gradInput:resizeAs(input):copy(input):sign():mul(m)
    self.gradInput:add(gradOutput)
    return self.gradInput
  end
  local GR, gparent = torch.class('nn.GradReverse', 'nn.Module')
  function GR:__init(lambda)
    gparent.__init(self)
    self.lambda = lambda or 1
  end
  function GR:setLambda(lambda) self.lambda = lambda end
  function GR:updateOutput(input)
    self.output = input
    return self.output
  end
  function GR:updateGradInput(input, gradOutput)
    self.gradInput:resizeAs(gradOutput):copy(gradOutput):mul(-self.lambda)
    return self.gradInput
  end
  local P, pparent = torch.class('nn.Watch', 'nn.Module')
  function P:__init(name)
    pparent.__init(self)
    self.name = name
    self.count = 0
  end
  function P:updateOutput(input)
    self.count = self.count + 1
    print(self.name .. ' ' .. self.count .. ' in ' .. input:size(1) .. 'x' .. input:size(2))
    self.output = input
    return self.output
  end
  function P:updateGradInput(input, gradOutput)
    self.gradInput = gradOutput
    return self.gradInput
  end
end
local l1 = nn.L1Pen(0.01)
local rev = nn.GradReverse(0.3)
local net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Watch('h')):add(l1):add(nn.Tanh()):add(rev):add(nn.Linear(4, 1))
local mse = nn.MSECriterion()
local x, y = torch.randn(7, 3), torch.randn(7, 1)
for i = 1, 6 do
  rev:setLambda(0.1 * i)
  local out = net:forward(x)
  local loss = mse:forward(out, y) + l1.loss
  net:zeroGradParameters()
  net:backward(x, mse:backward(out, y))
  net:updateParameters(0.1)
  print(i, loss)
end
