-- A network from functions in a table, chosen by an option.
require 'nn'
torch.manualSeed(2)
local opt = {act = 'relu', hidden = {8, 6}, dropout = 0, batchnorm = true}
local activations = {
  relu = function() return nn.ReLU(true) end,
  tanh = function() return nn.Tanh() end,
}
local function layer(nin, nout, last)
  local block = nn.Sequential()
  block:add(nn.Linear(nin, nout))
  if opt.batchnorm and not last then block:add(nn.BatchNormalization(nout)) end
  if not last then block:add(activations[opt.act]()) end
  if opt.dropout > 0 then block:add(nn.Dropout(opt.dropout)) end
  return block
end
local function build(nin, nout)
  local net = nn.Sequential()
  local n = nin
  for _, h in ipairs(opt.hidden) do
    net:add(layer(n, h))
    n = h
  end
  net:add(layer(n, nout, true))
  return net
end
local net = build(4, 2)
local crit = nn.MSECriterion()
local x, y = torch.randn(6, 4), torch.randn(6, 2)
for i = 1, 3 do
  local out = net:forward(x)
  local loss = crit:forward(out, y)
  net:zeroGradParameters()
  net:backward(x, crit:backward(out, y))
  net:updateParameters(0.1)
  print(loss)
end
net:evaluate()
print(net:forward(x):norm(), #net.modules)
