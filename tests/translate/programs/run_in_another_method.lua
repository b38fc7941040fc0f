-- A learner whose network is run in one method and sent gradients in the one that calls it; others run it as well.
require 'nn'
torch.manualSeed(4)
local Methods = torch.class('Learner')
function Methods:__init(settings)
   self.rate, self.fade = settings.rate, settings.fade or 0.9
   self.net = nn.Sequential():add(nn.Linear(3, 6)):add(nn.ReLU()):add(nn.Linear(6, 2))
   self.old = self.net:clone()
   self.flat, self.slopes = self.net:getParameters()
   self.rounds = 0
end
function Methods:missed(seen, done, gain, after)
   local next_worth = self.old:forward(after):max(2):squeeze(2)
   local aim = torch.add(gain, self.fade, next_worth)
   local worth = self.net:forward(seen)
   local toward = torch.zeros(seen:size(1), 2)
   for i = 1, seen:size(1) do
      toward[i][done[i]] = worth[i][done[i]] - aim[i]
   end
   return toward, toward:norm()
end
function Methods:learn(seen, done, gain, after)
   local toward, norm = self:missed(seen, done, gain, after)
   self.slopes:zero()
   local of_seen = self.net:backward(seen, toward)
   self.flat:add(-self.rate, self.slopes)
   self.rounds = self.rounds + 1
   if self.rounds % 3 == 0 then self.old = self.net:clone() end
   return norm, of_seen:norm()
end
function Methods:choose(seen)
   local worth = self.net:forward(seen)
   return worth[1] > worth[2] and 1 or 2
end
local learner = Learner{rate = 0.05}
for round = 1, 7 do
   local seen, after = torch.rand(5, 3), torch.rand(5, 3)
   local done, gain = torch.LongTensor(5), torch.Tensor(5)
   for i = 1, 5 do
      done[i] = learner:choose(seen[i])
      gain[i] = (done[i] == 1) == (seen[i][1] > 0.5) and 1 or -1
   end
   print(round, learner:learn(seen, done, gain, after))
end
