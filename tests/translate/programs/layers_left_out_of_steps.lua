-- Stochastic depth: a block that is left out of some steps, and counts less in evaluation.
require 'nn'
torch.manualSeed(1)
local Lucky, parent = torch.class('nn.Lucky', 'nn.Container')
function Lucky:__init(luck, size)
   parent.__init(self)
   self.luck = luck
   self.drawn = true
   self.way = nn.Sequential():add(nn.Identity())
   self.work = nn.Sequential():add(nn.Linear(size, size)):add(nn.BatchNormalization(size))
   self.work:add(nn.ReLU(true)):add(nn.Linear(size, size))
   self.modules = {self.way, self.work}
end
function Lucky:updateOutput(x)
   self.output:resizeAs(x)
   self.output:copy(self.way:forward(x))
   if not self.train then
      self.output:add(self.work:forward(x):mul(self.luck))
   elseif self.drawn then
      self.output:add(self.work:forward(x))
   end
   return self.output
end
function Lucky:updateGradInput(x, given)
   local direct = self.way:updateGradInput(x, given)
   self.gradInput:resizeAs(x)
   self.gradInput:copy(direct)
   if not self.drawn then
      return self.gradInput
   end
   local worked = self.work:updateGradInput(x, given)
   self.gradInput:add(worked)
   return self.gradInput
end
function Lucky:accGradParameters(x, given, factor)
   if self.drawn then
      self.work:accGradParameters(x, given, factor)
   end
end
local net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Lucky(0.7, 4)):add(nn.Linear(4, 2))
local x, y = torch.randn(5, 3), torch.randn(5, 2)
local crit = nn.MSECriterion()
net:apply(function(m)
   if torch.type(m) == 'nn.Linear' then
      m.weight:normal(0, 0.5)
      m.bias:zero()
   end
end)
print(#net:findModules('nn.Linear'))
net:training()
for i = 1, 4 do
   net:get(2).drawn = torch.uniform() > 0.5
   local out = net:forward(x)
   print(crit:forward(out, y))
   net:zeroGradParameters()
   net:backward(x, crit:backward(out, y))
   net:updateParameters(0.1)
end
net:evaluate()
print(crit:forward(net:forward(x), y))
