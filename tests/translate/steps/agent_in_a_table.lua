require 'nn'
require 'optim'
torch.manualSeed(7)
local agent = {}
agent.net = nn.Sequential():add(nn.Linear(3, 8)):add(nn.Tanh()):add(nn.Linear(8, 2))
agent.w, agent.dw = agent.net:getParameters()
agent.optim = {learningRate = 0.01, alpha = 0.95}
local mse = nn.MSECriterion()
local function learn(x, y)
  local function feval(w)
    agent.dw:zero()
    local out = agent.net:forward(x)
    local err = mse:forward(out, y)
    agent.net:backward(x, mse:backward(out, y))
    return err, agent.dw
  end
  local _, f = optim.rmsprop(feval, agent.w, agent.optim)
  return f[1]
end
local X, Y = torch.randn(10, 3), torch.randn(10, 2)
for i = 1, 6 do print(i, learn(X, Y)) end
