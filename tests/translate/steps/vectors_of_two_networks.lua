require 'nn'
torch.manualSeed(7)
local mse = nn.MSECriterion()
local x, y = torch.randn(8, 3), torch.randn(8, 2)
local a, b = nn.Linear(3, 2), nn.Linear(3, 2)
local w, g = a:getParameters()
for i = 1, 3 do
  g:zero()
  print(mse:forward(a:forward(x), y))
  a:backward(x, mse:backward(a.output, y))
  w:add(-0.1, g)
end
w, g = b:getParameters()
for i = 1, 3 do
  g:zero()
  print(mse:forward(b:forward(x), y))
  b:backward(x, mse:backward(b.output, y))
  w:add(-0.1, g)
end
