-- A model for several graphics cards, where there are several.
require 'nn'
local opt = {nGPU = 0, backend = 'nn', type = 'float'}
torch.manualSeed(2)
local function makeDataParallel(model, nGPU)
  if nGPU > 1 then
    local gpus = torch.range(1, nGPU):totable()
    local dpt = nn.DataParallelTable(1):add(model, gpus)
    model = dpt:cuda()
  end
  return model
end
local model = nn.Sequential():add(nn.Linear(4, 3)):add(nn.LogSoftMax())
model = makeDataParallel(model, opt.nGPU)
if opt.backend == 'cudnn' then
  require 'cudnn'
  cudnn.convert(model, cudnn)
end
local criterion = nn.ClassNLLCriterion()
if opt.nGPU > 0 then
  model:cuda()
  criterion:cuda()
end
local x, y = torch.randn(6, 4), torch.Tensor{1, 2, 3, 1, 2, 3}
for i = 1, 3 do
  local out = model:forward(x)
  local loss = criterion:forward(out, y)
  model:zeroGradParameters()
  model:backward(x, criterion:backward(out, y))
  model:updateParameters(0.1)
  print(loss)
end
