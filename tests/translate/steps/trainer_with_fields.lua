require 'nn'
require 'optim'
torch.manualSeed(7)
-- The function for optim only hands over what the loop has computed; the rate is a method's.
local C = torch.class('Coach')
function C:__init(net, cost, given)
   self.net, self.cost, self.given = net, cost, given
   self.flat, self.slopes = net:getParameters()
   self.memory = {
      learningRate = given.rate, momentum = given.momentum, weightDecay = given.decay,
      learningRateDecay = 0, dampening = 0, nesterov = true,
   }
end
function C:rate(round)
   local falls = round >= 3 and 2 or round >= 2 and 1 or 0
   return self.given.rate * math.pow(0.1, falls)
end
function C:round(number, seen, classes)
   local function known() return self.cost.output, self.slopes end
   self.memory.learningRate = self:rate(number)
   self.net:training()
   local sum, steps = 0, 0
   for first = 1, seen:size(1), 8 do
      local some, right = seen:narrow(1, first, 8), classes:narrow(1, first, 8)
      self.net:forward(some):float()
      local found = self.cost:forward(self.net.output, right)
      self.net:zeroGradParameters()
      self.cost:backward(self.net.output, right)
      self.net:backward(some, self.cost.gradInput)
      optim.sgd(known, self.flat, self.memory)
      sum, steps = sum + found, steps + 1
      print(('%d, from %d: %.4f'):format(number, first, found))
   end
   return sum / steps
end
local net = nn.Sequential():add(nn.Linear(4, 6)):add(nn.ReLU()):add(nn.Linear(6, 3))
local seen, classes = torch.randn(24, 4), torch.Tensor(24)
for i = 1, 24 do classes[i] = i % 3 + 1 end
local coach = Coach(net, nn.CrossEntropyCriterion(), {rate = 0.1, momentum = 0.9, decay = 1e-4})
for number = 1, 4 do
   print(string.format('%d: %.10f', number, coach:round(number, seen, classes)))
end
