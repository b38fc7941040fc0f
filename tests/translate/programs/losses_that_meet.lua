-- Gradients of several losses that meet in one module: a criterion of two arguments, heads by hand, a critic.
require 'nn'
require 'optim'
torch.manualSeed(7)
-- how far a normal distribution is from the standard one
local Far, far_parent = torch.class('nn.FarCriterion', 'nn.Criterion')
function Far:__init(weight)
   far_parent.__init(self)
   self.weight = weight or 1
end
function Far:updateOutput(middle, spread)
   local terms = torch.exp(spread):add(torch.pow(middle, 2)):csub(spread)
   self.output = self.weight * (terms:sum() - middle:nElement()) / 2
   return self.output
end
function Far:updateGradInput(middle, spread)
   local of_middle = middle * self.weight
   local of_spread = torch.exp(spread):add(-1):mul(self.weight / 2)
   self.gradInput = {of_middle, of_spread}
   return self.gradInput
end
-- without a target: how far the rows are from being of length one
local Length, length_parent = torch.class('nn.LengthCriterion', 'nn.Criterion')
function Length:__init() length_parent.__init(self) end
function Length:updateOutput(x)
   self.output = (torch.pow(x, 2):sum(2) - 1):pow(2):sum()
   return self.output
end
function Length:updateGradInput(x)
   local excess = torch.pow(x, 2):sum(2) - 1
   self.gradInput = torch.cmul(x, excess:expandAs(x)) * 4
   return self.gradInput
end
-- a point of the distribution
local Point, point_parent = torch.class('nn.Point', 'nn.Module')
function Point:__init()
   point_parent.__init(self)
   self.gradInput = {}
end
function Point:updateOutput(both)
   self.wide = torch.exp(both[2] / 2)
   self.where = torch.randn(both[1]:size())
   self.output = torch.cmul(self.wide, self.where) + both[1]
   return self.output
end
function Point:updateGradInput(both, above)
   self.gradInput[1] = above:clone()
   self.gradInput[2] = torch.cmul(above, self.wide):cmul(self.where) / 2
   return self.gradInput
end

local reader = nn.Sequential():add(nn.Linear(5, 6)):add(nn.Tanh())
reader:add(nn.ConcatTable():add(nn.Linear(6, 2)):add(nn.Linear(6, 2)))
local draw, writer = nn.Point(), nn.Sequential():add(nn.Linear(2, 5)):add(nn.Sigmoid())
local whole = nn.Container():add(reader):add(writer)
local flat, slopes = whole:getParameters()
local bits, far = nn.BCECriterion(), nn.FarCriterion(0.1)
local rows = torch.rand(8, 5):gt(0.5):double()
local settings = {learningRate = 0.05, maxIter = 10}
for round = 1, 4 do
   local function cost(at)
      if at ~= flat then flat:copy(at) end
      slopes:zero()
      local found = reader:forward(rows)
      local middle, spread = found[1], found[2]
      local code = draw:forward({middle, spread})
      local again = writer:forward(code)
      local missed = bits:forward(again, rows)
      local of_code = writer:backward(code, bits:backward(again, rows))
      local of_found = draw:backward({middle, spread}, of_code)
      local away = far:forward(middle, spread)
      local more = far:backward(middle, spread)
      of_found[1]:add(more[1])
      of_found[2]:add(more[2])
      reader:backward(rows, of_found)
      return missed + away, slopes
   end
   local _, all = optim.adam(cost, flat, settings)
   print(round, all[1])
end

local trunk = nn.Sequential():add(nn.Linear(5, 4)):add(nn.ReLU())
local names, sizes = nn.Sequential():add(nn.Linear(4, 3)):add(nn.LogSoftMax()), nn.Linear(4, 2)
local all = nn.Container():add(trunk):add(names):add(sizes)
local name_cost, size_cost, length = nn.ClassNLLCriterion(), nn.MSECriterion(), nn.LengthCriterion()
local called, sized = torch.Tensor{1, 2, 3, 1, 2, 3, 1, 2}, torch.randn(8, 2)
local function both_heads()
   all:zeroGradParameters()
   local h = trunk:forward(rows)
   local a = names:forward(h)
   local first = name_cost:forward(a, called)
   local of_h = names:backward(h, name_cost:backward(a, called)):clone()
   local b = sizes:forward(h)
   local second = size_cost:forward(b, sized)
   of_h:add(sizes:backward(h, size_cost:backward(b, sized)))
   trunk:backward(rows, of_h)
   all:updateParameters(0.1)
   local third = length:forward(sizes:forward(trunk:forward(rows)))
   print(first, second, third)
end
for round = 1, 3 do both_heads() end

-- an actor and a critic of one trunk: gradients by hand, each pass once
for round = 1, 3 do
   all:zeroGradParameters()
   local row = rows[round]
   local h = trunk:forward(row)
   local odds, worth = names:forward(h), sizes:forward(h)
   local toward = torch.zeros(3)
   toward[round] = -1
   local of_h = names:backward(h, toward)
   of_h:add(0.5, sizes:backward(h, worth - sized[round]))
   trunk:backward(row, of_h)
   all:updateParameters(0.1)
   print(odds[round], worth:norm())
end

-- Two passes through one module whose gradients do not meet, in variables used again: each goes back by itself.
local judge = nn.Sequential():add(nn.Linear(2, 4)):add(nn.Tanh()):add(nn.Linear(4, 1)):add(nn.Sigmoid())
local doubt, seen, marks = nn.BCECriterion(), torch.Tensor(4, 2), torch.Tensor(4, 1)
local function judged()
   judge:zeroGradParameters()
   seen:fill(0.5)
   marks:fill(1)
   local said = judge:forward(seen)
   local first = doubt:forward(said, marks)
   local back = judge:backward(seen, doubt:backward(said, marks))
   seen:fill(-0.5)
   marks:fill(0)
   said = judge:forward(seen)
   local second = doubt:forward(said, marks)
   back = doubt:backward(said, marks)
   judge:backward(seen, back)
   judge:updateParameters(0.5)
   return first + second
end
for round = 1, 3 do print(judged()) end
