-- A layer and a criterion of one's own: a network of radial basis functions, exp(-|x - centre|^2), trained with a
-- loss that is quadratic near zero and linear beyond.
--
--    rbf.lua [iterations]
require 'nn'

torch.manualSeed(1)

iterations = tonumber(arg[1]) or 200

-- One output for each centre; the centres are learnt.
do
   local Radial, parent = torch.class('nn.Radial', 'nn.Module')

   function Radial:__init(inputSize, centres)
      parent.__init(self)
      self.weight = torch.Tensor(centres, inputSize)
      self.gradWeight = torch.Tensor(centres, inputSize)
      self:reset()
   end

   function Radial:reset(spread)
      self.weight:uniform(-(spread or 2), spread or 2)
   end

   -- n x inputSize -> n x centres
   function Radial:updateOutput(input)
      local n, centres = input:size(1), self.weight:size(1)
      self.output:resize(n, centres)
      for c = 1, centres do
         local difference = input - self.weight[c]:view(1, -1):expandAs(input)
         self.output[{{}, c}] = torch.cmul(difference, difference):sum(2):mul(-1):exp()
      end
      return self.output
   end

   -- The derivative by x is -2 (x - centre) exp(...).
   function Radial:updateGradInput(input, gradOutput)
      self.gradInput:resizeAs(input):zero()
      for c = 1, self.weight:size(1) do
         local difference = input - self.weight[c]:view(1, -1):expandAs(input)
         local factor = torch.cmul(self.output[{{}, c}], gradOutput[{{}, c}]):mul(-2)
         self.gradInput:add(torch.cmul(difference, factor:view(-1, 1):expandAs(input)))
      end
      return self.gradInput
   end

   function Radial:accGradParameters(input, gradOutput, scale)
      local slope = torch.cmul(self.output, gradOutput)
      local total = torch.cmul(self.weight, slope:sum(1):view(-1, 1):expandAs(self.weight))
      self.gradWeight:add(2 * (scale or 1), slope:t() * input - total)
   end
end

do
   local Huber, parent = torch.class('nn.HuberCriterion', 'nn.Criterion')

   function Huber:__init(limit)
      parent.__init(self)
      self.limit = limit or 1
   end

   function Huber:updateOutput(input, target)
      local size = torch.abs(input - target)
      local near = torch.cmin(size, self.limit)
      self.output = torch.cmul(near, size - near * 0.5):mean()
      return self.output
   end

   function Huber:updateGradInput(input, target)
      self.gradInput:resizeAs(input):copy(input - target)
      self.gradInput:clamp(-self.limit, self.limit):div(input:nElement())
      return self.gradInput
   end
end

local x = torch.linspace(-3, 3, 40):view(40, 1)
local y = torch.sin(x * 2) + x * 0.5
y[20] = 5                                              -- one that is far off

model = nn.Sequential():add(nn.Radial(1, 12)):add(nn.Linear(12, 1))
local criterion = nn.HuberCriterion(0.5)
for i = 1, iterations do
   local prediction = model:forward(x)
   local loss = criterion:forward(prediction, y)
   model:zeroGradParameters()
   model:backward(x, criterion:backward(prediction, y))
   model:updateParameters(0.3)
   if i == 1 or i % 50 == 0 then print('iteration ' .. i .. ': loss ' .. loss) end
end
local rest = (model:forward(x) - y):abs()
print(string.format('half are within %.3f, the worst is off by %.3f', rest:view(-1):sort()[20], rest:max()))
