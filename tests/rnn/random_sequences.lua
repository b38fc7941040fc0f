-- Random models of Sequencers and what they give: a line for each step of each, with sums of all that scripts see.
--
-- Arguments: the first and the last seed. Runs under the original too.
require 'rnn'

local any = torch.random
local function chance(n) return any(1, n) == 1 end

-- A number of a tensor or a table of tensors that tells its elements and their places apart.
local function digest(value)
   if torch.isTensor(value) then
      if value:nElement() == 0 then return 'empty' end
      local x = value:double():view(-1)
      local weights = torch.range(1, x:size(1)):mul(0.37):sin()
      return string.format('%.4f', x:dot(weights))
   elseif type(value) == 'table' then
      local parts = {}
      for i = 1, #value do parts[i] = digest(value[i]) end
      return '{' .. table.concat(parts, ' ') .. '}'
   end
   return type(value) == 'number' and string.format('%.4f', value) or tostring(value)
end

local LAYERS = {
   function(w) local o = any(1, 5) return nn.FastLSTM(w, o), o end,
   function(w) local o = any(1, 5) return nn.FastLSTM(w, o), o end,
   function(w) local o = any(1, 5) return nn.Linear(w, o), o end,
   function(w) return nn.Tanh(), w end,
   function(w) return nn.Sigmoid(), w end,
   function(w) local o = any(1, 4) return nn.LSTM(w, o), o end,
   function(w) return nn.ReLU(), w end,
   function(w)
      local o, squash = any(1, 4), chance(2) and nn.Sigmoid() or nn.Tanh()
      return nn.Recurrent(o, nn.Linear(w, o), nn.Linear(o, o), squash, 99), o
   end,
   function(w) return nn.Recurrent(w, nn.Identity(), nn.Linear(w, w)), w end,
}

-- A model over sequences, whether it takes words, and its widths.
local function random_model(vocabulary)
   local takes_words, width = not chance(3), any(1, 5)
   local input_width = width
   local layers = {}
   if takes_words then layers[1] = nn.LookupTable(vocabulary, width) end
   for _ = 1, any(1, 3) do
      local layer, w = LAYERS[any(1, #LAYERS)](width)
      layers[#layers + 1], width = layer, w
   end
   local model
   if chance(2) then
      model = nn.Sequential()
      for i = 1, #layers do model:add(nn.Sequencer(layers[i])) end
   else
      local step = nn.Sequential()
      for i = 1, #layers do step:add(layers[i]) end
      model = nn.Sequencer(step)
   end
   return model, takes_words, input_width, width
end

local function sequence(steps, make)
   local t = {}
   for i = 1, steps do t[i] = make() end
   return t
end

local function stepper(model)
   local part = torch.type(model) == 'nn.Sequential' and model:get(any(1, model:size())) or model
   return part, part.module
end

local function run(seed)
   torch.manualSeed(seed)
   local function say(...) print(seed, ...) end
   local vocabulary = any(2, 7)
   local model, takes_words, input_width, width = random_model(vocabulary)
   local type_name = chance(3) and 'torch.FloatTensor' or 'torch.DoubleTensor'
   model:type(type_name)
   local is_classifier = chance(2)
   if is_classifier then
      local inner = nn.Sequential():add(nn.Linear(width, vocabulary)):add(nn.LogSoftMax()):type(type_name)
      model = nn.Sequential():add(model):add(nn.Sequencer(inner))
      width = vocabulary
   end
   model:zeroGradParameters()   -- what memory the original gives holds anything
   local criterion = is_classifier and nn.SequencerCriterion(nn.ClassNLLCriterion():type(type_name)) or nil
   if not criterion and chance(2) then criterion = nn.SequencerCriterion(nn.MSECriterion():type(type_name)) end
   if criterion and chance(3) then criterion.criterion.sizeAverage = false end
   local steps, rows = any(2, 4), any(1, 3)
   local words_are_long = chance(2)
   local function words()
      local x = torch.Tensor(rows):random(1, vocabulary)
      return words_are_long and x:long() or x:type(type_name)
   end
   local function numbers(w) return function() return torch.randn(rows, w):type(type_name) end end
   local inputs = sequence(steps, takes_words and words or numbers(input_width))
   local kept
   for turn = 1, any(4, 8) do
      if chance(6) then steps = any(2, 4) end
      if chance(8) then rows = any(1, 3) end
      if #inputs ~= steps or inputs[1]:size(1) ~= rows or chance(2) then
         inputs = sequence(steps, takes_words and words or numbers(input_width))
      end
      if chance(8) then model:evaluate() model:forward(inputs) model:training() end
      local outputs = model:forward(inputs)
      say(turn, 'out', digest(outputs))
      if kept and chance(3) then say(turn, 'kept', digest(kept[1])) end
      kept = outputs
      local part, rnn = stepper(torch.type(model) == 'nn.Sequential' and model:get(1) or model)
      if chance(4) then
         say(turn, 'part', digest(part.output), torch.type(rnn), digest(rnn.output))
         if rnn.cells then say(turn, 'steps', rnn.step, digest(rnn.outputs), digest(rnn.cells)) end
      end
      if not chance(6) then
         local gradients
         if criterion then
            local classes = function() return torch.Tensor(rows):random(1, vocabulary) end
            local targets = sequence(steps, is_classifier and classes or numbers(width))
            say(turn, 'loss', digest(criterion:forward(outputs, targets)))
            gradients = criterion:backward(outputs, targets)
            say(turn, 'slope', digest(gradients))
         else
            gradients = sequence(steps, numbers(width))
         end
         local of_inputs
         if chance(5) then
            of_inputs = model:updateGradInput(inputs, gradients)
            if chance(2) then model:accGradParameters(inputs, gradients, 0.5) end
         else
            of_inputs = model:backward(inputs, gradients, chance(4) and 0.3 or nil)
         end
         say(turn, 'back', digest(of_inputs))
         if chance(4) then
            say(turn, 'part back', digest(part.gradInput))
            if rnn.cells then say(turn, 'steps back', rnn.step, digest(rnn.gradInputs)) end
         end
         if chance(2) then
            local _, slopes = model:parameters()
            say(turn, 'slopes', digest(slopes))
         end
         if not chance(4) then model:updateParameters(0.1) end
         if not chance(4) then model:zeroGradParameters() end
      end
      if chance(6) then
         local parameters = model:parameters()
         say(turn, 'weights', digest(parameters))
      end
      if chance(10) then model:forget() end
   end
end

for seed = tonumber(arg[1]), tonumber(arg[2]) do run(seed) end
