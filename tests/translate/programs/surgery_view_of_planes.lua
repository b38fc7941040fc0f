-- A View of a size in variables, for one example and for several.
require 'nn'
torch.manualSeed(5)
local nstates = {4, 6}
local filt = 5
local function build(n, side)
  local model = nn.Sequential()
  model:add(nn.SpatialConvolution(1, nstates[1], filt, filt)):add(nn.Tanh())
  model:add(nn.SpatialMaxPooling(2, 2, 2, 2))
  model:add(nn.View(nstates[1] * side * side)):add(nn.Linear(nstates[1] * side * side, n)):add(nn.LogSoftMax())
  return model
end
local model = build(3, 4)
local x, y = torch.randn(3, 1, 12, 12), torch.Tensor{1, 3, 2}
local crit = nn.ClassNLLCriterion()
for i = 1, 3 do
  local total = 0
  for j = 1, 3 do
    local out = model:forward(x[j])
    total = total + crit:forward(out, y[j])
    model:zeroGradParameters()
    model:backward(x[j], crit:backward(out, y[j]))
    model:updateParameters(0.1)
  end
  print(total, model:forward(x):sum())
end
