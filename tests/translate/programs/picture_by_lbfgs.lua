-- a picture that is made to give certain features, by L-BFGS on all its elements, through layers looked at by class
require 'nn'
require 'optim'
torch.manualSeed(3)
local Loss, parent = torch.class('nn.FeatureLoss', 'nn.Module')
function Loss:__init(strength, target)
  parent.__init(self)
  self.strength, self.target, self.loss = strength, target, 0
  self.criterion = nn.MSECriterion()
end
function Loss:updateOutput(input)
  self.loss = self.criterion:forward(input, self.target) * self.strength
  self.output = input
  return self.output
end
function Loss:updateGradInput(input, gradOutput)
  self.gradInput = self.criterion:backward(input, self.target)
  self.gradInput:mul(self.strength)
  self.gradInput:add(gradOutput)
  return self.gradInput
end
local cnn = nn.Sequential()
cnn:add(nn.SpatialConvolution(1, 3, 3, 3, 1, 1, 1, 1)):add(nn.ReLU(true))
cnn:add(nn.SpatialMaxPooling(2, 2, 2, 2)):add(nn.SpatialConvolution(3, 2, 3, 3))
local function build(pooling)
  local net, losses = nn.Sequential(), {}
  for i = 1, #cnn do
    local layer = cnn:get(i)
    local is_pooling = (torch.type(layer) == 'nn.SpatialMaxPooling')
    if is_pooling and pooling == 'average' then
      net:add(nn.SpatialAveragePooling(layer.kW, layer.kH, layer.dW, layer.dH))
    else
      net:add(layer)
    end
    if i == 4 then
      local target = net:forward(torch.ones(1, 8, 8)):clone()
      local loss = nn.FeatureLoss(5, target)
      net:add(loss)
      table.insert(losses, loss)
    end
  end
  for i = 1, #net.modules do
    local module = net.modules[i]
    if torch.type(module) == 'nn.SpatialConvolution' then
      module.gradWeight = nil
      module.gradBias = nil
    end
  end
  return net, losses
end
for _, pooling in ipairs{'max', 'average'} do
  local net, losses = build(pooling)
  local picture = torch.randn(1, 8, 8)
  local zeros = net:forward(picture):clone():zero()
  local function feval(x)
    net:forward(x)
    local gradient = net:updateGradInput(x, zeros)
    local loss = 0
    for _, mod in ipairs(losses) do loss = loss + mod.loss end
    return loss, gradient:view(gradient:nElement())
  end
  local _, values = optim.lbfgs(feval, picture, {maxIter = 5, tolX = -1, tolFun = -1})
  print(#values, values[1], values[#values])
end
