-- Policy gradient on a tiny corridor
require 'nn'
torch.manualSeed(4)
local Corridor = {}
Corridor.__index = Corridor
function Corridor.new(length)
  local self = setmetatable({}, Corridor)
  self.length = length
  self:reset()
  return self
end
function Corridor:reset() self.pos = 1; self.steps = 0; return self:observe() end
function Corridor:observe()
  local o = torch.zeros(self.length)
  o[self.pos] = 1
  return o
end
function Corridor:step(action)
  self.steps = self.steps + 1
  if action == 2 then self.pos = self.pos + 1 else self.pos = math.max(1, self.pos - 1) end
  local done = self.pos == self.length or self.steps >= 20
  local reward = self.pos == self.length and 1 or -0.05
  return self:observe(), reward, done
end
local env = Corridor.new(5)
local policy = nn.Sequential():add(nn.Linear(5, 2)):add(nn.SoftMax())
local gamma, lr = 0.95, 0.1
local baseline = 0
for episode = 1, 15 do
  local obs = env:reset()
  local history = {}
  local done, reward = false, 0
  local total = 0
  while not done do
    local probs = policy:forward(obs):clone()
    local action = torch.multinomial(probs, 1)[1]
    local nextObs
    local before = obs
    nextObs, reward, done = env:step(action)
    history[#history + 1] = {obs = before, action = action, reward = reward}
    total = total + reward
    obs = nextObs
  end
  policy:zeroGradParameters()
  local R = 0
  for t = #history, 1, -1 do
    local h = history[t]
    R = h.reward + gamma * R
    local probs = policy:forward(h.obs)
    local grad = torch.zeros(2)
    grad[h.action] = -(R - baseline) / probs[h.action]
    policy:backward(h.obs, grad)
  end
  policy:updateParameters(lr)
  baseline = 0.9 * baseline + 0.1 * total
  print(episode, #history, string.format('%.4f', total))
end
