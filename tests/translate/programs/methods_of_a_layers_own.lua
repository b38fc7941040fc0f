-- Methods and fields of a layer of the program's own, which is got from the chain that it is in.
require 'nn'
local R, parent = torch.class('nn.Rev', 'nn.Module')
function R:__init(l)
  parent.__init(self)
  self.lambda = l or 1
end
function R:setLambda(l) self.lambda = l end
function R:updateOutput(input)
  self.output:set(input)
  return self.output
end
function R:updateGradInput(input, gradOutput)
  self.gradInput:resizeAs(gradOutput):copy(gradOutput):mul(-self.lambda)
  return self.gradInput
end
torch.manualSeed(1)
local net = nn.Sequential():add(nn.Linear(2, 2)):add(nn.Rev(0.1)):add(nn.Linear(2, 1))
local x = torch.ones(3, 2)
local function step()
  net:zeroGradParameters()
  local o = net:forward(x)
  net:backward(x, o)
  print(net:get(1).gradWeight:norm())
end
step()
net:get(2):setLambda(0.5)
step()
net:get(2).lambda = 2
step()
