-- A layer that uses, and learns, the weights of another one; a criterion whose gradient is filled one by one.
require 'nn'
require 'nngraph'
torch.manualSeed(55)
local Tied, tied_parent = torch.class('nn.Tied', 'nn.Module')
function Tied:__init(other)
   tied_parent.__init(self)
   self.other = other -- used backwards
   self.bias, self.gradBias = torch.zeros(other.weight:size(2)), torch.zeros(other.weight:size(2))
end
function Tied:parameters() return {self.bias}, {self.gradBias} end
function Tied:updateOutput(x)
   self.output:resize(x:size(1), self.bias:size(1)):mm(x, self.other.weight)
   self.output:add(self.bias:view(1, -1):expandAs(self.output))
   return self.output
end
function Tied:updateGradInput(x, above)
   self.gradInput:resizeAs(x)
   self.gradInput:mm(above, self.other.weight:t())
   return self.gradInput
end
function Tied:accGradParameters(x, above, scale)
   scale = scale or 1
   self.gradBias:add(scale, above:sum(1):squeeze())
   self.other.gradWeight:addmm(scale, x:t(), above)
end
local there = nn.Linear(6, 3)
local both = nn.Sequential():add(there):add(nn.Sigmoid()):add(nn.Tied(there))
local cost, x = nn.MSECriterion(), torch.rand(7, 6)
for i = 1, 4 do
   both:zeroGradParameters()
   local missed = cost:forward(both:forward(x), x)
   both:backward(x, cost:backward(both.output, x))
   both:updateParameters(0.3)
   print(i, missed)
end

local Apart, apart_parent = torch.class('nn.Apart', 'nn.Criterion')
function Apart:__init(least)
   apart_parent.__init(self)
   self.least = least
end
function Apart:updateOutput(far, same)
   self.short = torch.cmax(self.least - far, 0)
   local kept = torch.cmul(same, torch.pow(far, 2)) + torch.cmul(1 - same, torch.pow(self.short, 2))
   self.output = kept:mean() / 2
   return self.output
end
function Apart:updateGradInput(far, same)
   local n = far:size(1)
   self.gradInput:resizeAs(far)
   for i = 1, n do
      if same[i] == 1 then
         self.gradInput[i] = far[i] / n
      else
         self.gradInput[i] = -self.short[i] / n
      end
   end
   return self.gradInput
end
local left = nn.Sequential():add(nn.Linear(6, 4)):add(nn.Tanh())
local right = left:clone('weight', 'bias', 'gradWeight', 'gradBias')
local first, second = nn.Identity()(), nn.Identity()()
local pair = nn.gModule({first, second}, {nn.PairwiseDistance(2)({left(first), right(second)})})
local apart, same = nn.Apart(1.5), torch.Tensor{1, 0, 1, 0, 1, 0, 1}
local z = x + torch.randn(7, 6) * 0.1
local flat, slopes = pair:getParameters()
for i = 1, 4 do
   slopes:zero()
   local far = pair:forward({x, z})
   local missed = apart:forward(far, same)
   pair:backward({x, z}, apart:backward(far, same))
   flat:add(-0.2, slopes)
   print(i, missed, #both)
end
