-- Two networks against each other: a generator makes points of noise, a discriminator tells them from points of a
-- ring, and each learns from the other. Both with optim.adam, as in programs that make images so.
--
--    adversarial.lua [iterations]
require 'nn'
require 'optim'

torch.manualSeed(2)

iterations = tonumber(arg[1]) or 400
local batch, nz = 32, 4
local real_label, fake_label = 1, 0

local netG = nn.Sequential()
netG:add(nn.Linear(nz, 16)):add(nn.Tanh())
netG:add(nn.Linear(16, 2))

local netD = nn.Sequential()
netD:add(nn.Linear(2, 16)):add(nn.LeakyReLU(0.2, true))
netD:add(nn.Linear(16, 1)):add(nn.Sigmoid())

local criterion = nn.BCECriterion()
local optimStateG = {learningRate = 0.01, beta1 = 0.5}
local optimStateD = {learningRate = 0.01, beta1 = 0.5}

local input = torch.Tensor(batch, 2)
local noise = torch.Tensor(batch, nz)
local label = torch.Tensor(batch, 1)
local errD, errG

local parametersD, gradParametersD = netD:getParameters()
local parametersG, gradParametersG = netG:getParameters()
parametersD:normal(0, 0.3)
parametersG:normal(0, 0.3)

-- Points of a ring, not quite on it.
local function sample()
   local angle = torch.Tensor(batch):uniform(0, 2 * math.pi)
   local points = torch.randn(batch, 2) * 0.05
   for i = 1, batch do
      points[i][1] = points[i][1] + math.cos(angle[i])
      points[i][2] = points[i][2] + math.sin(angle[i])
   end
   return points
end

-- The discriminator's step: real points, then made ones.
local fDx = function(x)
   gradParametersD:zero()

   input:copy(sample())
   label:fill(real_label)
   local output = netD:forward(input)
   local errD_real = criterion:forward(output, label)
   netD:backward(input, criterion:backward(output, label))

   noise:normal(0, 1)
   local fake = netG:forward(noise)
   input:copy(fake)
   label:fill(fake_label)
   output = netD:forward(input)
   local errD_fake = criterion:forward(output, label)
   netD:backward(input, criterion:backward(output, label))

   errD = errD_real + errD_fake
   return errD, gradParametersD
end

-- The generator's: what the discriminator said of the made points is still there.
local fGx = function(x)
   gradParametersG:zero()

   label:fill(real_label)                   -- for the generator, made points are right when they pass for real ones
   local output = netD.output
   errG = criterion:forward(output, label)
   local df_do = criterion:backward(output, label)
   local df_dg = netD:updateGradInput(input, df_do)
   netG:backward(noise, df_dg)
   return errG, gradParametersG
end

for i = 1, iterations do
   optim.adam(fDx, parametersD, optimStateD)
   optim.adam(fGx, parametersG, optimStateG)
   if i == 1 or i % 100 == 0 then
      print(('iteration %d: discriminator %.5f, generator %.5f'):format(i, errD, errG))
   end
end

-- How far from the middle the made points are.
noise:normal(0, 1)
local made = netG:forward(noise)
local radius = torch.cmul(made, made):sum(2):sqrt()
print(string.format('radius %.3f, the ring has 1', radius:mean()))
