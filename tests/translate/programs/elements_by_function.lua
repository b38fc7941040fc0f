-- Functions for elements that take nothing, count, and draw
local series = torch.Tensor(3, 6)
for i = 1, 3 do
  local j = 0
  series[i]:apply(function() j = j + 1; return math.sin(j * 0.3 * i) end)
end
print(series:sum())
torch.manualSeed(1)
local C = torch.Tensor(5)
C:apply(function() return torch.random(1, 3) end)
print(C:sum())
local D = torch.Tensor(2, 3):apply(function() return torch.uniform() * 2 end)
print(D:sum())
