-- a criterion that is only asked for gradients averages nothing
require 'nn'
torch.manualSeed(5)
local nets = {}
for k = 1, 2 do
  nets[k] = nn.Sequential():add(nn.Linear(6, 10)):add(nn.ReLU()):add(nn.Linear(10, 3)):add(nn.LogSoftMax())
end
local crit = nn.ClassNLLCriterion()
local X, Y = torch.randn(30, 6), torch.Tensor(30):random(3)
for k, net in ipairs(nets) do print(k, net:forward(X):sum()) end
for epoch = 1, 2 do
  for k, net in ipairs(nets) do
    local out = net:forward(X)
    net:zeroGradParameters()
    net:backward(X, crit:backward(out, Y))
    net:updateParameters(0.3 / k)
    print(out:sum(), net:get(1).weight:sum())
  end
end
