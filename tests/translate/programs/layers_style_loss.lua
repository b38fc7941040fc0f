-- Products of features with each other, compared with those of another picture: a layer in a layer, and two modes.
require 'nn'
torch.manualSeed(3)

local Products, products_parent = torch.class('nn.Products', 'nn.Module')
function Products:__init() products_parent.__init(self) end
function Products:updateOutput(features)
   assert(features:dim() == 3, 'planes of features expected')
   local rows = features:view(features:size(1), -1)
   self.output:resize(rows:size(1), rows:size(1)):mm(rows, rows:t())
   return self.output
end
function Products:updateGradInput(features, above)
   local rows = features:view(features:size(1), -1)
   local slope = torch.mm(above + above:t(), rows)
   self.gradInput = slope:viewAs(features)
   return self.gradInput
end

local Manner, manner_parent = torch.class('nn.Manner', 'nn.Module')
function Manner:__init(factor, unit)
   manner_parent.__init(self)
   self.factor, self.unit = factor, unit or false
   self.inner, self.distance = nn.Products(), nn.MSECriterion()
   self.wanted = torch.Tensor()
   self.mode, self.height, self.found = 'idle', 0, nil
end
function Manner:updateOutput(features)
   local share = 1 / features:nElement()
   self.found = self.inner:forward(features)
   self.found:mul(share)
   if self.mode == 'learn' then
      self.wanted:resizeAs(self.found):copy(self.found)
   elseif self.mode == 'compare' then
      self.height = self.distance:forward(self.found, self.wanted) * self.factor
   end
   self.output = features
   return self.output
end
function Manner:updateGradInput(features, above)
   if self.mode == 'compare' then
      local slope = self.distance:backward(self.found, self.wanted)
      slope:mul(1 / features:nElement())
      self.gradInput = self.inner:backward(features, slope)
      if self.unit then self.gradInput:div(self.gradInput:norm(1) + 1e-8) end
      self.gradInput:mul(self.factor):add(above)
   else
      self.gradInput = above
   end
   return self.gradInput
end

local manner = nn.Manner(100)
local chain = nn.Sequential():add(nn.SpatialConvolution(3, 4, 3, 3)):add(nn.ReLU()):add(manner)
local example, picture = torch.rand(3, 6, 6), torch.rand(3, 6, 6)
manner.mode = 'learn'
chain:forward(example)
manner.mode = 'compare'
local nothing = torch.zeros(4, 4, 4)
for turn = 1, 5 do
   chain:forward(picture)
   local slope = chain:updateGradInput(picture, nothing)
   picture:add(-0.1, slope)
   print(turn, manner.height, slope:norm())
end
