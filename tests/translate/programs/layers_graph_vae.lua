-- A variational autoencoder as a graph, with a sampler in it and a criterion of two inputs.
require 'nngraph'
require 'optim'
torch.manualSeed(9)
local D, H, Z, N, B = 12, 10, 2, 60, 10

local Around, parent = torch.class('nn.Around', 'nn.Module')
function Around:__init()
  parent.__init(self)
  self.gradInput = {}
end
function Around:updateOutput(pair)
  self.noise = self.noise or pair[1].new()
  self.noise:resizeAs(pair[1])
  self.noise:copy(torch.randn(pair[1]:size()))
  self.output:resizeAs(pair[1])
  self.output:copy(pair[2]):div(2):exp():cmul(self.noise):add(pair[1])
  return self.output
end
function Around:updateGradInput(pair, above)
  for i = 1, 2 do
    self.gradInput[i] = self.gradInput[i] or above.new()
    self.gradInput[i]:resizeAs(above)
  end
  self.gradInput[1]:copy(above)
  self.gradInput[2]:copy(pair[2]):div(2):exp():div(2):cmul(self.noise):cmul(above)
  return self.gradInput
end

local Nats, nats_parent = torch.class('nn.Nats', 'nn.Criterion')
function Nats:updateOutput(middle, spread)
  local terms = torch.exp(spread):add(-1):add(-1, spread):add(torch.cmul(middle, middle))
  self.output = terms:sum() / 2
  return self.output
end
function Nats:updateGradInput(middle, spread)
  self.gradInput = {middle:clone(), torch.exp(spread):add(-1):div(2)}
  return self.gradInput
end

local x = nn.Identity()()
local h = nn.ReLU()(nn.Linear(D, H)(x))
local mean, logvar = nn.Linear(H, Z)(h), nn.Linear(H, Z)(h)
local z = nn.Around()({mean, logvar})
local dec = nn.Sigmoid()(nn.Linear(H, D)(nn.ReLU()(nn.Linear(Z, H)(z))))
local net = nn.gModule({x}, {dec, mean, logvar})
local bce = nn.BCECriterion()
bce.sizeAverage = false
local kld = nn.Nats()
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
