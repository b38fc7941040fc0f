-- Outputs of layers inside a model, read after its forward.
require 'nn'
torch.manualSeed(2)
local net = nn.Sequential()
net:add(nn.SpatialConvolution(1, 3, 3, 3)):add(nn.ReLU())
net:add(nn.SpatialMaxPooling(2, 2, 2, 2))
net:add(nn.View(3 * 3 * 3)):add(nn.Linear(27, 5)):add(nn.Tanh()):add(nn.Linear(5, 2)):add(nn.LogSoftMax())
local feats = torch.Tensor(4, 5)
for i = 1, 4 do
  local x = torch.randn(1, 8, 8)
  net:forward(x)
  feats[i]:copy(net:get(6).output)
  print(i, net.modules[3].output:size(1), net:get(2).output:sum())
end
print(feats:norm())
