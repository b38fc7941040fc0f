require 'nn'
require 'optim'
torch.manualSeed(7)
-- All that learns lies in an object's fields; gradients of single rows are added up, then made their mean.
local L = torch.class('Learner')
function L:__init(given)
   self.rate, self.decay, self.portion = given.rate or 0.1, given.decay or 1e-4, given.portion or 6
   self.net = nn.Sequential():add(nn.Linear(4, 5)):add(nn.Sigmoid()):add(nn.Linear(5, 2))
   self.cost = nn.MSECriterion()
   self.flat, self.slopes = self.net:getParameters()
   self.memory = {learningRate = self.rate}
end
function L:pass(rows)
   local order = torch.randperm(rows.size)
   for first = 1, rows.size, self.portion do
      local last = math.min(first + self.portion, rows.size + 1) - 1
      local count = last - first + 1
      local function cost()
         local sum = 0
         self.slopes:zero()
         for place = first, last do
            local row = order[place]
            local seen, wanted = rows.x[row], rows.y[row]
            local found = self.net:forward(seen)
            sum = sum + self.cost:forward(found, wanted)
            self.net:backward(seen, self.cost:backward(found, wanted))
         end
         -- the mean, and half of the squares of all weights
         self.slopes:div(count)
         sum = sum / count + self.decay / 2 * self.flat:norm() ^ 2
         self.slopes:add(self.decay, self.flat)
         return sum, self.slopes
      end
      local _, costs = optim.adagrad(cost, self.flat, self.memory)
      print(first, costs[1])
   end
end
local learner = Learner{rate = 0.05}
local rows = {size = 16, x = torch.randn(16, 4), y = torch.randn(16, 2)}
for round = 1, 3 do learner:pass(rows) end
print(learner.flat:norm())
