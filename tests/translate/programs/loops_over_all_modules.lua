-- Loops over the list of all modules, which only look at those with weights.
require 'nn'
torch.manualSeed(4)
local net = nn.Sequential()
net:add(nn.Linear(6, 5)); net:add(nn.PReLU()); net:add(nn.Linear(5, 5)); net:add(nn.ELU()); net:add(nn.Linear(5, 3))
local count, sums = 0, {}
for _, m in ipairs(net:listModules()) do
   if m.weight then
      count = count + m.weight:nElement()
      sums[#sums + 1] = m.weight:sum()
      if m.bias then count = count + m.bias:nElement() end
   end
end
print(count, #sums)
for i = 1, #sums do print(sums[i]) end
for _, m in pairs(net:listModules()) do
   if torch.type(m) == 'nn.Linear' then m.bias:zero() end
end
print(net:forward(torch.ones(2, 6)):sum())
