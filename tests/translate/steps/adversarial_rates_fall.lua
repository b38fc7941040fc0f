require 'nn'
require 'optim'
torch.manualSeed(7)
-- adversarial nets with states in tables
local G = nn.Sequential():add(nn.Linear(2, 6)):add(nn.ReLU()):add(nn.Linear(6, 3))
local D = nn.Sequential():add(nn.Linear(3, 6)):add(nn.LeakyReLU(0.2)):add(nn.Linear(6, 1)):add(nn.Sigmoid())
local bce = nn.BCECriterion()
local pD, gD = D:getParameters()
local pG, gG = G:getParameters()
local config = {lr = 0.01, beta1 = 0.5}
local stateD = {learningRate = config.lr, beta1 = config.beta1}
local stateG = {learningRate = config.lr, beta1 = config.beta1}
local real, noise, label = torch.randn(8, 3), torch.Tensor(8, 2), torch.Tensor(8, 1)
local errD, errG
local fDx = function(x)
  gD:zero()
  label:fill(1)
  local out = D:forward(real)
  local eReal = bce:forward(out, label)
  D:backward(real, bce:backward(out, label))
  noise:normal(0, 1)
  local fake = G:forward(noise)
  label:fill(0)
  local out = D:forward(fake)
  local eFake = bce:forward(out, label)
  D:backward(fake, bce:backward(out, label))
  errD = eReal + eFake
  return errD, gD
end
local fGx = function(x)
  gG:zero()
  label:fill(1)
  local fake = G:forward(noise)
  local out = D:forward(fake)
  errG = bce:forward(out, label)
  local dfake = D:updateGradInput(fake, bce:backward(out, label))
  G:backward(noise, dfake)
  return errG, gG
end
for i = 1, 6 do
  optim.adam(fDx, pD, stateD)
  optim.adam(fGx, pG, stateG)
  print(('Epoch %d  Err_G: %.6f  Err_D: %.6f'):format(i, errG, errD))
  if i % 3 == 0 then stateD.learningRate = stateD.learningRate / 2; stateG.learningRate = stateG.learningRate / 2 end
end
