-- Weights copied from one network into parts of a larger one.
require 'nn'
torch.manualSeed(3)
local base = nn.Sequential():add(nn.Linear(4, 6)):add(nn.Tanh()):add(nn.Linear(6, 3))
local wide = nn.Sequential():add(nn.Linear(4, 6)):add(nn.Tanh()):add(nn.Linear(6, 5))
for i, m in ipairs(base.modules) do
  if m.weight and i < 3 then
    wide:get(i).weight:copy(m.weight)
    wide:get(i).bias:copy(m.bias)
  end
end
wide:get(3).weight:narrow(1, 1, 3):copy(base:get(3).weight)
wide:get(3).bias[{{1, 3}}]:copy(base:get(3).bias)
wide:get(3).bias[4] = 0.5
local x = torch.randn(5, 4)
print((wide:forward(x):narrow(2, 1, 3) - base:forward(x)):norm())
local p = 0
for i, m in ipairs(wide:listModules()) do
  if m.weight then p = p + m.weight:nElement() + m.bias:nElement() end
end
print(p)
