-- A layer written in Lua, with parameters of its own, among built-in ones: y = x * sigmoid(slope * x), where
-- each column has its slope. Its gradients are checked against finite differences, and then it is trained.
--
--    lua_layer.lua [iterations]
require 'nn'

torch.manualSeed(1)

iterations = tonumber(arg[1]) or 300

-- The class: nn.Gate derives from nn.Module, and `parent` is where the methods that it does not define are
-- found.
local Gate, parent = torch.class('nn.Gate', 'nn.Module')

function Gate:__init(size)
   parent.__init(self)
   self.slope = torch.Tensor(size):fill(1)
   self.gradSlope = torch.zeros(size)
end

-- What there is to learn: getParameters, zeroGradParameters and updateParameters go by this. A layer whose
-- parameters are called weight and bias does not need it.
function Gate:parameters()
   return {self.slope}, {self.gradSlope}
end

-- The output, which stays in self.output.
function Gate:updateOutput(input)
   self.slopes = self.slope:view(1, -1):expandAs(input)      -- the slopes for every row, without a copy
   self.gate = torch.sigmoid(torch.cmul(input, self.slopes))
   self.output:resizeAs(input):cmul(input, self.gate)
   return self.output
end

-- dy/dx = gate + x * slope * gate * (1 - gate), times what comes from above.
function Gate:updateGradInput(input, gradOutput)
   local bell = torch.cmul(self.gate, 1 - self.gate)
   self.gradInput:resizeAs(input):cmul(input, bell):cmul(self.slopes):add(self.gate):cmul(gradOutput)
   return self.gradInput
end

-- dy/dslope = x * x * gate * (1 - gate), summed over the rows; gradients add up until zeroGradParameters.
function Gate:accGradParameters(input, gradOutput, scale)
   local bell = torch.cmul(self.gate, 1 - self.gate)
   self.gradSlope:add(scale or 1, bell:cmul(input):cmul(input):cmul(gradOutput):sum(1):view(-1))
end

function Gate:__tostring__()
   return string.format('%s(%d)', torch.type(self), self.slope:nElement())
end

model = nn.Sequential()
   :add(nn.Linear(2, 6))
   :add(nn.Gate(6))
   :add(nn.Linear(6, 1))
print(model)

x = torch.randn(40, 2)
y = torch.cmul(x[{{}, {1}}], x[{{}, {2}}])                   -- the product of the two columns
criterion = nn.MSECriterion()

local weights, gradients = model:getParameters()
local function lossOf(input)
   return criterion:forward(model:forward(input), y)
end

-- Each derivative beside (loss(w + h) - loss(w - h)) / 2h.
gradients:zero()
lossOf(x)
model:backward(x, criterion:backward(model.output, y))
local h, worst = 1e-5, 0
local analytic = gradients:clone()
for i = 1, weights:nElement() do
   local w = weights[i]
   weights[i] = w + h
   local above = lossOf(x)
   weights[i] = w - h
   local below = lossOf(x)
   weights[i] = w
   worst = math.max(worst, math.abs((above - below) / (2 * h) - analytic[i]))
end
print(weights:nElement() .. ' derivatives, all within 1e-8 of finite differences: ' .. tostring(worst < 1e-8))

for i = 1, iterations do
   local loss = lossOf(x)
   model:zeroGradParameters()
   model:backward(x, criterion:backward(model.output, y))
   model:updateParameters(0.1)
   if i == 1 or i % 100 == 0 then
      print('iteration ' .. i .. ': loss ' .. loss)
   end
end
