-- Whether modules hold others, and parts that take the place of others
require 'nn'
local net = nn.Sequential():add(nn.Tanh()):add(nn.Sequential():add(nn.Linear(4, 4))):add(nn.Identity())
local n = 0
for i, m in ipairs(net.modules) do if m.modules then n = n + 1 end end
print(n)
for i = 1, #net.modules do local m = net:get(i) if m.modules then print(i, #m.modules) else print(i, 'leaf') end end
for i, m in ipairs(net.modules) do if m.weight then print('w') elseif m.modules == nil then print('no modules') end end
