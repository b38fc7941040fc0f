-- Two inputs, and weights of its own.
require 'nn'
torch.manualSeed(4)
local Bil, parent = torch.class('nn.MyBilinear', 'nn.Module')
function Bil:__init(n1, n2)
  parent.__init(self)
  self.weight = torch.Tensor(n1, n2)
  self.gradWeight = torch.Tensor(n1, n2)
  self.bias = torch.Tensor(1)
  self.gradBias = torch.Tensor(1)
  self.gradInput = {torch.Tensor(), torch.Tensor()}
  self:reset()
end
function Bil:reset(stdv)
  stdv = stdv or 1 / math.sqrt(self.weight:size(1))
  self.weight:uniform(-stdv, stdv)
  self.bias:uniform(-stdv, stdv)
  return self
end
function Bil:updateOutput(input)
  local a, b = input[1], input[2]
  self.output:resize(a:size(1), 1)
  self.buffer = self.buffer or a.new()
  self.buffer:resize(a:size(1), b:size(2)):mm(a, self.weight)
  self.output:sum(torch.cmul(self.buffer, b), 2)
  self.output:add(self.bias[1])
  return self.output
end
function Bil:updateGradInput(input, gradOutput)
  local a, b = input[1], input[2]
  local g = gradOutput:expand(gradOutput:size(1), b:size(2))
  self.gradInput[1]:resizeAs(a):mm(torch.cmul(b, g), self.weight:t())
  self.gradInput[2]:resizeAs(b):cmul(self.buffer, g)
  return self.gradInput
end
function Bil:accGradParameters(input, gradOutput, scale)
  scale = scale or 1
  local a, b = input[1], input[2]
  local g = gradOutput:expand(gradOutput:size(1), b:size(2))
  self.gradWeight:addmm(scale, a:t(), torch.cmul(b, g))
  self.gradBias:add(scale * gradOutput:sum())
end
local net = nn.Sequential():add(nn.ParallelTable():add(nn.Linear(3, 4)):add(nn.Linear(2, 5))):add(nn.MyBilinear(4, 5)):add(nn.Sigmoid())
local bce = nn.BCECriterion()
local x1, x2, y = torch.randn(7, 3), torch.randn(7, 2), torch.rand(7, 1):gt(0.5):double()
for i = 1, 6 do
  local out = net:forward{x1, x2}
  local loss = bce:forward(out, y)
  net:zeroGradParameters()
  net:backward({x1, x2}, bce:backward(out, y))
  net:updateParameters(0.5)
  print(i, loss)
end
