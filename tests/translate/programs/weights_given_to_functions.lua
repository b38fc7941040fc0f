-- functions of the program that write into weights, or only read them
require 'nn'
torch.manualSeed(75)
local function orthogonal(m)
  local q = torch.qr(torch.randn(m:size(1), m:size(1)))
  m:copy(q:narrow(2, 1, m:size(2)))
end
local function largest(w) return w:norm(2, 2):max() end
local net = nn.Sequential():add(nn.Linear(4, 4)):add(nn.Tanh()):add(nn.Linear(4, 2))
orthogonal(net:get(1).weight)
local criterion = nn.MSECriterion()
local x, y = torch.randn(10, 4), torch.randn(10, 2)
for i = 1, 3 do
  local out = net:forward(x)
  local loss = criterion:forward(out, y)
  net:zeroGradParameters()
  net:backward(x, criterion:backward(out, y))
  net:updateParameters(0.5)
  local s = largest(net:get(1).weight)
  if s > 1 then net:get(1).weight:div(s) end
  print(loss, s)
end
