-- Stochastic depth: a block that is left out of some steps, and counts less in evaluation.
require 'nn'
torch.manualSeed(1)
local Block, parent = torch.class('nn.Skipped', 'nn.Container')
function Block:__init(rate, n)
   parent.__init(self)
   self.rate = rate
   self.gate = true
   self.net = nn.Sequential()
   self.net:add(nn.Linear(n, n)):add(nn.BatchNormalization(n)):add(nn.ReLU(true)):add(nn.Linear(n, n))
   self.skip = nn.Sequential()
   self.skip:add(nn.Identity())
   self.modules = {self.net, self.skip}
end
function Block:updateOutput(input)
   local skipped = self.skip:forward(input)
   self.output:resizeAs(skipped):copy(skipped)
   if self.train then
      if self.gate then
         self.output:add(self.net:forward(input))
      end
   else
      self.output:add(self.net:forward(input):mul(1 - self.rate))
   end
   return self.output
end
function Block:updateGradInput(input, gradOutput)
   self.gradInput = self.gradInput or input.new()
   self.gradInput:resizeAs(input):copy(self.skip:updateGradInput(input, gradOutput))
   if self.gate then
      self.gradInput:add(self.net:updateGradInput(input, gradOutput))
   end
   return self.gradInput
end
function Block:accGradParameters(input, gradOutput, scale)
   scale = scale or 1
   if self.gate then
      self.net:accGradParameters(input, gradOutput, scale)
   end
end
local net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Skipped(0.3, 4)):add(nn.Linear(4, 2))
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
   net:get(2).gate = torch.uniform() > 0.5
   local out = net:forward(x)
   print(crit:forward(out, y))
   net:zeroGradParameters()
   net:backward(x, crit:backward(out, y))
   net:updateParameters(0.1)
end
net:evaluate()
print(crit:forward(net:forward(x), y))
