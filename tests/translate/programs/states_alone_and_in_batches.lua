-- one network for a state and for a batch of them, by hand, with copies of it that were made after calls
require 'nn'
torch.manualSeed(7)
local class = torch.class('Learner')
function class:__init(size)
  self.network = nn.Sequential():add(nn.Reshape(size)):add(nn.Linear(size, 6)):add(nn.ReLU()):add(nn.Linear(6, 2))
  self.target = self.network:clone()
  self.steps = 0
end
function class:best(state)
  local values = self.network:forward(state):squeeze()
  return values[1] > values[2] and 1 or 2
end
function class:learn(states, actions, rewards)
  local wanted = self.target:forward(states):max(2):mul(0.9):view(-1):add(rewards)
  local values = self.network:forward(states)
  local gradient = torch.zeros(values:size())
  local total = 0
  for i = 1, values:size(1) do
    local delta = wanted[i] - values[i][actions[i]]
    gradient[i][actions[i]] = -delta
    total = total + delta * delta
  end
  self.network:zeroGradParameters()
  self.network:backward(states, gradient)
  self.network:updateParameters(0.05)
  self.steps = self.steps + 1
  if self.steps % 2 == 0 then self.target = self.network:clone() end
  return total
end
local learner = Learner(4)
for step = 1, 5 do
  local states, actions = torch.randn(3, 4), {}
  for i = 1, 3 do actions[i] = learner:best(states[i]) end
  print(learner:learn(states, actions, torch.ones(3)))
end
