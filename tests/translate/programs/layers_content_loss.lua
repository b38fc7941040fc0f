-- Losses in an image's network: content and total variation.
require 'nn'
require 'optim'
torch.manualSeed(3)
local ContentLoss, parent = torch.class('nn.ContentLoss', 'nn.Module')
function ContentLoss:__init(strength, target)
  parent.__init(self)
  self.strength = strength
  self.target = target
  self.loss = 0
  self.crit = nn.MSECriterion()
end
function ContentLoss:updateOutput(input)
  self.loss = self.crit:forward(input, self.target) * self.strength
  self.output = input
  return self.output
end
function ContentLoss:updateGradInput(input, gradOutput)
  self.gradInput = self.crit:backward(input, self.target)
  self.gradInput:mul(self.strength)
  self.gradInput:add(gradOutput)
  return self.gradInput
end
local TVLoss, tvparent = torch.class('nn.TVLoss', 'nn.Module')
function TVLoss:__init(strength)
  tvparent.__init(self)
  self.strength = strength
  self.x_diff = torch.Tensor()
  self.y_diff = torch.Tensor()
end
function TVLoss:updateOutput(input)
  self.output = input
  return self.output
end
function TVLoss:updateGradInput(input, gradOutput)
  self.gradInput:resizeAs(input):zero()
  local C, H, W = input:size(1), input:size(2), input:size(3)
  self.x_diff:resize(C, H - 1, W - 1)
  self.y_diff:resize(C, H - 1, W - 1)
  self.x_diff:copy(input[{{}, {1, -2}, {1, -2}}])
  self.x_diff:add(-1, input[{{}, {1, -2}, {2, -1}}])
  self.y_diff:copy(input[{{}, {1, -2}, {1, -2}}])
  self.y_diff:add(-1, input[{{}, {2, -1}, {1, -2}}])
  self.gradInput[{{}, {1, -2}, {1, -2}}]:add(self.x_diff):add(self.y_diff)
  self.gradInput[{{}, {1, -2}, {2, -1}}]:add(-1, self.x_diff)
  self.gradInput[{{}, {2, -1}, {1, -2}}]:add(-1, self.y_diff)
  self.gradInput:mul(self.strength)
  self.gradInput:add(gradOutput)
  return self.gradInput
end
local img = torch.rand(3, 8, 8)
local content = torch.rand(3, 8, 8)
local net = nn.Sequential()
net:add(nn.TVLoss(0.01))
local conv = nn.SpatialConvolution(3, 4, 3, 3, 1, 1, 1, 1)
local target = conv:forward(content):clone()
net:add(conv)
local loss_module = nn.ContentLoss(5, target)
net:add(loss_module)
local y = net:forward(img)
local dy = img.new(#y):zero()
local config = {learningRate = 0.02}
local function feval(x)
  net:forward(x)
  local grad = net:updateGradInput(x, dy)
  local loss = loss_module.loss
  return loss, grad:view(grad:nElement())
end
for t = 1, 10 do
  local x, losses = optim.adam(feval, img, config)
  print(string.format('Iteration %d loss %.6f', t, losses[1]))
end
