-- Two outputs, with gradients by hand.
require 'nn'
torch.manualSeed(4)
local Split, parent = torch.class('nn.HalfSplit', 'nn.Module')
function Split:__init()
  parent.__init(self)
  self.output = {}
end
function Split:updateOutput(input)
  local n = input:size(2) / 2
  self.n = n
  self.output[1] = input:narrow(2, 1, n)
  self.output[2] = input:narrow(2, n + 1, n)
  return self.output
end
function Split:updateGradInput(input, gradOutput)
  self.gradInput:resizeAs(input)
  self.gradInput:narrow(2, 1, self.n):copy(gradOutput[1])
  self.gradInput:narrow(2, self.n + 1, self.n):copy(gradOutput[2])
  return self.gradInput
end
local net = nn.Sequential():add(nn.Linear(3, 8)):add(nn.HalfSplit())
net:add(nn.ParallelTable():add(nn.Tanh()):add(nn.Sigmoid())):add(nn.CMulTable()):add(nn.Linear(4, 1))
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
