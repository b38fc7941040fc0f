-- A recurrent module that is called step by step, and goes back so: gradients of each step's output by hand.
require 'rnn'
torch.manualSeed(13)
local step = nn.Sequential():add(nn.Recursor(nn.LSTM(2, 4), 5)):add(nn.Linear(4, 1))
local net, criterion = nn.Recursor(step, 5), nn.MSECriterion()
for i = 1, 3 do
   net:forget()
   net:zeroGradParameters()
   local x, y = torch.rand(3, 5, 2), torch.rand(3, 1)
   local outs = {}
   for t = 1, 5 do outs[t] = net:forward(x:select(2, t)) end
   local err = criterion:forward(outs[5], y)
   local first
   for t = 5, 1, -1 do
      local g = t == 5 and criterion:backward(outs[t], y) or outs[t]:clone():mul(0.1)
      first = net:backward(x:select(2, t), g)
   end
   print(i, err, outs[1]:norm(), first:norm())
   net:updateParameters(0.1)
end
