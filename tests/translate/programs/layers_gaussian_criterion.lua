-- A criterion of a mean and a log variance in one table.
require 'nn'
torch.manualSeed(2)
local Surprise, parent = torch.class('nn.Surprise', 'nn.Criterion')
function Surprise:updateOutput(pair, seen)
   local off = seen - pair[1]
   local squares = torch.cmul(off, off):cdiv(torch.exp(pair[2]))
   self.output = (squares:sum() + pair[2]:sum() + seen:nElement() * math.log(2 * math.pi)) / 2
   return self.output
end
function Surprise:updateGradInput(pair, seen)
   local off = pair[1] - seen
   local precise = torch.exp(pair[2] * -1)
   self.gradInput = {}
   self.gradInput[1] = torch.cmul(off, precise)
   self.gradInput[2] = torch.cmul(off, off):cmul(precise):mul(-1):add(1):div(2)
   return self.gradInput
end
local net = nn.Sequential():add(nn.Linear(3, 10)):add(nn.Tanh())
net:add(nn.ConcatTable():add(nn.Linear(10, 2)):add(nn.Linear(10, 2)))
local surprise = nn.Surprise()
local x, y = torch.randn(20, 3), torch.randn(20, 2)
for turn = 1, 20 do
   local pair = net:forward(x)
   local found = surprise:forward(pair, y)
   net:zeroGradParameters()
   net:backward(x, surprise:backward(pair, y))
   net:updateParameters(0.001)
   if turn % 5 == 0 then print(turn, found) end
end
