-- a layer that does not learn, but whose weights decay, with an optimizer out of a list
require 'nn'
require 'optim'
torch.manualSeed(1)
local net = nn.Sequential()
local frozen = nn.Linear(3, 4)
frozen.accGradParameters = function() end
net:add(frozen):add(nn.Tanh()):add(nn.Linear(4, 1))
local crit = nn.MSECriterion()
local methods = {optim.adadelta, optim.adam}
local params, grads = net:getParameters()
local x, y = torch.randn(6, 3), torch.randn(6, 1)
for k = 1, 2 do
  local method, config, state = methods[k], k == 2 and {learningRate = 0.1, weightDecay = 0.1} or {rho = 0.9}, {}
  for i = 1, 3 do
    local _, l = method(function(w)
      grads:zero()
      local l = crit:forward(net:forward(x), y)
      net:backward(x, crit:backward(net.output, y))
      return l, grads
    end, params, config, state)
    print(l[1])
  end
  print(frozen.weight:sum())
end
