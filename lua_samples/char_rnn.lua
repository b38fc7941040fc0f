-- A character-level recurrent network built by hand: no rnn package, only nn and copies of one cell that
-- share its weights. It learns a line of text and then says it from its first letter.
--
--    char_rnn.lua [iterations]
require 'nn'
require 'optim'

torch.manualSeed(1)

text = 'the quick brown fox jumps over the lazy dog. '
iterations = tonumber(arg[1]) or 90
steps = 15             -- of one training example
hidden = 32

-- Each letter gets a number, in the order of its first use.
local letters, number = {}, {}
for i = 1, #text do
   local letter = text:sub(i, i)
   if not number[letter] then
      table.insert(letters, letter)
      number[letter] = #letters
   end
end
print(#text .. ' characters, ' .. #letters .. ' different ones')

-- the cell: {number of a letter, h[t-1]} -> h[t] = tanh(row of the table + U h[t-1] + b)
cell = nn.Sequential()
   :add(nn.ParallelTable()
      :add(nn.LookupTable(#letters, hidden))
      :add(nn.Linear(hidden, hidden)))
   :add(nn.CAddTable())
   :add(nn.Tanh())
-- the decoder: h[t] -> the logarithms of the probabilities of the next letter
decoder = nn.Sequential()
   :add(nn.Linear(hidden, #letters))
   :add(nn.LogSoftMax())

-- The flat vectors of both come first: they move the weights, and copies made before would lose them.
local weights, gradients = nn.Sequential():add(cell):add(decoder):getParameters()
weights:uniform(-0.3, 0.3)

-- A copy for each step: its own outputs, but the weights and gradients of the original.
local cells, decoders, criterions = {}, {}, {}
for t = 1, steps do
   cells[t] = cell:clone('weight', 'bias', 'gradWeight', 'gradBias')
   decoders[t] = decoder:clone('weight', 'bias', 'gradWeight', 'gradBias')
   criterions[t] = nn.ClassNLLCriterion()
end

-- The text is read in a circle, three rows at once, each from another place.
rows = 3
local function batch(position)
   local numbers = torch.LongTensor(rows)
   for row = 1, rows do
      local place = (position + row * #text / rows) % #text + 1
      numbers[row] = number[text:sub(place, place)]
   end
   return numbers
end

local position = 0
local state = torch.zeros(rows, hidden)      -- h, carried over from one stretch of the text to the next

local function feval()
   gradients:zero()
   -- forward through time
   local x, h, predictions, loss = {}, {[0] = state}, {}, 0
   for t = 1, steps do
      x[t] = batch(position + t - 1)
      h[t] = cells[t]:forward({x[t], h[t - 1]})
      predictions[t] = decoders[t]:forward(h[t])
      loss = loss + criterions[t]:forward(predictions[t], batch(position + t))
   end
   -- backward through time: h[t] goes to the decoder of its step and to the cell of the next
   local later = torch.zeros(rows, hidden)
   for t = steps, 1, -1 do
      local gradPrediction = criterions[t]:backward(predictions[t], batch(position + t))
      local gradH = decoders[t]:backward(h[t], gradPrediction)
      gradH:add(later)
      later = cells[t]:backward({x[t], h[t - 1]}, gradH)[2]
   end
   gradients:clamp(-5, 5)

   position = position + steps
   state = h[steps]:clone()                  -- a copy, as the cell's next forward writes over its output
   return loss / steps, gradients
end

local config = {learningRate = 0.01, alpha = 0.95}
for i = 1, iterations do
   local _, losses = optim.rmsprop(feval, weights, config)
   if i == 1 or i % 30 == 0 then
      print('iteration ' .. i .. ': loss ' .. losses[1])
   end
end

-- Say the text: feed the likeliest next letter back in.
local said, h = text:sub(1, 1), torch.zeros(1, hidden)
for _ = 2, #text do
   local last = torch.LongTensor{number[said:sub(-1)]}
   h = cell:forward({last, h}):clone()
   local _, likeliest = decoder:forward(h):max(2)
   said = said .. letters[likeliest[1][1]]
end
print('it says: ' .. said)
