-- The settings of normalizations.
require 'nn'
local net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.BatchNormalization(4, 1e-3, 0.2)):add(nn.ReLU())
local found = net:findModules('nn.BatchNormalization')[1]
print(found.eps, found.momentum, found.affine, found.running_mean:sum())
local alone = nn.SpatialBatchNormalization(2, nil, nil, false)
if alone.affine then print('affine') else print('plain', alone.eps) end
