-- A layer of the program's own in a graph.
require 'nngraph'
torch.manualSeed(2)
local Scale, parent = torch.class('nn.ScaleBy', 'nn.Module')
function Scale:__init(k)
  parent.__init(self)
  self.k = k
end
function Scale:updateOutput(input)
  self.output:resizeAs(input):copy(input):mul(self.k)
  return self.output
end
function Scale:updateGradInput(input, gradOutput)
  self.gradInput:resizeAs(gradOutput):copy(gradOutput):mul(self.k)
  return self.gradInput
end
local function attention(n, k)
  local x = nn.Identity()()
  local q = nn.Identity()()
  local a = nn.SoftMax()(nn.ScaleBy(k)(nn.CMulTable(){nn.Linear(n, n)(x), q}))
  local o = nn.ScaleBy(2)(nn.CMulTable(){a, x})
  return nn.gModule({x, q}, {o})
end
local net = attention(4, 0.5)
local crit = nn.MSECriterion()
local x, q, y = torch.randn(6, 4), torch.randn(6, 4), torch.randn(6, 4)
for i = 1, 3 do
  local out = net:forward{x, q}
  local loss = crit:forward(out, y)
  net:zeroGradParameters()
  net:backward({x, q}, crit:backward(out, y))
  net:updateParameters(0.1)
  print(loss)
end
