require 'nn'
require 'optim'
torch.manualSeed(3)
local nz, batch = 4, 8
local real_label, fake_label = 1, 0
local netG = nn.Sequential()
netG:add(nn.Linear(nz, 8)):add(nn.ReLU(true))
netG:add(nn.Linear(8, 2))
local netD = nn.Sequential()
netD:add(nn.Linear(2, 8)):add(nn.LeakyReLU(0.2, true))
netD:add(nn.Linear(8, 1)):add(nn.Sigmoid())
local criterion = nn.BCECriterion()
local optimStateG = {learningRate = 0.01, beta1 = 0.5}
local optimStateD = {learningRate = 0.01, beta1 = 0.5}
local input = torch.Tensor(batch, 2)
local noise = torch.Tensor(batch, nz)
local label = torch.Tensor(batch)
local errD, errG
local gpu = 0
if gpu > 0 then
   require 'cunn'
   input = input:cuda(); noise = noise:cuda(); label = label:cuda()
   netD:cuda(); netG:cuda(); criterion:cuda()
end
local noise_vis = noise:clone()
noise_vis:normal(0, 1)
local parametersD, gradParametersD = netD:getParameters()
local parametersG, gradParametersG = netG:getParameters()
local fDx = function(x)
   gradParametersD:zero()
   -- train with real
   local real = torch.randn(batch, 2):mul(0.5):add(1)
   input:copy(real)
   label:fill(real_label)
   local output = netD:forward(input)
   local errD_real = criterion:forward(output, label)
   local df_do = criterion:backward(output, label)
   netD:backward(input, df_do)
   -- train with fake
   noise:normal(0, 1)
   local fake = netG:forward(noise)
   input:copy(fake)
   label:fill(fake_label)
   local output = netD:forward(input)
   local errD_fake = criterion:forward(output, label)
   local df_do = criterion:backward(output, label)
   netD:backward(input, df_do)
   errD = errD_real + errD_fake
   return errD, gradParametersD
end
local fGx = function(x)
   gradParametersG:zero()
   label:fill(real_label) -- fake labels are real for generator cost
   local output = netD.output
   errG = criterion:forward(output, label)
   local df_do = criterion:backward(output, label)
   local df_dg = netD:updateGradInput(input, df_do)
   netG:backward(noise, df_dg)
   return errG, gradParametersG
end
for i = 1, 20 do
   optim.adam(fDx, parametersD, optimStateD)
   optim.adam(fGx, parametersG, optimStateG)
   if i % 5 == 0 then
      local shown = netG:forward(noise_vis)
      print(shown:mean())
   end
   print(string.format('%d errD %.12f errG %.12f', i, errD, errG))
end
