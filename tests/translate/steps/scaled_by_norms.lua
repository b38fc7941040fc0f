-- factors that depend on the vectors which they change, and weights that get no gradient
require 'nn'
torch.manualSeed(3)
local mse = nn.MSECriterion()

local net = nn.Sequential():add(nn.Linear(5, 6)):add(nn.Tanh()):add(nn.Linear(6, 3))
local x, y = torch.randn(4, 5), torch.randn(4, 3)
local w, g = net:getParameters()
for i = 1, 3 do
   g:zero()
   local out = net:forward(x)
   print(i, mse:forward(out, y))
   net:backward(x, mse:backward(out, y))
   g:add(0.1 * w:norm(), w)
   g:mul(1 / g:norm())
   w:add(-0.1 / w:norm(), g)
   w:mul(2 / w:norm())
end
print(w:norm(), w:nElement())

-- of two branches the second is not used
local function two()
   local branches = nn.ParallelTable():add(nn.Linear(5, 3)):add(nn.Linear(5, 3))
   return nn.Sequential():add(branches):add(nn.SelectTable(1)):add(nn.Linear(3, 3))
end
local plain = two()
local p, dp = plain:getParameters()
for i = 1, 2 do
   dp:zero()
   local out = plain:forward{x, x}
   print(i, mse:forward(out, y))
   plain:backward({x, x}, mse:backward(out, y))
   dp:mul(0.5)
   p:add(-0.1, dp)
end
print(p:norm())

-- its weights decay nevertheless
local decayed = two()
local q, dq = decayed:getParameters()
for i = 1, 2 do
   dq:zero()
   local out = decayed:forward{x, x}
   print(i, mse:forward(out, y))
   decayed:backward({x, x}, mse:backward(out, y))
   dq:add(0.01, q)
   q:add(-0.1, dq)
end
print(q:norm())
