-- logistic regression by full batches: SGD with samples, then LBFGS
require 'nn'
require 'optim'
torch.setdefaulttensortype('torch.DoubleTensor')
torch.manualSeed(10)

local brands, genders, ages = torch.Tensor(60), torch.Tensor(60), torch.Tensor(60)
for i = 1, 60 do
   genders[i] = torch.random(0, 1)
   ages[i] = 24 + torch.random(0, 14)
   local score = 0.4 * (ages[i] - 31) + genders[i] + torch.normal()
   brands[i] = score < -1 and 1 or score < 1.5 and 2 or 3
end
local data = torch.cat({genders:view(-1, 1), ages:view(-1, 1) / 10}, 2)
local numberOfBrands = torch.max(brands) - torch.min(brands) + 1

local linLayer = nn.Linear(2, numberOfBrands)
local model = nn.Sequential():add(linLayer):add(nn.LogSoftMax())
local criterion = nn.ClassNLLCriterion()
local x, dl_dx = model:getParameters()

local feval = function(x_new)
   if x ~= x_new then x:copy(x_new) end
   _nidx_ = (_nidx_ or 0) + 1
   if _nidx_ > data:size(1) then _nidx_ = 1 end
   local inputs = data[_nidx_]
   local target = brands[_nidx_]
   dl_dx:zero()
   local loss_x = criterion:forward(model:forward(inputs), target)
   model:backward(inputs, criterion:backward(model.output, target))
   return loss_x, dl_dx
end

local sgd_params = {learningRate = 1e-2, learningRateDecay = 1e-4, weightDecay = 0, momentum = 0}
local epochs = 4
for i = 1, epochs do
   local current_loss = 0
   for i = 1, data:size(1) do
      local _, fs = optim.sgd(feval, x, sgd_params)
      current_loss = current_loss + fs[1]
   end
   current_loss = current_loss / data:size(1)
   print('epoch = ' .. i .. ' of ' .. epochs .. ' current loss = ' .. current_loss)
end

local fevalBatch = function(x_new)
   if x ~= x_new then x:copy(x_new) end
   dl_dx:zero()
   local out = model:forward(data)
   local loss = criterion:forward(out, brands)
   model:backward(data, criterion:backward(out, brands))
   return loss, dl_dx
end
model:reset()
local lbfgs_params = {lineSearch = optim.lswolfe, maxIter = 10, verbose = false}
local _, fx = optim.lbfgs(fevalBatch, x, lbfgs_params)
print('history of L-BFGS() evaluations:')
for i = 1, #fx do print(i, fx[i]) end

local function predict(gender, age)
   local probs = torch.exp(model:forward(torch.Tensor{gender, age / 10}))
   local _, maxI = torch.max(probs, 1)
   return maxI[1], probs
end
print('  age  brand 1   brand 2   brand 3')
for age = 24, 38, 7 do
   local brand, probs = predict(1, age)
   print(string.format(' %d  %0.4f  %0.4f  %0.4f  -> %d', age, probs[1], probs[2], probs[3], brand))
end
