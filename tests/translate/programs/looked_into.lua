-- Networks that functions give and look into, an output that a step leaves behind, and features that are kept.
require 'nn'
require 'optim'
torch.manualSeed(21)

local function stage(net, from, to)
   net:add(nn.SpatialConvolution(from, to, 3, 3))
   net:add(nn.ReLU(true))
   return net
end

local function tower()
   local t = nn.Sequential()
   stage(t, 1, 3):add(nn.SpatialMaxPooling(2, 2))
   stage(t, 3, 4):add(nn.SpatialBatchNormalization(4)):add(nn.Dropout(0.2))
   t:add(nn.View(-1):setNumInputDims(3))
   return t
end

-- how many weights each layer has, by their numbers
local function sizes(net)
   local found = {}
   for i, layer in ipairs(net.modules) do
      local own = layer.weight and layer.weight:nElement() or 0
      if own > 0 then found[#found + 1] = i .. ':' .. own end
   end
   return table.concat(found, ' ')
end

local body = tower()
print(sizes(body), body:get(1).weight:nElement(), body:size())
local model = nn.Sequential():add(body):add(nn.Linear(4 * 2 * 2, 2)):add(nn.LogSoftMax())
local criterion = nn.ClassNLLCriterion()
local x, y = torch.randn(12, 1, 10, 10), torch.Tensor(12)
for i = 1, 12 do
   y[i] = i % 2 + 1
   x[i]:mul(y[i])
end

local Runner = {}
Runner.__index = Runner
function Runner.new(net, rate)
   local self = setmetatable({}, Runner)
   self.net, self.state = net, {learningRate = rate, momentum = 0.9}
   self.weights, self.gradients = net:getParameters()
   return self
end
-- one pass, in which it learns or not
function Runner:pass(learn)
   if learn then self.net:training() else self.net:evaluate() end
   local total, wrong = 0, 0
   for first = 1, 12, 4 do
      local inputs, targets = x:narrow(1, first, 4), y:narrow(1, first, 4)
      local output
      if learn then
         local function feval()
            self.gradients:zero()
            output = self.net:forward(inputs)
            local loss = criterion:forward(output, targets)
            self.net:backward(inputs, criterion:backward(output, targets))
            return loss, self.gradients
         end
         local _, loss = optim.sgd(feval, self.weights, self.state)
         total = total + loss[1]
      else
         output = self.net:forward(inputs)
         total = total + criterion:forward(output, targets)
      end
      local _, guess = output:max(2)
      wrong = wrong + guess:squeeze():double():ne(targets):sum()
   end
   return total / 3, wrong
end

local runner = Runner.new(model, 0.05)
for epoch = 1, 3 do
   local loss, wrong = runner:pass(true)
   local checked, missed = runner:pass(false)
   print(('%d: %.8f %d, %.8f %d'):format(epoch, loss, wrong, checked, missed))
end

-- what the body makes of each row, for a classifier of its own
body:evaluate()
local features = torch.Tensor(12, 16)
for i = 1, 12, 4 do
   features[{{i, i + 3}}]:copy(body:forward(x[{{i, i + 3}}]))
end
local alone = torch.Tensor(2, 16)
for i = 1, 2 do alone[i] = body:forward(x:narrow(1, i, 1)) end
features:add(-features:mean()):div(features:std())
local small = nn.Sequential():add(nn.Linear(16, 2)):add(nn.LogSoftMax())
for step = 1, 4 do
   local output = small:forward(features)
   local loss = criterion:forward(output, y)
   small:zeroGradParameters()
   small:backward(features, criterion:backward(output, y))
   small:updateParameters(0.5)
   print(step, loss)
end
local norm, sign = torch.norm, torch.sign -- short names
print(norm(alone), norm(features, 1), sign(features):sum())
