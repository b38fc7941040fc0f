-- A program that insists on a GPU: it requires cunn and cudnn without a guard, as half of the programs of the time
-- did. It learns which of two rings a point lies in, with layers of cudnn, and hands a copy of the model to the CPU.
--
--    torch7py run --device cuda gpu_only.lua      on the GPU
--    torch7py run --cuda-as cpu gpu_only.lua      on the CPU
require 'cunn'
require 'cudnn'
require 'optim'

cudnn.benchmark, cudnn.fastest = true, true
torch.setdefaulttensortype('torch.FloatTensor')
torch.manualSeed(1)
cutorch.manualSeedAll(1)
print('device ' .. cutorch.getDevice() .. ' of ' .. cutorch.getDeviceCount())

-- points of two rings around the origin, the outer ones of class 2
local points, classes = torch.Tensor(200, 2), torch.Tensor(200)
for i = 1, 200 do
   local outer = i % 2 == 0
   local angle, radius = torch.uniform(0, 2 * math.pi), (outer and 2 or 1) + torch.uniform(-0.3, 0.3)
   points[i][1], points[i][2] = radius * math.cos(angle), radius * math.sin(angle)
   classes[i] = outer and 2 or 1
end

local net = nn.Sequential()
net:add(nn.Linear(2, 16))
net:add(cudnn.ReLU(true))
net:add(nn.Linear(16, 2))
net:add(cudnn.LogSoftMax())

model = nn.DataParallelTable(1):add(net, {1}):cuda()
print(net)

local criterion = nn.ClassNLLCriterion():cuda()
local x, y = torch.CudaTensor(200, 2), torch.CudaTensor(200)
x:copy(points)
y:copy(classes)

local weights, gradients = model:getParameters()
print(torch.type(weights) .. ' of ' .. weights:nElement() .. ', on device ' .. weights:getDevice())
local state = {learningRate = 0.5, momentum = 0.9}
for epoch = 1, 60 do
   local _, loss = optim.sgd(function()
      gradients:zero()
      local output = model:forward(x)
      local loss = criterion:forward(output, y)
      model:backward(x, criterion:backward(output, y))
      return loss, gradients
   end, weights, state)
   if epoch % 20 == 0 then print(('epoch %d: loss %.2f'):format(epoch, loss[1])) end
end

model:evaluate()
local output = model:forward(x)
local _, best = output:max(2)
print(best:cuda():eq(y):sum() .. ' of 200 points in the right ring')

-- the same model for machines without a GPU
local plain = cudnn.convert(net:clone(), nn):float()
print(plain)
local difference = (plain:forward(points) - output:float()):abs():max()
print('the same on the CPU: ' .. tostring(difference < 1e-5))
