require 'nn'
require 'optim'
torch.manualSeed(7)
-- a parameter-server way: gradients of workers added up by hand
local net = nn.Linear(3, 2)
local w, g = net:getParameters()
local mse = nn.MSECriterion()
local x, y = torch.randn(8, 3), torch.randn(8, 2)
local sum = torch.zeros(g:size(1))
local s = {learningRate = 0.1}
for step = 1, 3 do
  sum:zero()
  for worker = 1, 4 do
    net:zeroGradParameters()
    local bx, by = x:narrow(1, 2 * worker - 1, 2), y:narrow(1, 2 * worker - 1, 2)
    local l = mse:forward(net:forward(bx), by)
    net:backward(bx, mse:backward(net.output, by))
    sum:add(g)
  end
  sum:div(4)
  g:copy(sum)
  optim.sgd(function() return 0, g end, w, s)
  print(w:norm())
end
