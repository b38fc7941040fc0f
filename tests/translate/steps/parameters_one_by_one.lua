require 'nn'
require 'optim'
torch.manualSeed(7)
local net = nn.Sequential():add(nn.Linear(3, 5)):add(nn.Tanh()):add(nn.Linear(5, 2))
local mse = nn.MSECriterion()
local x, y = torch.randn(8, 3), torch.randn(8, 2)
local params, grads = net:parameters()
print(#params, params[1]:size(1), params[2]:norm())
for i = 1, #params do params[i]:mul(0.9) end
local rates = {0.1, 0.2, 0.05, 0.1}
local velocity = {}
for i, p in ipairs(params) do velocity[i] = p:clone():zero() end
for step = 1, 4 do
  net:zeroGradParameters()
  local loss = mse:forward(net:forward(x), y)
  net:backward(x, mse:backward(net.output, y))
  for i = 1, #grads do
    local n = grads[i]:norm()
    if n > 0.2 then grads[i]:mul(0.2 / n) end
  end
  for i = 1, #params do
    velocity[i]:mul(0.9):add(-rates[i], grads[i])
    params[i]:add(velocity[i])
  end
  print(step, loss, params[1]:norm())
end
-- a copy of another network, softly
local target = net:clone()
local tp = target:parameters()
for i = 1, #tp do
  tp[i]:mul(0.5):add(0.5, params[i])
end
for _, p in ipairs(target:parameters()) do print(p:norm()) end
local _, g = net:parameters()
local total = 0
for k, gk in ipairs(g) do total = total + gk:norm()^2 end
print(math.sqrt(total))
net:updateParameters(0.1)
for i, p in ipairs(net:parameters()) do
  if p:dim() == 2 then p:renorm(2, 1, 0.5) end
  print(i, p:norm())
end
