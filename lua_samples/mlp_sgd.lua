-- A multi-layer perceptron (MLP) that learns which points of the plane lie inside a ring, by stochastic
-- gradient descent (SGD): the usual way to train with the optim package.
--
--    mlp_sgd.lua [epochs]
require 'nn'
require 'optim'

torch.manualSeed(1)

epochs = tonumber(arg[1]) or 50
batchSize = 20

-- 200 points around the origin; class 1 is inside the ring, class 2 outside
points = torch.randn(200, 2)
classes = torch.Tensor(200)
for i = 1, 200 do
   classes[i] = points[i]:norm() < 1.2 and 1 or 2
end

model = nn.Sequential()
model:add(nn.Linear(2, 16))
model:add(nn.Tanh())
model:add(nn.Linear(16, 2))
model:add(nn.LogSoftMax())
criterion = nn.ClassNLLCriterion()

-- all weights as one vector, and their gradients as another; the layers' own tensors are views of them
local weights, gradients = model:getParameters()
print(weights:nElement() .. ' weights')

-- The state of the optimizer: what it is told, and what it remembers from one call to the next.
local state = {learningRate = 0.5, momentum = 0.9, weightDecay = 1e-4, learningRateDecay = 1e-3}

for epoch = 1, epochs do
   local total = 0
   for first = 1, points:size(1), batchSize do
      -- narrow(d, first, n) is a view of n rows of dimension d
      local x = points:narrow(1, first, batchSize)
      local y = classes:narrow(1, first, batchSize)

      -- The function to be made smaller: gives its value and its gradient at the weights w. They are those of
      -- the model already, as optim changes the vector in place.
      local function feval(w)
         gradients:zero()
         local output = model:forward(x)
         local loss = criterion:forward(output, y)
         model:backward(x, criterion:backward(output, y))
         return loss, gradients
      end

      -- gives the weights, and a table with the loss before the step
      local _, losses = optim.sgd(feval, weights, state)
      total = total + losses[1] * batchSize
   end
   if epoch == 1 or epoch % 10 == 0 then
      print('epoch ' .. epoch .. ': loss ' .. total / points:size(1))
   end
end

-- max gives the largest values along a dimension and where they are: the class that is most likely
local _, guesses = model:forward(points):max(2)
local right = guesses:typeAs(classes):eq(classes:view(200, 1)):sum()
print(right .. ' of 200 points are classified right')
