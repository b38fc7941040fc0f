-- Agents that talk to each other learn by REINFORCE to do different things: everyone's state is moved by the mean of
-- the others' states, twice a step; an action is drawn for each; the reward is how many different ones were drawn.
--
-- The global sizes is {agents, hidden, actions, steps, batch}. Returns a function that trains for some games and
-- returns the mean reward less its prediction, squared. Globals for a port to start from: model (the graph, untrained,
-- its linear layers by name), names (who plays in each step), draws (the numbers that actions are drawn by).
require 'nngraph'
require 'optim'

local agents, hidden, actions, steps, batch = unpack(sizes)
local rounds, games = 2, 20
local people = 4 * agents

torch.manualSeed(1)

-- {who, the states before, who hears whom} -> {log probabilities of the actions, a prediction of the reward, the states}
local function network()
   local who, before, heard = nn.Identity()(), nn.Identity()(), nn.Identity()()
   local encoded = nn.Tanh()(nn.LookupTable(people, hidden)(who):annotate {name = 'people'})
   local h = before
   for round = 1, rounds do
      local own = nn.Linear(hidden, hidden)(h):annotate {name = 'own' .. round}
      local others = nn.MM()({heard, nn.View(batch, agents, hidden)(h)})
      local said = nn.Linear(hidden, hidden, false)(nn.View(batch * agents, hidden)(others))
      said:annotate {name = 'said' .. round}
      h = nn.Tanh()(nn.CAddTable()({own, said, encoded}))
   end
   local action = nn.LogSoftMax()(nn.Linear(hidden, actions)(h):annotate {name = 'action'})
   local value = nn.Linear(hidden, 1)(h):annotate {name = 'value'}
   return nn.gModule({who, before, heard}, {action, value, h})
end

model = network()
local weights, gradients = model:getParameters()
weights:normal(0, 0.1)
local copies = {}
for t = 1, steps do copies[t] = model:clone('weight', 'bias', 'gradWeight', 'gradBias') end

names = torch.LongTensor(games, steps, batch * agents):random(1, people)
draws = torch.rand(games, steps, batch * agents)

local heard = torch.Tensor(batch, agents, agents):fill(1 / (agents - 1))
for row = 1, batch do
   for i = 1, agents do heard[row][i][i] = 0 end
end

local first = torch.zeros(batch * agents, hidden)
local criterion = nn.MSECriterion()
local played, loss = 0, 0

-- The first action whose probability, added to those before it, passes the number drawn.
local function draw(log_probabilities, numbers)
   local chosen = torch.LongTensor(batch * agents)
   local sums = torch.cumsum(torch.exp(log_probabilities), 2)
   for i = 1, batch * agents do
      local action = 1
      while action < actions and sums[i][action] < numbers[i] do action = action + 1 end
      chosen[i] = action
   end
   return chosen
end

-- For each row of the batch, the share of the actions that somebody took.
local function rewards_of(chosen)
   local rewards = torch.zeros(batch * agents, 1)
   for row = 1, batch do
      local taken, different = {}, 0
      for i = 1, agents do
         local action = chosen[(row - 1) * agents + i]
         if not taken[action] then taken[action], different = true, different + 1 end
      end
      rewards:narrow(1, (row - 1) * agents + 1, agents):fill(different / agents)
   end
   return rewards
end

local function feval()
   local game = played % games + 1
   played = played + 1
   gradients:zero()
   local inputs, results, chosen, rewards = {}, {}, {}, {}
   local state = first
   for t = 1, steps do
      inputs[t] = {names[game][t], state, heard}
      results[t] = copies[t]:forward(inputs[t])
      state = results[t][3]
      chosen[t] = draw(results[t][1], draws[game][t])
      rewards[t] = rewards_of(chosen[t])
   end
   loss = 0
   local of_state = first:clone()
   for t = steps, 1, -1 do
      local log_probabilities, value = results[t][1], results[t][2]
      loss = loss + criterion:forward(value, rewards[t])
      local of_value = criterion:backward(value, rewards[t]):clone()
      local advantage = (rewards[t] - value):div(batch)
      local of_action = torch.zeros(batch * agents, actions)
      of_action:scatter(2, chosen[t]:view(-1, 1), advantage:mul(-1))
      of_state = copies[t]:backward(inputs[t], {of_action, of_value, of_state})[2]:clone()
   end
   return loss / steps, gradients
end

local config = {learningRate = 1e-3, alpha = 0.97}

return function(count)
   for _ = 1, count do optim.rmsprop(feval, weights, config) end
   return loss / steps
end
