-- A package of layers that is chosen by an option
require 'nn'
local opt = {backend = #arg > 5 and 'cudnn' or 'nn'}
local backend
if opt.backend == 'cudnn' then
  require 'cudnn'
  backend = cudnn
else
  backend = nn
end
torch.manualSeed(1)
local net = nn.Sequential():add(backend.SpatialConvolution(1, 2, 3, 3)):add(backend.ReLU(true))
print(net:forward(torch.ones(1, 4, 4)):size())
