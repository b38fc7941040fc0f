-- A variational autoencoder in a Sequential: a cost and a draw on tables, the cost read from its layer.
require 'nn'
require 'optim'
torch.manualSeed(1)

local Cost, cost_parent = torch.class('nn.PriorCost', 'nn.Module')
function Cost:__init()
   cost_parent.__init(self)
   self.nats = 0
end
function Cost:updateOutput(pair)
   local middle, spread = table.unpack(pair)   -- the spread as the logarithm of a variance
   local terms = torch.exp(spread):add(-1):add(-1, spread):add(torch.cmul(middle, middle))
   self.nats = terms:sum() / 2
   self.output = pair
   return self.output
end
function Cost:updateGradInput(pair, above)
   assert(#above == 2, 'two gradients expected')
   local middle, spread = table.unpack(pair)
   self.gradInput = {}
   self.gradInput[1] = above[1] + middle
   self.gradInput[2] = above[2] + torch.exp(spread):add(-1):div(2)
   return self.gradInput
end

local Draw, draw_parent = torch.class('nn.Draw', 'nn.Module')
function Draw:__init()
   draw_parent.__init(self)
   self.gradInput = {}
end
function Draw:updateOutput(pair)
   self.noise = self.noise or pair[1].new()
   self.noise:resizeAs(pair[1])
   self.noise:copy(torch.randn(pair[1]:size()))
   self.output:resizeAs(pair[1])
   self.output:copy(pair[2]):div(2):exp():cmul(self.noise):add(pair[1])
   return self.output
end
function Draw:updateGradInput(pair, above)
   for i = 1, 2 do
      self.gradInput[i] = self.gradInput[i] or above.new()
      self.gradInput[i]:resizeAs(above)
   end
   self.gradInput[1]:copy(above)
   self.gradInput[2]:copy(pair[2]):div(2):exp():div(2):cmul(self.noise):cmul(above)
   return self.gradInput
end

local seen, hidden, codes = 8, 6, 2
local both = nn.ConcatTable():add(nn.Linear(hidden, codes)):add(nn.Linear(hidden, codes))
local reader = nn.Sequential():add(nn.Linear(seen, hidden)):add(nn.ReLU(true)):add(both)
local writer = nn.Sequential():add(nn.Linear(codes, hidden)):add(nn.ReLU(true))
writer:add(nn.Linear(hidden, seen)):add(nn.Sigmoid(true))
local cost = nn.PriorCost()
local machine = nn.Sequential():add(reader):add(cost):add(nn.Draw()):add(writer)
local bits = nn.BCECriterion()
bits.sizeAverage = false
local flat, slopes = machine:getParameters()
local settings = {learningRate = 0.01}
local rows, portion = torch.rand(40, seen):gt(0.5):double(), 10
for round = 1, 3 do
   local sum = 0
   for first = 1, rows:size(1), portion do
      local some = rows:narrow(1, first, portion)
      local _, found = optim.adam(function(at)
         if at ~= flat then flat:copy(at) end
         machine:zeroGradParameters()
         local again = machine:forward(some)
         local missed = bits:forward(again, some)
         machine:backward(some, bits:backward(again, some))
         return missed + cost.nats, slopes
      end, flat, settings)
      sum = sum + found[1]
   end
   print('round ' .. round .. ' ' .. sum / rows:size(1))
end
