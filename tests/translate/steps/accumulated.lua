require 'nn'
torch.manualSeed(1)
local net = nn.Sequential():add(nn.Linear(4, 8)):add(nn.Tanh()):add(nn.Linear(8, 3))
local mse = nn.MSECriterion()
local params, gradParams = net:getParameters()
local x, y = torch.randn(6, 4), torch.randn(6, 3)
for step = 1, 8 do
   gradParams:zero()
   local total = 0
   for i = 1, 6 do
      local out = net:forward(x[i])
      total = total + mse:forward(out, y[i])
      net:backward(x[i], mse:backward(out, y[i]))
   end
   gradParams:div(6)
   local norm = gradParams:norm()
   if norm > 0.5 then gradParams:mul(0.5 / norm) end
   gradParams:add(0.01, params)
   gradParams:clamp(-0.2, 0.2)
   params:add(-0.1, gradParams)
   print(step, total / 6, norm, params:norm())
end
