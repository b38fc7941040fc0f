-- Layers that hand their input on and add a pull of their own to the gradient: towards features, and towards smoothness.
require 'nn'
require 'optim'
torch.manualSeed(3)

local Pull, pull_parent = torch.class('nn.Pull', 'nn.Module')
function Pull:__init(factor, wanted)
   pull_parent.__init(self)
   self.factor, self.wanted = factor, wanted
   self.distance = nn.MSECriterion()
   self.height = 0
end
function Pull:updateOutput(features)
   self.height = self.factor * self.distance:forward(features, self.wanted)
   self.output = features
   return self.output
end
function Pull:updateGradInput(features, above)
   local own = self.distance:backward(features, self.wanted)
   self.gradInput = own:mul(self.factor):add(above)
   return self.gradInput
end

local Smooth, smooth_parent = torch.class('nn.Smooth', 'nn.Module')
function Smooth:__init(factor)
   smooth_parent.__init(self)
   self.factor = factor
   self.across = torch.Tensor()
end
function Smooth:updateOutput(picture)
   self.output = picture
   return self.output
end
-- half of the squares of the differences between neighbours in a row
function Smooth:updateGradInput(picture, above)
   local width = picture:size(3)
   self.gradInput:resizeAs(picture):copy(above)
   self.across:resize(picture:size(1), picture:size(2), width - 1)
   self.across:copy(picture[{{}, {}, {2, width}}]):add(-1, picture[{{}, {}, {1, width - 1}}])
   self.gradInput[{{}, {}, {2, -1}}]:add(self.factor, self.across)
   self.gradInput[{{}, {}, {1, -2}}]:add(-self.factor, self.across)
   return self.gradInput
end

local picture, example = torch.rand(3, 8, 8), torch.rand(3, 8, 8)
local filters = nn.SpatialConvolution(3, 4, 3, 3, 1, 1, 1, 1)
local pull = nn.Pull(5, filters:forward(example):clone())
local chain = nn.Sequential():add(nn.Smooth(0.02)):add(filters):add(pull)
local nothing = chain:forward(picture):clone():zero()
local settings = {learningRate = 0.02}
for turn = 1, 10 do
   local _, heights = optim.adam(function(at)
      chain:forward(at)
      local slope = chain:updateGradInput(at, nothing)
      return pull.height, slope:view(-1)
   end, picture, settings)
   print(turn, string.format('%.6f', heights[1]))
end
