-- Rows of length one, with buffers and the gradient by hand.
require 'nn'
torch.manualSeed(3)
local Norm, parent = torch.class('nn.RowNorm', 'nn.Module')
function Norm:__init()
  parent.__init(self)
end
function Norm:updateOutput(input)
  assert(input:dim() == 2, 'only mini-batch supported')
  local n = input:size(2)
  self.normSquared = self.normSquared or input.new()
  self.buffer = self.buffer or input.new()
  self.norm = self.norm or input.new()
  self.output:resizeAs(input)
  self.buffer:cmul(input, input)
  self.normSquared:sum(self.buffer, 2)
  self.norm:sqrt(self.normSquared)
  self.output:cdiv(input, self.norm:expandAs(input))
  return self.output
end
function Norm:updateGradInput(input, gradOutput)
  local n = input:size(1)
  local d = input:size(2)
  self.gradInput:resizeAs(input)
  self.buffer:cmul(self.output, gradOutput)
  self.cross = self.cross or input.new()
  self.cross:sum(self.buffer, 2)
  self.gradInput:cmul(self.output, self.cross:expandAs(self.output)):mul(-1)
  self.gradInput:add(gradOutput)
  self.gradInput:cdiv(self.norm:expandAs(input))
  return self.gradInput
end
local net = nn.Sequential():add(nn.Linear(4, 5)):add(nn.RowNorm()):add(nn.Linear(5, 2))
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
