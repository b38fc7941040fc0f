-- A variational autoencoder in a Sequential: a penalty and a sampler on tables, a loss read from a layer.
require 'nn'
require 'optim'
torch.manualSeed(1)
local KLDPenalty, parent = torch.class('nn.KLDPenalty', 'nn.Module')
function KLDPenalty:updateOutput(input)
    local mean, log_var = table.unpack(input)
    self.output = input
    local KLDelements = log_var:clone()
    KLDelements:exp():mul(-1)
    KLDelements:add(-1, torch.pow(mean, 2))
    KLDelements:add(1)
    KLDelements:add(log_var)
    self.loss = -0.5 * torch.sum(KLDelements)
    return self.output
end
function KLDPenalty:updateGradInput(input, gradOutput)
    assert(#gradOutput == 2)
    local mean, log_var = table.unpack(input)
    self.gradInput = {}
    self.gradInput[1] = mean:clone() + gradOutput[1]
    self.gradInput[2] = torch.exp(log_var):mul(-1):add(1):mul(-0.5) + gradOutput[2]
    return self.gradInput
end
local Sampler, parent = torch.class('nn.Sampler', 'nn.Module')
function Sampler:__init()
    parent.__init(self)
    self.gradInput = {}
end
function Sampler:updateOutput(input)
    self.eps = self.eps or input[1].new()
    self.eps:resizeAs(input[1]):copy(torch.randn(input[1]:size()))
    self.ouput = self.output or self.output.new()
    self.output:resizeAs(input[2]):copy(input[2])
    self.output:mul(0.5):exp():cmul(self.eps)
    self.output:add(input[1])
    return self.output
end
function Sampler:updateGradInput(input, gradOutput)
    self.gradInput[1] = self.gradInput[1] or input[1].new()
    self.gradInput[1]:resizeAs(gradOutput):copy(gradOutput)
    self.gradInput[2] = self.gradInput[2] or input[2].new()
    self.gradInput[2]:resizeAs(gradOutput):copy(input[2])
    self.gradInput[2]:mul(0.5):exp():mul(0.5):cmul(self.eps)
    self.gradInput[2]:cmul(gradOutput)
    return self.gradInput
end
local D, H, Z = 8, 6, 2
local encoder = nn.Sequential()
encoder:add(nn.Linear(D, H))
encoder:add(nn.ReLU(true))
local mean_logvar = nn.ConcatTable()
mean_logvar:add(nn.Linear(H, Z))
mean_logvar:add(nn.Linear(H, Z))
encoder:add(mean_logvar)
local decoder = nn.Sequential()
decoder:add(nn.Linear(Z, H))
decoder:add(nn.ReLU(true))
decoder:add(nn.Linear(H, D))
decoder:add(nn.Sigmoid(true))
local KLD = nn.KLDPenalty()
local model = nn.Sequential()
model:add(encoder)
model:add(KLD)
model:add(nn.Sampler())
model:add(decoder)
local criterion = nn.BCECriterion()
criterion.sizeAverage = false
local parameters, gradients = model:getParameters()
local config = {learningRate = 0.01}
local data = torch.rand(40, D):gt(0.5):double()
local batch_size = 10
for epoch = 1, 3 do
  local lowerbound = 0
  for i = 1, data:size(1), batch_size do
    local batch = data:narrow(1, i, batch_size)
    local opfunc = function(x)
      if x ~= parameters then parameters:copy(x) end
      model:zeroGradParameters()
      local f = model:forward(batch)
      local err = criterion:forward(f, batch)
      local df_dw = criterion:backward(f, batch)
      model:backward(batch, df_dw)
      local KLDerr = KLD.loss
      local lb = err + KLDerr
      return lb, gradients
    end
    local x, l = optim.adam(opfunc, parameters, config)
    lowerbound = lowerbound + l[1]
  end
  print('epoch ' .. epoch .. ' ' .. lowerbound / data:size(1))
end
