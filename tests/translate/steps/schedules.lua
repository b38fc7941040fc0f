require 'nn'
require 'optim'
torch.manualSeed(7)
local net = nn.Sequential():add(nn.Linear(3, 5)):add(nn.Tanh()):add(nn.Linear(5, 2))
local mse = nn.MSECriterion()
local x, y = torch.randn(8, 3), torch.randn(8, 2)
local w, g = net:getParameters()
local function feval(p)
  g:zero()
  local out = net:forward(x)
  local err = mse:forward(out, y)
  net:backward(x, mse:backward(out, y))
  return err, g
end
-- warm restarts, a cosine, and one cycle
local s = {learningRate = 0.1, momentum = 0.9, dampening = 0.0}
local function cosine(t, T) return 0.5 * 0.1 * (1 + math.cos(math.pi * t / T)) end
for t = 0, 5 do
  s.learningRate = cosine(t % 3, 3)
  local _, fs = optim.sgd(feval, w, s)
  print(t, s.learningRate, fs[1])
end
local schedule = {{1, 0.1}, {3, 0.05}, {5, 0.01}}
local lr
for epoch = 1, 6 do
  for _, step in ipairs(schedule) do
    if epoch == step[1] then lr = step[2]; s.learningRate = lr; print('new rate', lr) end
  end
  optim.sgd(feval, w, s)
end
print(w:norm())
