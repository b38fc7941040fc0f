-- Layers and criterions written in Lua, with the gradients of the program's own.
require 'nn'
require 'optim'

torch.manualSeed(2)

-- max(x, slope * x), with a slope that does not learn
do
   local Leak, parent = torch.class('nn.Leak', 'nn.Module')

   function Leak:__init(slope)
      parent.__init(self)
      self.slope = slope or 0.1
      self.mask = torch.Tensor()
   end

   function Leak:updateOutput(input)
      self.mask:resizeAs(input):gt(input, 0)
      self.output:resizeAs(input):copy(input)
      self.output:mul(self.slope)
      self.output:cmax(input)
      return self.output
   end

   function Leak:updateGradInput(input, gradOutput)
      local scales = self.mask * (1 - self.slope) + self.slope
      self.gradInput:resizeAs(gradOutput):cmul(gradOutput, scales)
      return self.gradInput
   end
end

-- y = w .* x + b, with weight and bias as nn has them
do
   local Affine, parent = torch.class('nn.Affine', 'nn.Module')

   function Affine:__init(size)
      parent.__init(self)
      self.weight = torch.Tensor(size)
      self.bias = torch.Tensor(size)
      self.gradWeight = torch.Tensor(size)
      self.gradBias = torch.Tensor(size)
      self:reset()
   end

   function Affine:reset(deviation)
      deviation = deviation or 0.5
      self.weight:uniform(-deviation, deviation)
      self.bias:zero()
   end

   function Affine:updateOutput(input)
      self.output:resizeAs(input):copy(input)
      self.output:cmul(self.weight:view(1, -1):expandAs(input))
      self.output:add(self.bias:view(1, -1):expandAs(input))
      self.rows = input:size(1)
      return self.output
   end

   function Affine:updateGradInput(input, gradOutput)
      self.gradInput = torch.cmul(gradOutput, self.weight:view(1, -1):expandAs(gradOutput))
      return self.gradInput
   end

   function Affine:accGradParameters(input, gradOutput, scale)
      scale = scale or 1
      self.gradWeight:add(scale, torch.cmul(input, gradOutput):sum(1):view(-1))
      self.gradBias:add(scale, gradOutput:sum(1):view(-1))
   end
end

-- a layer around another one: x + f(x)
do
   local Around, parent = torch.class('nn.Around', 'nn.Module')

   function Around:__init(inner)
      parent.__init(self)
      self.inner = inner
   end

   function Around:updateOutput(input)
      self.output = self.inner:forward(input) * 0.5
      return self.output
   end

   function Around:parameters()
      return self.inner:parameters()
   end
end

-- the mean of |x - y|^3
do
   local Cubic, parent = torch.class('nn.CubicCriterion', 'nn.Criterion')

   function Cubic:__init()
      parent.__init(self)
      self.power = 3
   end

   function Cubic:updateOutput(input, target)
      self.difference = input - target
      self.output = torch.abs(self.difference):pow(self.power):mean()
      return self.output
   end

   function Cubic:updateGradInput(input, target)
      local size = torch.pow(self.difference, self.power - 1)
      self.gradInput:resizeAs(input):cmul(size, torch.sign(self.difference)):mul(self.power / input:nElement())
      return self.gradInput
   end
end

local model = nn.Sequential():add(nn.Linear(3, 5)):add(nn.Leak(0.2)):add(nn.Affine(5)):add(nn.Linear(5, 1))
local criterion = nn.CubicCriterion()
local x = torch.randn(20, 3)
local y = x:sum(2):view(20, 1)
for i = 1, 30 do
   local prediction = model:forward(x)
   local loss = criterion:forward(prediction, y)
   model:zeroGradParameters()
   model:backward(x, criterion:backward(prediction, y))
   model:updateParameters(0.05)
   if i % 5 == 0 then print(string.format('%d: %.12f', i, loss)) end
end

local around = nn.Around(nn.Linear(3, 2))
print(around:forward(x):norm())
