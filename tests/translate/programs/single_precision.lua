-- A convolutional autoencoder, and a classifier on top of its code
require 'nn'
require 'optim'
torch.setdefaulttensortype('torch.FloatTensor')
torch.manualSeed(11)

local Data = {}
Data.__index = Data

function Data.new(n, size)
   local self = setmetatable({}, Data)
   self.n, self.size = n, size
   self.images = torch.FloatTensor(n, 1, size, size)
   self.labels = torch.LongTensor(n)
   for i = 1, n do
      local label = torch.random(1, 3)
      local image = self.images[i][1]
      image:zero()
      local at = torch.random(2, size - 3)
      if label == 1 then
         image:narrow(1, at, 2):fill(1)
      elseif label == 2 then
         image:narrow(2, at, 2):fill(1)
      else
         for k = 1, size do image[k][k] = 1 end
      end
      self.labels[i] = label
   end
   self.images:add(torch.randn(self.images:size()):mul(0.1))
   return self
end

function Data:batches(size)
   local order = torch.randperm(self.n)
   local at = 1
   return function()
      if at > self.n then return nil end
      local to = math.min(at + size - 1, self.n)
      local idx = order[{{at, to}}]:long()
      at = to + 1
      return self.images:index(1, idx), self.labels:index(1, idx)
   end
end

local function conv(nin, nout, stride)
   return nn.Sequential()
      :add(nn.SpatialConvolution(nin, nout, 3, 3, stride, stride, 1, 1))
      :add(nn.SpatialBatchNormalization(nout))
      :add(nn.ReLU(true))
end

local encoder = nn.Sequential():add(conv(1, 4, 2)):add(conv(4, 8, 2))
local decoder = nn.Sequential()
   :add(nn.SpatialFullConvolution(8, 4, 4, 4, 2, 2, 1, 1))
   :add(nn.ReLU(true))
   :add(nn.SpatialFullConvolution(4, 1, 4, 4, 2, 2, 1, 1))
local auto = nn.Sequential():add(encoder):add(decoder)

local data = Data.new(64, 16)
local mse = nn.MSECriterion()
local w, dw = auto:getParameters()
local state = {learningRate = 1e-2, momentum = 0.9, weightDecay = 1e-4}
for epoch = 1, 3 do
   local sum, n = 0, 0
   for images in data:batches(16) do
      local function feval()
         dw:zero()
         local out = auto:forward(images)
         local err = mse:forward(out, images)
         auto:backward(images, mse:backward(out, images))
         return err, dw
      end
      local _, f = optim.sgd(feval, w, state)
      sum = sum + f[1]
      n = n + 1
   end
   print(string.format('auto %d %.4f', epoch, sum / n))
end

local head = nn.Sequential()
   :add(nn.View(-1):setNumInputDims(3))
   :add(nn.Linear(8 * 4 * 4, 3))
   :add(nn.LogSoftMax())
local nll = nn.ClassNLLCriterion()
encoder:evaluate()
for epoch = 1, 5 do
   local right, total = 0, 0
   for images, labels in data:batches(16) do
      local code = encoder:forward(images)
      local out = head:forward(code)
      local loss = nll:forward(out, labels)
      head:zeroGradParameters()
      head:backward(code, nll:backward(out, labels))
      head:updateParameters(0.1)
      local _, guess = torch.max(out, 2)
      right = right + guess:view(-1):eq(labels):sum()
      total = total + labels:size(1)
   end
   print(('class %d %d/%d'):format(epoch, right, total))
end
