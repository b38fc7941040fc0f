-- Layers that draw in training, and are set by the program.
require 'nn'
torch.manualSeed(3)
local Noise, parent = torch.class('nn.AddNoise', 'nn.Module')
function Noise:__init(std)
  parent.__init(self)
  self.std = std
  self.noise = torch.Tensor()
  self.train = true
end
function Noise:updateOutput(input)
  self.output:resizeAs(input):copy(input)
  if self.train then
    self.noise:resizeAs(input):normal(0, self.std)
    self.output:add(self.noise)
  end
  return self.output
end
function Noise:updateGradInput(input, gradOutput)
  self.gradInput:resizeAs(gradOutput):copy(gradOutput)
  return self.gradInput
end
function Noise:setp(s) self.std = s end
function Noise:clearState()
  if self.noise then self.noise:set() end
  return parent.clearState(self)
end
local Drop, dparent = torch.class('nn.MyDropout', 'nn.Module')
function Drop:__init(p)
  dparent.__init(self)
  self.p = p or 0.5
  if self.p >= 1 or self.p < 0 then error('illegal percentage, must be 0 <= p < 1') end
  self.noise = torch.Tensor()
end
function Drop:updateOutput(input)
  self.output:resizeAs(input):copy(input)
  if self.train then
    self.noise:resizeAs(input)
    self.noise:bernoulli(1 - self.p)
    self.noise:div(1 - self.p)
    self.output:cmul(self.noise)
  end
  return self.output
end
function Drop:updateGradInput(input, gradOutput)
  self.gradInput:resizeAs(gradOutput):copy(gradOutput)
  if self.train then
    self.gradInput:cmul(self.noise)
  end
  return self.gradInput
end
do -- before training() a layer does not train
  local drop, ones = nn.MyDropout(0.3), torch.ones(3)
  print(drop:forward(ones):sum())
  drop:evaluate()
  print(drop:forward(ones):sum(), drop.train and 1 or 2)
end
local noise = nn.AddNoise(0.1)
local net = nn.Sequential():add(nn.Linear(4, 5)):add(noise):add(nn.Tanh()):add(nn.MyDropout(0.3)):add(nn.Linear(5, 2))
local mse = nn.MSECriterion()
local x, y = torch.randn(6, 4), torch.randn(6, 2)
for i = 1, 5 do
  net:training()
  noise:setp(0.1 / i)
  local out = net:forward(x)
  local loss = mse:forward(out, y)
  net:zeroGradParameters()
  net:backward(x, mse:backward(out, y))
  net:updateParameters(0.3)
  net:evaluate()
  print(i, loss, net:forward(x):norm())
end
