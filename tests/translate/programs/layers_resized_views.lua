-- Views whose sizes are set for each input, in layers and criterions of sequences.
require 'nn'
torch.manualSeed(1)

-- a module for each step
do
   local Each, parent = torch.class('nn.Each', 'nn.Module')

   function Each:__init(module)
      parent.__init(self)
      self.rows = nn.View(1, -1):setNumInputDims(3)
      self.steps = nn.View(1, -1):setNumInputDims(2)
      self.net = nn.Sequential()
      self.net:add(self.rows)
      self.net:add(module)
      self.net:add(self.steps)
   end

   function Each:updateOutput(input)
      local n, t = input:size(1), input:size(2)
      self.rows:resetSize(n * t, -1)
      self.steps:resetSize(n, t, -1)
      self.output = self.net:forward(input)
      return self.output
   end

   function Each:updateGradInput(input, gradOutput)
      self.gradInput = self.net:updateGradInput(input, gradOutput)
      return self.gradInput
   end
end

-- the mean of the logarithms over examples, summed over steps
do
   local Steps, parent = torch.class('nn.StepsCriterion', 'nn.Criterion')

   function Steps:__init()
      parent.__init(self)
      self.net = nn.Sequential()
      self.net:add(nn.View(1, 1, -1):setNumInputDims(3))
      self.net:add(nn.LogSoftMax())
      self.net:add(nn.View(1, -1):setNumInputDims(2))
   end

   function Steps:updateOutput(input, target)
      local n, t = input:size(1), input:size(2)
      self.net:get(1):resetSize(n * t, -1)
      self.net:get(3):resetSize(n, t, -1)
      self.output = -self.net:forward(input):gather(3, target:view(n, t, 1)):sum() / n
      return self.output
   end
end

local each, steps = nn.Each(nn.Linear(3, 2)), nn.StepsCriterion()
for n = 2, 3 do
   local x = torch.rand(n, 5, 3)
   local y = each:forward(x)
   print(y:sum(), each:backward(x, torch.ones(n, 5, 2)):sum())
   print(steps:forward(y, torch.LongTensor(n, 5):fill(2)))
end

-- With no -1 there is a batch where there are more elements.
local views = {}
for i = 1, 2 do
   local view = nn.View(6)
   views[i] = view
end
for i, view in ipairs(views) do
   view:resetSize(3, i)
   print(view:forward(torch.range(1, 6)):size())
end
views[1]:resetSize(torch.LongStorage{2, 3})
print(views[1]:forward(torch.range(1, 6)):size())
