require 'nn'
torch.manualSeed(1)
local net = nn.Sequential():add(nn.Linear(6, 5)):add(nn.Tanh()):add(nn.Linear(5, 3)):add(nn.LogSoftMax())
local criterion = nn.ClassNLLCriterion()
local function adversarial(x, y, epsilon)
   local output = net:forward(x)
   local loss = criterion:forward(output, y)
   local df_do = criterion:backward(output, y)
   local dx = net:updateGradInput(x, df_do)
   return x + torch.sign(dx) * epsilon, loss
end
local x, y = torch.randn(4, 6), torch.Tensor{1, 2, 3, 1}
for i = 1, 4 do
   local bad, loss = adversarial(x, y, 0.1)
   local worse = criterion:forward(net:forward(bad), y)
   print(i, loss, worse)
   x = bad
end
