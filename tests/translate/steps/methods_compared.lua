require 'nn'
require 'optim'
torch.manualSeed(3)
local net = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 2))
local mse = nn.MSECriterion()
local x, y = torch.randn(5, 3), torch.randn(5, 2)
local w, g = net:getParameters()
local function feval()
   g:zero()
   local loss = mse:forward(net:forward(x), y)
   net:backward(x, mse:backward(net.output, y))
   return loss, g
end
local start = w:clone()
local function run(name, config)
   w:copy(start)
   local state = {learningRate = config.learningRate}
   local losses = {}
   for i = 1, 5 do
      local _, fs = optim[name](feval, w, state)
      table.insert(losses, fs[1])
   end
   return losses
end
for _, name in ipairs{'sgd', 'adam', 'rmsprop'} do
   local losses = run(name, {learningRate = 0.01})
   print(name, losses[1], losses[#losses])
end
-- by hand
if 'sgd' == 'sgd' then
  local optimize
  local which = 'adam'
  if which == 'adam' then optimize = optim.adam else optimize = optim.sgd end
  local state = {learningRate = 0.01}
  for i = 1, 3 do
     local _, fs = optimize(feval, w, state)
     print(fs[1])
  end
end
