-- Layers of the program's own as branches of containers, and copies of them.
require 'nn'
torch.manualSeed(3)
local Sq, parent = torch.class('nn.Sq', 'nn.Module')
function Sq:updateOutput(input)
  self.output:resizeAs(input):cmul(input, input)
  return self.output
end
function Sq:updateGradInput(input, gradOutput)
  self.gradInput:resizeAs(input):cmul(input, gradOutput):mul(2)
  return self.gradInput
end
local net = nn.Sequential()
  :add(nn.ConcatTable():add(nn.Sq()):add(nn.Identity()):add(nn.Sequential():add(nn.Linear(3, 3)):add(nn.Sq())))
  :add(nn.CAddTable()):add(nn.Linear(3, 1))
local par = nn.ParallelTable():add(nn.Sq()):add(nn.Linear(3, 1))
local mse = nn.MSECriterion()
local x, y = torch.randn(6, 3), torch.randn(6, 1)
for i = 1, 5 do
  local out = net:forward(x)
  local loss = mse:forward(out, y)
  net:zeroGradParameters()
  net:backward(x, mse:backward(out, y))
  net:updateParameters(0.05)
  print(i, loss)
end
local o = par:forward{x, x}
print(o[1]:sum(), o[2]:sum())
local c = net:clone()
c:get(3).bias:fill(5)
print(c:forward(x):sum(), net:forward(x):sum())
print(nn.Sq():float():forward(torch.FloatTensor{2}):sum())
