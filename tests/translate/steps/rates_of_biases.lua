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
-- rates: weights and biases, by a vector; then a state with a config apart
local rates = torch.Tensor(w:size(1)):fill(1)
local at = 1
for _, m in ipairs(net.modules) do
  if m.weight then
    rates:narrow(1, at, m.weight:nElement()):fill(1)
    at = at + m.weight:nElement()
    rates:narrow(1, at, m.bias:nElement()):fill(2)
    at = at + m.bias:nElement()
  end
end
local s = {learningRate = 0.05, learningRates = rates, weightDecay = 1e-3, momentum = 0.9, learningRateDecay = 0.1}
for i = 1, 4 do
  local _, fs = optim.sgd(feval, w, s)
  print(fs[1])
end
