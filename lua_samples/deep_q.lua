-- Q-learning with a network: a walker on a line of ten places is paid at the right end, and charged for each step.
-- The gradient of the network's output is made by hand: zero but for the action that was taken. The update, RMSProp,
-- is written out on the flat vectors of the weights.
--
--    deep_q.lua [episodes]
require 'nn'

torch.manualSeed(3)

episodes = tonumber(arg[1]) or 60
local places, actions, gamma = 10, 2, 0.9

local QLearner = {}
QLearner.__index = QLearner

function QLearner.new(rate)
   local self = setmetatable({}, QLearner)
   self.rate = rate
   self.network = nn.Sequential():add(nn.Linear(places, 16)):add(nn.Tanh()):add(nn.Linear(16, actions))
   self.w, self.dw = self.network:getParameters()
   self.g2 = self.dw:clone():fill(0)
   return self
end

-- A place as a vector.
local function state(place)
   local s = torch.zeros(places)
   s[place] = 1
   return s
end

function QLearner:act(place, epsilon)
   if torch.uniform() < epsilon then
      return torch.uniform() < 0.5 and 1 or 2
   end
   local q = self.network:forward(state(place))
   return q[1] > q[2] and 1 or 2
end

function QLearner:learn(place, action, reward, next_place, done)
   local target = reward
   if not done then
      target = target + gamma * self.network:forward(state(next_place)):max()
   end
   local s = state(place)
   local q = self.network:forward(s)
   local delta = target - q[action]
   if delta > 1 then delta = 1 elseif delta < -1 then delta = -1 end

   local gradOutput = torch.zeros(actions)
   gradOutput[action] = -delta
   self.dw:zero()
   self.network:backward(s, gradOutput)

   self.g2:mul(0.95):addcmul(0.05, self.dw, self.dw)
   self.w:addcdiv(-self.rate, self.dw, torch.sqrt(self.g2 + 0.01))
   return math.abs(delta)
end

local learner = QLearner.new(0.02)
local errors = 0
for episode = 1, episodes do
   local place, steps, done = 1, 0, false
   while not done and steps < 40 do
      local action = learner:act(place, 0.2)
      local next_place = math.max(1, math.min(places, place + (action == 2 and 1 or -1)))
      done = next_place == places
      errors = errors + learner:learn(place, action, done and 1 or -0.02, next_place, done)
      place, steps = next_place, steps + 1
   end
   if episode % 20 == 0 then
      print(string.format('episode %d: %d steps, error %.4f an episode', episode, steps, errors / 20))
      errors = 0
   end
end

local place, path = 1, {'1'}
while place < places and #path < 20 do
   place = math.max(1, place + (learner:act(place, 0) == 2 and 1 or -1))
   table.insert(path, tostring(place))
end
print('path: ' .. table.concat(path, ' '))
