require 'nn'
torch.manualSeed(1)
local net = nn.Sequential():add(nn.Linear(4, 8)):add(nn.Tanh()):add(nn.Linear(8, 3))
local w, dw = net:getParameters()
local gamma = 0.9
for step = 1, 10 do
   local s, s2 = torch.randn(5, 4), torch.randn(5, 4)
   local a, r = torch.LongTensor(5), torch.randn(5)
   for i = 1, 5 do a[i] = (i + step) % 3 + 1 end
   local q2_max = net:forward(s2):max(2):clone()
   local q = net:forward(s)
   local targets = torch.zeros(5, 3)
   local err = 0
   for i = 1, 5 do
      local delta = r[i] + gamma * q2_max[i][1] - q[i][a[i]]
      if delta > 1 then delta = 1 elseif delta < -1 then delta = -1 end
      targets[i][a[i]] = -delta
      err = err + delta * delta
   end
   dw:zero()
   net:backward(s, targets)
   w:add(-0.05, dw)
   print(step, err, dw:norm())
end
