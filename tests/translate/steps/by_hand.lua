-- encoder and decoder, gradients passed by hand
require 'nn'
torch.manualSeed(1)
local enc = nn.Sequential():add(nn.Linear(4, 3)):add(nn.Tanh())
local dec = nn.Sequential():add(nn.Linear(3, 4))
local mse = nn.MSECriterion()
local x = torch.randn(5, 4)
for step = 1, 8 do
   enc:zeroGradParameters()
   dec:zeroGradParameters()
   local code = enc:forward(x)
   local out = dec:forward(code)
   local loss = mse:forward(out, x)
   local gdec = dec:backward(code, mse:backward(out, x))
   gdec:add(0.01, torch.sign(code))      -- a sparse code
   enc:backward(x, gdec)
   enc:updateParameters(0.1)
   dec:updateParameters(0.1)
   print(step, loss, code:norm(1))
end
