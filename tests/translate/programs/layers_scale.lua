-- A weight for each feature, for one example and for several.
require 'nn'
torch.manualSeed(3)
local PS, parent = torch.class('nn.PerFeatureScale', 'nn.Module')
function PS:__init(n, stdv)
  parent.__init(self)
  self.weight = torch.Tensor(n)
  self.gradWeight = torch.Tensor(n)
  return self:reset(stdv)
end
function PS:reset(stdv)
  if stdv then
    stdv = stdv * math.sqrt(3)
  else
    stdv = 1. / math.sqrt(self.weight:size(1))
  end
  self.weight:uniform(-stdv, stdv)
  return self
end
function PS:updateOutput(input)
  self.output:resizeAs(input):copy(input)
  if input:dim() == 1 then
    self.output:cmul(self.weight)
  else
    self.output:cmul(self.weight:view(1, -1):expandAs(input))
  end
  return self.output
end
function PS:updateGradInput(input, gradOutput)
  if self.gradInput then
    self.gradInput:resizeAs(gradOutput):copy(gradOutput)
    if input:dim() == 1 then
      self.gradInput:cmul(self.weight)
    else
      self.gradInput:cmul(self.weight:view(1, -1):expandAs(input))
    end
    return self.gradInput
  end
end
function PS:accGradParameters(input, gradOutput, scale)
  scale = scale or 1
  if input:dim() == 1 then
    self.gradWeight:addcmul(scale, input, gradOutput)
  else
    self.gradWeight:add(scale, torch.cmul(input, gradOutput):sum(1):view(-1))
  end
end
PS.sharedAccUpdateGradParameters = PS.accUpdateGradParameters
local net = nn.Sequential():add(nn.Linear(4, 3)):add(nn.PerFeatureScale(3, 0.5)):add(nn.Linear(3, 1))
local mse = nn.MSECriterion()
local x, y = torch.randn(6, 4), torch.randn(6, 1)
for i = 1, 5 do
  local out = net:forward(x)
  local loss = mse:forward(out, y)
  net:zeroGradParameters()
  net:backward(x, mse:backward(out, y))
  net:updateParameters(0.3)
  print(i, loss)
end
