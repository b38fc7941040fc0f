-- REINFORCE: the gradient of the log-probabilities is made by hand, zero but for the actions taken
require 'nn'
torch.manualSeed(1)
local policy = nn.Sequential():add(nn.Linear(4, 8)):add(nn.Tanh()):add(nn.Linear(8, 3)):add(nn.LogSoftMax())
local baseline = 0
for step = 1, 10 do
   local s = torch.randn(6, 4)
   local logp = policy:forward(s)
   local grad = torch.zeros(6, 3)
   local total = 0
   for i = 1, 6 do
      local u, a, sum = torch.uniform(), 1, math.exp(logp[i][1])
      while sum < u and a < 3 do
         a = a + 1
         sum = sum + math.exp(logp[i][a])
      end
      local reward = s[i][a] > 0 and 1 or 0
      total = total + reward
      grad[i][a] = -(reward - baseline) / 6
   end
   policy:zeroGradParameters()
   policy:backward(s, grad)
   policy:updateParameters(0.1)
   baseline = 0.9 * baseline + 0.1 * total / 6
   print(step, total, baseline)
end
