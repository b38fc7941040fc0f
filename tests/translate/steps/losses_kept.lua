require 'nn'
require 'optim'
torch.manualSeed(7)
local net = nn.Sequential():add(nn.Linear(3, 5)):add(nn.Tanh()):add(nn.Linear(5, 2))
local mse = nn.MSECriterion()
local x, y = torch.randn(8, 3), torch.randn(8, 2)
local w, g = net:getParameters()
local function feval(p)
  if p ~= w then w:copy(p) end
  g:zero()
  local out = net:forward(x)
  local err = mse:forward(out, y)
  net:backward(x, mse:backward(out, y))
  return err, g
end
-- history of losses, and the whole table
local s = {learningRate = 0.1}
local history = {}
for i = 1, 4 do
  local new_w, fs = optim.adagrad(feval, w, s)
  history[i] = fs
  if i > 1 then print(history[i][1] < history[i - 1][1], new_w == w) end
end
print(history[1][1], history[4][1])
