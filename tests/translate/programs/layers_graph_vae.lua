-- A variational autoencoder as a graph, with a sampler in it and a criterion of two inputs.
require 'nngraph'
require 'optim'
torch.manualSeed(9)
local D, H, Z, N, B = 12, 10, 2, 60, 10

local Sampler, parent = torch.class('nn.GaussSampler', 'nn.Module')
function Sampler:__init() parent.__init(self); self.gradInput = {} end
function Sampler:updateOutput(input)
  self.eps = self.eps or input[1].new()
  self.eps:resizeAs(input[1]):copy(torch.randn(input[1]:size()))
  self.output:resizeAs(input[2]):copy(input[2]):mul(0.5):exp():cmul(self.eps):add(input[1])
  return self.output
end
function Sampler:updateGradInput(input, gradOutput)
  self.gradInput[1] = self.gradInput[1] or input[1].new()
  self.gradInput[1]:resizeAs(gradOutput):copy(gradOutput)
  self.gradInput[2] = self.gradInput[2] or input[2].new()
  self.gradInput[2]:resizeAs(gradOutput):copy(input[2]):mul(0.5):exp():mul(0.5):cmul(self.eps):cmul(gradOutput)
  return self.gradInput
end

local KLD, kparent = torch.class('nn.KLDCriterion', 'nn.Criterion')
function KLD:updateOutput(mean, logvar)
  local term = torch.pow(mean, 2):mul(-1):add(-1, torch.exp(logvar)):add(logvar):add(1)
  self.output = -0.5 * torch.sum(term)
  return self.output
end
function KLD:updateGradInput(mean, logvar)
  self.gradInput = {mean:clone(), torch.exp(logvar):mul(-1):add(1):mul(-0.5)}
  return self.gradInput
end

local x = nn.Identity()()
local h = nn.ReLU()(nn.Linear(D, H)(x))
local mean, logvar = nn.Linear(H, Z)(h), nn.Linear(H, Z)(h)
local z = nn.GaussSampler()({mean, logvar})
local dec = nn.Sigmoid()(nn.Linear(H, D)(nn.ReLU()(nn.Linear(Z, H)(z))))
local net = nn.gModule({x}, {dec, mean, logvar})
local bce = nn.BCECriterion()
bce.sizeAverage = false
local kld = nn.KLDCriterion()
local data = torch.rand(N, D):gt(0.6):double()
local w, g = net:getParameters()
local cfg = {learningRate = 0.01}
for epoch = 1, 3 do
  local lower = 0
  for i = 1, N, B do
    local batch = data:narrow(1, i, B)
    local function feval(p)
      if p ~= w then w:copy(p) end
      net:zeroGradParameters()
      local out = net:forward(batch)
      local r, m, lv = unpack(out)
      local err = bce:forward(r, batch)
      local dr = bce:backward(r, batch)
      local kl = kld:forward(m, lv)
      local dk = kld:backward(m, lv)
      net:backward(batch, {dr, dk[1], dk[2]})
      return err + kl, g
    end
    local _, f = optim.adam(feval, w, cfg)
    lower = lower + f[1]
  end
  print(epoch, string.format('%.6f', lower / N))
end
