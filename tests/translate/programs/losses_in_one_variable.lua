-- two losses in one variable, each with a pass of its own
require 'nn'
torch.manualSeed(1)
local D, crit = nn.Sequential():add(nn.Linear(2, 3)):add(nn.Tanh()):add(nn.Linear(3, 1)), nn.MSECriterion()
local a, b, y = torch.randn(4, 2), torch.randn(4, 2), torch.randn(4, 1)
for i = 1, 3 do
  D:zeroGradParameters()
  local out = D:forward(a)
  local err = crit:forward(out, y)
  D:backward(a, crit:backward(out, y))
  out = D:forward(b)
  err = err + crit:forward(out, y)
  D:backward(b, crit:backward(out, y))
  D:updateParameters(0.1)
  print(err)
end
require 'optim'
local nz, batch = 2, 16
local G = nn.Sequential():add(nn.JoinTable(2)):add(nn.Linear(nz + 1, 8)):add(nn.LeakyReLU(0.1)):add(nn.Linear(8, 1))
local D = nn.Sequential():add(nn.JoinTable(2)):add(nn.Linear(2, 8)):add(nn.LeakyReLU(0.1)):add(nn.Linear(8, 1)):add(nn.Sigmoid())
local crit = nn.BCECriterion()
local pG, gG = G:getParameters()
local pD, gD = D:getParameters()
local sG, sD = {learningRate = 0.01, beta1 = 0.5}, {learningRate = 0.01, beta1 = 0.5}
local ones, zeros = torch.ones(batch, 1), torch.zeros(batch, 1)
local function real()
  local c = torch.Tensor(batch, 1):bernoulli(0.5)
  return torch.randn(batch, 1):mul(0.2):add(c * 2 - 1), c
end
for it = 1, 15 do
  local errD, errG
  local x, c = real()
  local z = torch.randn(batch, nz)
  optim.adam(function()
    gD:zero()
    local out = D:forward{x, c}
    errD = crit:forward(out, ones * 0.9)
    D:backward({x, c}, crit:backward(out, ones * 0.9))
    local fake = G:forward{z, c}
    out = D:forward{fake, c}
    errD = errD + crit:forward(out, zeros)
    D:backward({fake, c}, crit:backward(out, zeros))
    return errD, gD
  end, pD, sD)
  optim.adam(function()
    gG:zero()
    local fake = G:forward{z, c}
    local out = D:forward{fake, c}
    errG = crit:forward(out, ones)
    local dx = D:updateGradInput({fake, c}, crit:backward(out, ones))
    G:backward({z, c}, dx[1])
    return errG, gG
  end, pG, sG)
  if it % 5 == 0 then print(string.format('%d %.6f %.6f', it, errD, errG)) end
end
