-- Batch normalization and a confusion matrix: tells three classes apart by four measurements
-- of very different scales.
--
--    batchnorm_classifier.lua [epochs]
require 'nn'
require 'optim'

torch.manualSeed(1)

epochs = tonumber(arg[1]) or 20
n, batchSize = 150, 30

-- Each class has its own centre, and the columns are of the order of 1, 10, 100 and 1000.
local scales = torch.Tensor{1, 10, 100, 1000}
local function makeData()
   local centres = torch.Tensor{{0, 0, 1, 1}, {1, 0, 0, 2}, {2, 1, 1, 0}}
   local x, classes = torch.Tensor(n, 4), torch.Tensor(n)
   for i = 1, n do
      classes[i] = (i - 1) % 3 + 1
      x[i]:normal(0, 0.6):add(centres[classes[i]]):cmul(scales)
   end
   return x, classes
end
x, classes = makeData()
checkX, checkClasses = makeData()

model = nn.Sequential()
   :add(nn.BatchNormalization(4))           -- columns of mean 0 and variance 1, then scaled and shifted
   :add(nn.Linear(4, 10))
   :add(nn.BatchNormalization(10))
   :add(nn.ReLU())
   :add(nn.Linear(10, 3))
criterion = nn.CrossEntropyCriterion()      -- LogSoftMax and ClassNLLCriterion in one

local weights, gradients = model:getParameters()
local state = {learningRate = 0.1, momentum = 0.9, dampening = 0}

model:training()                            -- normalizes by the mean and variance of each batch
for epoch = 1, epochs do
   local total = 0
   for first = 1, n, batchSize do
      local inputs = x:narrow(1, first, batchSize)
      local targets = classes:narrow(1, first, batchSize)
      local function feval()
         gradients:zero()
         local outputs = model:forward(inputs)
         local loss = criterion:forward(outputs, targets)
         model:backward(inputs, criterion:backward(outputs, targets))
         return loss, gradients
      end
      local _, losses = optim.sgd(feval, weights, state)
      total = total + losses[1] * batchSize / n
   end
   if epoch == 1 or epoch % 5 == 0 then
      print('epoch ' .. epoch .. ': loss ' .. total)
   end
end

model:evaluate()                            -- now by the running mean and variance, whatever the batch
confusion = optim.ConfusionMatrix({'first', 'second', 'third'})
confusion:batchAdd(model:forward(checkX), checkClasses)
print(confusion)
