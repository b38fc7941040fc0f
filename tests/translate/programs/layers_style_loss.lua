-- A loss of Gram matrices, with a layer in a layer and two modes.
require 'nn'
torch.manualSeed(3)
local Gram, parent = torch.class('nn.GramMatrix', 'nn.Module')
function Gram:__init()
  parent.__init(self)
end
function Gram:updateOutput(input)
  assert(input:dim() == 3)
  local C, H, W = input:size(1), input:size(2), input:size(3)
  local x_flat = input:view(C, H * W)
  self.output:resize(C, C)
  self.output:mm(x_flat, x_flat:t())
  return self.output
end
function Gram:updateGradInput(input, gradOutput)
  assert(input:dim() == 3 and input:size(1))
  local C, H, W = input:size(1), input:size(2), input:size(3)
  local x_flat = input:view(C, H * W)
  self.gradInput:resize(C, H * W):mm(gradOutput, x_flat)
  self.gradInput:addmm(gradOutput:t(), x_flat)
  self.gradInput = self.gradInput:view(C, H, W)
  return self.gradInput
end
local StyleLoss, sparent = torch.class('nn.StyleLoss', 'nn.Module')
function StyleLoss:__init(strength, normalize)
  sparent.__init(self)
  self.normalize = normalize or false
  self.strength = strength
  self.target = torch.Tensor()
  self.mode = 'none'
  self.loss = 0
  self.gram = nn.GramMatrix()
  self.blend_weight = nil
  self.G = nil
  self.crit = nn.MSECriterion()
end
function StyleLoss:updateOutput(input)
  self.G = self.gram:forward(input)
  self.G:div(input:nElement())
  if self.mode == 'capture' then
    self.target:resizeAs(self.G):copy(self.G)
  elseif self.mode == 'loss' then
    self.loss = self.strength * self.crit:forward(self.G, self.target)
  end
  self.output = input
  return self.output
end
function StyleLoss:updateGradInput(input, gradOutput)
  if self.mode == 'loss' then
    local dG = self.crit:backward(self.G, self.target)
    dG:div(input:nElement())
    self.gradInput = self.gram:backward(input, dG)
    if self.normalize then
      self.gradInput:div(torch.norm(self.gradInput, 1) + 1e-8)
    end
    self.gradInput:mul(self.strength)
    self.gradInput:add(gradOutput)
  else
    self.gradInput = gradOutput
  end
  return self.gradInput
end
local net = nn.Sequential()
net:add(nn.SpatialConvolution(3, 4, 3, 3))
net:add(nn.ReLU())
local style = nn.StyleLoss(100)
net:add(style)
local content, img = torch.rand(3, 6, 6), torch.rand(3, 6, 6)
style.mode = 'capture'
net:forward(content)
style.mode = 'loss'
local dy = torch.zeros(4, 4, 4)
for i = 1, 5 do
  net:forward(img)
  local g = net:updateGradInput(img, dy)
  img:add(-0.1, g)
  print(i, style.loss, g:norm())
end
