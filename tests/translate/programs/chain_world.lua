-- DQN-like: Q network, replay memory, epsilon-greedy on a chain world
require 'nn'
torch.manualSeed(12)
local N, A, GAMMA, EPS, BATCH = 5, 2, 0.9, 0.3, 8
local qnet = nn.Sequential()
qnet:add(nn.Linear(N, 16)):add(nn.ReLU()):add(nn.Linear(16, A))
local target = qnet:clone()
local memory, capacity, head = {}, 50, 1
local function onehot(s)
  local x = torch.zeros(N)
  x[s] = 1
  return x
end
local function step(s, a)
  local s2 = a == 2 and math.min(s + 1, N) or math.max(s - 1, 1)
  local r = s2 == N and 1 or 0
  return s2, r, s2 == N
end
local function remember(t)
  memory[head] = t
  head = head % capacity + 1
end
local function act(s)
  if torch.uniform() < EPS then return torch.random(1, A) end
  local q = qnet:forward(onehot(s))
  local _, a = torch.max(q, 1)
  return a[1]
end
local function learn()
  local x, y = torch.zeros(BATCH, N), torch.zeros(BATCH, N)
  local acts, rew, done = {}, torch.zeros(BATCH), torch.zeros(BATCH)
  for i = 1, BATCH do
    local m = memory[torch.random(1, #memory)]
    x[i]:copy(onehot(m.s))
    y[i]:copy(onehot(m.s2))
    acts[i] = m.a
    rew[i] = m.r
    if m.done then done[i] = 1 end
  end
  local best = target:forward(y):max(2):squeeze()
  local goal = rew + best:cmul(-done + 1) * GAMMA
  local q = qnet:forward(x)
  local grad = torch.zeros(BATCH, A)
  local loss = 0
  for i = 1, BATCH do
    local delta = q[i][acts[i]] - goal[i]
    loss = loss + 0.5 * delta * delta
    grad[i][acts[i]] = math.max(-1, math.min(1, delta))
  end
  qnet:zeroGradParameters()
  qnet:backward(x, grad)
  qnet:updateParameters(0.1)
  return loss / BATCH
end
local total = 0
for episode = 1, 12 do
  local s, steps, loss = 1, 0, 0
  repeat
    local a = act(s)
    local s2, r, done = step(s, a)
    remember({s = s, a = a, s2 = s2, r = r, done = done})
    s = s2
    steps = steps + 1
    if #memory >= BATCH then loss = loss + learn() end
  until done or steps >= 30
  total = total + steps
  if episode % 4 == 0 then
    target = qnet:clone()
    print(episode, steps, string.format('%.5f', loss / steps))
  end
end
print(total)
