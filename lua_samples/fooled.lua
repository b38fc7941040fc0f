-- A classifier, and what it takes to fool it: the gradient of the loss with respect to the input says in which
-- direction each number must change a little. Then the other way round: an input is made, by gradient descent, of
-- which the classifier is sure.
--
--    fooled.lua [iterations]
require 'nn'

torch.manualSeed(4)

iterations = tonumber(arg[1]) or 200
local classes, size, count = 3, 6, 60

-- Three clouds of points.
local centers = torch.randn(classes, size) * 1.5
local x, y = torch.randn(count, size), torch.Tensor(count)
for i = 1, count do
   y[i] = (i - 1) % classes + 1
   x[i]:add(centers[y[i]])
end

local net = nn.Sequential()
net:add(nn.Linear(size, 12)):add(nn.Tanh()):add(nn.Linear(12, classes)):add(nn.LogSoftMax())
local criterion = nn.ClassNLLCriterion()

for i = 1, iterations do
   net:zeroGradParameters()
   local output = net:forward(x)
   local loss = criterion:forward(output, y)
   net:backward(x, criterion:backward(output, y))
   net:updateParameters(0.1)
   if i % 100 == 0 then
      print('iteration ' .. i .. ': loss ' .. loss)
   end
end

local function right(input)
   local _, best = net:forward(input):max(2)
   local n = 0
   for i = 1, count do
      if best[i][1] == y[i] then n = n + 1 end
   end
   return n
end

-- The fast gradient sign method.
local function worse(input, target, epsilon)
   local output = net:forward(input)
   criterion:forward(output, target)
   local df_do = criterion:backward(output, target)
   local dx = net:updateGradInput(input, df_do)
   return input + torch.sign(dx) * epsilon
end

print('right: ' .. right(x) .. ' of ' .. count)
for _, epsilon in ipairs{0.1, 0.5, 1} do
   print('right, all inputs changed by ' .. epsilon .. ': ' .. right(worse(x, y, epsilon)))
end

-- Which numbers of an input its class depends on.
local one = x[1]:clone()
local scores = net:forward(one)
local gradOutput = torch.zeros(classes)
gradOutput[y[1]] = 1
local saliency = net:updateGradInput(one, gradOutput):clone():abs()
local _, most = saliency:max(1)
print(string.format('the first is of class %d with %.3f, mostly by its number %d', y[1], math.exp(scores[y[1]]), most[1]))

-- From nothing to an input of class 2.
local dreamt = torch.zeros(size)
for i = 1, 20 do
   net:forward(dreamt)
   local wanted = torch.Tensor{0, 1, 0}
   local dx = net:updateGradInput(dreamt, wanted)
   dreamt:add(0.2 / (torch.abs(dx):mean() + 1e-8), dx)
end
print(string.format('made: class 2 with %.4f', math.exp(net:forward(dreamt)[2])))
