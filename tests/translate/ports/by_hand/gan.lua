-- Two networks that learn against each other; both begin with a layer of the same sizes.
require 'nn'
require 'optim'
torch.manualSeed(3)

local G = nn.Sequential():add(nn.Linear(2, 8)):add(nn.ReLU(true)):add(nn.Linear(8, 2))
local D = nn.Sequential():add(nn.Linear(2, 8)):add(nn.LeakyReLU(0.2, true)):add(nn.Linear(8, 1)):add(nn.Sigmoid())
local function init(m)
   if m.weight then
      m.weight:normal(0, 0.5)
      m.bias:fill(0)
   end
end
G:apply(init)
D:apply(init)
local criterion = nn.BCECriterion()
local weightsD, gradientsD = D:getParameters()
local weightsG, gradientsG = G:getParameters()
local label, noise, real, fake = torch.Tensor(8, 1), torch.Tensor(8, 2), torch.Tensor(8, 2), nil
local lossD, lossG

local function ofD()
   gradientsD:zero()
   real:normal(1, 0.1)
   label:fill(1)
   lossD = criterion:forward(D:forward(real), label)
   D:backward(real, criterion:backward(D.output, label))
   noise:normal(0, 1)
   fake = G:forward(noise)
   label:fill(0)
   lossD = lossD + criterion:forward(D:forward(fake), label)
   D:backward(fake, criterion:backward(D.output, label))
   return lossD, gradientsD
end

local function ofG()
   gradientsG:zero()
   label:fill(1)
   lossG = criterion:forward(D:forward(fake), label)
   G:backward(noise, D:updateGradInput(fake, criterion:backward(D.output, label)))
   return lossG, gradientsG
end

for step = 1, tonumber(arg[1]) or 5 do
   optim.sgd(ofD, weightsD, {learningRate = 0.1})
   optim.sgd(ofG, weightsG, {learningRate = 0.1})
   print(step, lossD, lossG)
end
