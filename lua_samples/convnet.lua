-- A small convolutional network: tells horizontal stripes, vertical stripes and checkers apart, in noisy images.
--
--    convnet.lua [epochs]
require 'nn'
require 'optim'

torch.manualSeed(1)

epochs = tonumber(arg[1]) or 8
size, perClass, batchSize = 8, 20, 10

-- n images of each class, in turn: one channel of size x size numbers.
local function makeImages(n)
   local images, labels = torch.randn(3 * n, 1, size, size):mul(0.4), torch.LongTensor(3 * n)
   for i = 1, 3 * n do
      local class = (i - 1) % 3 + 1
      labels[i] = class
      for y = 1, size do
         for x = 1, size do
            local bright
            if class == 1 then
               bright = y % 2 == 0
            elseif class == 2 then
               bright = x % 2 == 0
            else
               bright = (x + y) % 2 == 0
            end
            if bright then images[i][1][y][x] = images[i][1][y][x] + 1 end
         end
      end
   end
   return images, labels
end
images, labels = makeImages(perClass)
checkImages, checkLabels = makeImages(10)

model = nn.Sequential()
model:add(nn.SpatialConvolution(1, 4, 3, 3))         -- 1 x 8 x 8 -> 4 x 6 x 6
model:add(nn.ReLU())
model:add(nn.SpatialMaxPooling(2, 2, 2, 2))          -- 4 x 3 x 3
model:add(nn.Reshape(4 * 3 * 3))
model:add(nn.Linear(4 * 3 * 3, 3))
model:add(nn.LogSoftMax())
criterion = nn.ClassNLLCriterion()

local weights, gradients = model:getParameters()
local settings = {learningRate = 0.2, momentum = 0.9, dampening = 0, weightDecay = 1e-4}

-- The share of images whose class is found.
local function accuracy(x, y)
   local _, found = model:forward(x):max(2)
   return found:view(-1):eq(y):sum() / y:size(1)
end

for epoch = 1, epochs do
   local order = torch.randperm(images:size(1)):long()
   local total = 0
   for first = 1, images:size(1), batchSize do
      local chosen = order:narrow(1, first, batchSize)
      local inputs, targets = images:index(1, chosen), labels:index(1, chosen)
      local function feval()
         gradients:zero()
         local outputs = model:forward(inputs)
         local loss = criterion:forward(outputs, targets)
         model:backward(inputs, criterion:backward(outputs, targets))
         return loss, gradients
      end
      local _, losses = optim.sgd(feval, weights, settings)
      total = total + losses[1] * batchSize / images:size(1)
   end
   print(string.format('epoch %d: loss %.6f, %.1f %% of the others right', epoch, total,
      100 * accuracy(checkImages, checkLabels)))
end
print(weights:nElement() .. ' weights')
