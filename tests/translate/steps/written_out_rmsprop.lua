-- an update written out, as in Q-learning
require 'nn'
torch.manualSeed(1)
local net = nn.Sequential():add(nn.Linear(4, 8)):add(nn.Tanh()):add(nn.Linear(8, 3))
local w, dw = net:getParameters()
local g, g2, tmp = dw:clone():fill(0), dw:clone():fill(0), dw:clone():fill(0)
local deltas = dw:clone():fill(0)
local x, a, target = torch.randn(6, 4), torch.LongTensor{1, 2, 3, 3, 2, 1}, torch.randn(6)
for step = 1, 8 do
   local q = net:forward(x)
   local err = torch.zeros(6, 3)
   for i = 1, 6 do
      err[i][a[i]] = target[i] - q[i][a[i]]
   end
   dw:zero()
   net:backward(x, err)
   dw:add(-0.001, w)
   g:mul(0.95):add(0.05, dw)
   tmp:cmul(dw, dw)
   g2:mul(0.95):add(0.05, tmp)
   tmp:cmul(g, g)
   tmp:mul(-1)
   tmp:add(g2)
   tmp:add(0.01)
   tmp:sqrt()
   deltas:mul(0):addcdiv(0.01, dw, tmp)
   w:add(deltas)
   print(step, err:norm(), dw:norm(), w:norm())
end
