-- a graph whose layers are made in a loop, named and filled before they are applied
require 'nngraph'
require 'optim'
torch.manualSeed(4)
local opt = {kernels = {2, 3}, maps = 3}
local layers = {}
local function build()
  local input = nn.Identity()()
  local lookup = nn.LookupTable(9, 4)
  lookup.name = 'words'
  lookup.accGradParameters = function() end
  lookup.weight[1]:zero()
  local embedded, parts = lookup(input), {}
  for i = 1, #opt.kernels do
    local convolution = nn.TemporalConvolution(4, opt.maps, opt.kernels[i])
    convolution.weight:mul(0.5)
    convolution.bias:zero()
    convolution.name = 'convolution' .. i
    table.insert(parts, nn.Max(2)(nn.ReLU()(convolution(embedded))))
  end
  local joined = nn.JoinTable(2)(parts)
  local last = nn.Linear(#opt.kernels * opt.maps, 2)
  last.name = 'last'
  return nn.gModule({input}, {nn.LogSoftMax()(last(nn.Dropout(0.5)(joined)))})
end
local net = build()
net:apply(function(layer) if layer.name ~= nil then layers[layer.name] = layer end end)
local weights, gradients = net:getParameters()
local criterion = nn.ClassNLLCriterion()
local x, y = torch.LongTensor(5, 6):random(9), torch.LongTensor(5):random(2)
local method, config, state = optim.adadelta, {rho = 0.95, eps = 1e-6}, {}
net:training()
for i = 1, 3 do
  local _, losses = method(function(w)
    if w ~= weights then weights:copy(w) end
    gradients:zero()
    local loss = criterion:forward(net:forward(x), y)
    net:backward(x, criterion:backward(net.output, y))
    layers.words.gradWeight:zero()
    return loss, gradients
  end, weights, config, state)
  layers.words.weight[1]:zero()
  local w = layers.last.weight
  for j = 1, w:size(1) do
    if w[j]:norm() > 0.5 then w[j]:mul(0.5):div(1e-7 + w[j]:norm()) end
  end
  print(losses[1], layers.last.weight:norm())
end
