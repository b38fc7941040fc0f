-- A character model in the manner of 2015: one step of a two-layer LSTM is a graph of modules, copied for each step
-- of the text, with the weights and gradients of all copies in one flat vector each.
--
-- The global sizes is {vocabulary, hidden, layers, steps, batch}. Returns a function that trains for some iterations
-- and returns the last loss. Globals for a port to start from: step (the graph, untrained, its
-- linear layers by name), text.
require 'nngraph'
require 'optim'

local vocabulary, hidden, layers, steps, batch = unpack(sizes)

torch.manualSeed(1)

-- Rows of the identity matrix by number.
local rows = torch.class('OneHot', 'nn.Module')

function rows:__init(size)
   nn.Module.__init(self)
   self.rows = torch.eye(size)
end

function rows:updateOutput(input)
   self.output = self.rows:index(1, input:long())
   return self.output
end

-- One layer's step: x, c[t-1], h[t-1] -> c[t], h[t]
local function lstm(layer, inputs, x, previous_c, previous_h)
   local of_x = nn.Linear(inputs, 4 * hidden)(x):annotate {name = 'ih_l' .. layer}
   local of_h = nn.Linear(hidden, 4 * hidden)(previous_h):annotate {name = 'hh_l' .. layer}
   local sums = nn.CAddTable()({of_x, of_h})
   local i, f, o, g = nn.SplitTable(2)(nn.Reshape(4, hidden)(sums)):split(4)
   local kept = nn.CMulTable()({nn.Sigmoid()(f), previous_c})
   local written = nn.CMulTable()({nn.Sigmoid()(i), nn.Tanh()(g)})
   local c = nn.CAddTable()({kept, written})
   return c, nn.CMulTable()({nn.Sigmoid()(o), nn.Tanh()(c)})
end

local function one_step()
   local x = nn.Identity()()
   local inputs, outputs, size = {x}, {}, vocabulary
   local below = OneHot(vocabulary)(x)
   for layer = 1, layers do
      local c, h = nn.Identity()(), nn.Identity()()
      table.insert(inputs, c)
      table.insert(inputs, h)
      local next_c, next_h = lstm(layer - 1, size, below, c, h)
      table.insert(outputs, next_c)
      table.insert(outputs, next_h)
      below, size = next_h, hidden
   end
   table.insert(outputs, nn.LogSoftMax()(nn.Linear(hidden, vocabulary)(below):annotate {name = 'output'}))
   return nn.gModule(inputs, outputs)
end

step = one_step()
local weights, gradients = step:getParameters()
weights:uniform(-0.08, 0.08)

local copies, criterions = {}, {}
for t = 1, steps do
   copies[t] = step:clone('weight', 'bias', 'gradWeight', 'gradBias')
   criterions[t] = nn.ClassNLLCriterion()
end

-- The batch reads the text at as many places, over and over.
text = torch.LongTensor(batch, steps + 1):random(1, vocabulary)

local first = {}
for i = 1, 2 * layers do first[i] = torch.zeros(batch, hidden) end

local function feval()
   gradients:zero()
   local x, y = text:narrow(2, 1, steps):t():contiguous(), text:narrow(2, 2, steps):t():contiguous()
   local states, predictions, loss = {[0] = first}, {}, 0
   for t = 1, steps do
      copies[t]:training()
      local results = copies[t]:forward({x[t], unpack(states[t - 1])})
      states[t] = {}
      for i = 1, 2 * layers do states[t][i] = results[i] end
      predictions[t] = results[#results]
      loss = loss + criterions[t]:forward(predictions[t], y[t])
   end
   local later = {}
   for i = 1, 2 * layers do later[i] = torch.zeros(batch, hidden) end
   for t = steps, 1, -1 do
      table.insert(later, criterions[t]:backward(predictions[t], y[t]))
      local found = copies[t]:backward({x[t], unpack(states[t - 1])}, later)
      later = {}
      for i = 1, 2 * layers do later[i] = found[i + 1] end
   end
   gradients:clamp(-5, 5)
   return loss / steps, gradients
end

local config = {learningRate = 2e-3, alpha = 0.95}

return function(iterations)
   local losses
   for _ = 1, iterations do _, losses = optim.rmsprop(feval, weights, config) end
   return losses[1]
end
