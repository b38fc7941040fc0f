require 'nn'
require 'optim'
torch.manualSeed(7)
-- agents in a list, each with a net, vectors and a state
local agents = {}
for i = 1, 2 do
  local a = {}
  a.net = nn.Linear(3, 2)
  a.w, a.g = a.net:getParameters()
  a.state = {learningRate = 0.1 * i, momentum = 0.5}
  agents[i] = a
end
local mse = nn.MSECriterion()
local x, y = torch.randn(8, 3), torch.randn(8, 2)
for t = 1, 3 do
  for i, a in ipairs(agents) do
    local function feval()
      a.g:zero()
      local out = a.net:forward(x)
      local l = mse:forward(out, y)
      a.net:backward(x, mse:backward(out, y))
      return l, a.g
    end
    local _, fs = optim.sgd(feval, a.w, a.state)
    print(t, i, fs[1])
  end
end
