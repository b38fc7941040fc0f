-- A decoder that attends to the words of a source, in the manner of 2016: one step is a graph whose state is a table,
-- read back from memory once for each step, so that all steps share their weights and gradients.
--
-- The global sizes is {vocabulary, hidden, words (of the source), steps, batch}. Returns a function that trains for
-- some iterations and returns the last loss. Globals for a port to start from: source (the table of its words), step,
-- output (both untrained; step's linear layers by name), words, text.
require 'nngraph'

local vocabulary, hidden, length, steps, batch = unpack(sizes)
local learningRate, largest = 0.5, 5

torch.manualSeed(1)

-- {the decoder's vector, the source's vectors} -> what the decoder takes from the source
local function attention()
   local query, context = nn.Identity()(), nn.Identity()()
   local wanted = nn.Linear(hidden, hidden, false)(query):annotate {name = 'query'}
   local scores = nn.Sum(3)(nn.MM()({context, nn.Replicate(1, 3)(wanted)}))
   local weights = nn.Replicate(1, 2)(nn.SoftMax()(scores))
   local taken = nn.Sum(2)(nn.MM()({weights, context}))
   local both = nn.JoinTable(2)({taken, query})
   local result = nn.Tanh()(nn.Linear(2 * hidden, hidden, false)(both):annotate {name = 'result'})
   return nn.gModule({query, context}, {result})
end

-- {word, {c, h}, what was taken before, context} -> {{c, h}, what is taken now}
local function one_step()
   local word, state, before, context = nn.Identity()(), nn.Identity()(), nn.Identity()(), nn.Identity()()
   local previous_c, previous_h = state:split(2)
   local vector = nn.LookupTable(vocabulary, hidden)(word):annotate {name = 'words'}
   local of_x = nn.Linear(2 * hidden, 4 * hidden)(nn.JoinTable(2)({vector, before})):annotate {name = 'ih'}
   local of_h = nn.Linear(hidden, 4 * hidden)(previous_h):annotate {name = 'hh'}
   local i, f, o, g = nn.SplitTable(2)(nn.Reshape(4, hidden)(nn.CAddTable()({of_x, of_h}))):split(4)
   local kept = nn.CMulTable()({nn.Sigmoid()(f), previous_c})
   local written = nn.CMulTable()({nn.Sigmoid()(i), nn.Tanh()(g)})
   local c = nn.CAddTable()({kept, written})
   local h = nn.CMulTable()({nn.Sigmoid()(o), nn.Tanh()(c)})
   local taken = attention()({h, context}):annotate {name = 'attention'}
   return nn.gModule({word, state, before, context}, {nn.Identity()({c, h}), taken})
end

source = nn.LookupTable(vocabulary, hidden)
step = one_step()
output = nn.Sequential():add(nn.Linear(hidden, vocabulary)):add(nn.LogSoftMax())

local weights, gradients = nn.Container():add(source):add(step):add(output):getParameters()
weights:uniform(-0.1, 0.1)

-- Copies of a module through a file in memory, whose parameters lie where the module's do.
local function copies_of(module, count)
   local own, own_gradients = module:parameters()
   local file = torch.MemoryFile('w'):binary()
   file:writeObject(module)
   local copies = {}
   for t = 1, count do
      local reader = torch.MemoryFile(file:storage(), 'r'):binary()
      local copy = reader:readObject()
      reader:close()
      local its, its_gradients = copy:parameters()
      for i = 1, #own do
         its[i]:set(own[i])
         its_gradients[i]:set(own_gradients[i])
      end
      copies[t] = copy
   end
   file:close()
   return copies
end

local decoders, outputs, criterions = copies_of(step, steps), copies_of(output, steps), {}
for t = 1, steps do criterions[t] = nn.ClassNLLCriterion() end

words = torch.LongTensor(batch, length):random(1, vocabulary)
text = torch.LongTensor(steps + 1, batch):random(1, vocabulary)
local zeros = torch.zeros(batch, hidden)

local function iterate()
   gradients:zero()
   local context = source:forward(words)
   local inputs, taken, results, loss = {}, {[0] = zeros}, {}, 0
   local state = {zeros, zeros}
   for t = 1, steps do
      inputs[t] = {text[t], state, taken[t - 1], context}
      state, taken[t] = unpack(decoders[t]:forward(inputs[t]))
      results[t] = outputs[t]:forward(taken[t])
      loss = loss + criterions[t]:forward(results[t], text[t + 1])
   end
   local of_context = context:clone():zero()
   local of_state, of_taken = {zeros:clone(), zeros:clone()}, zeros:clone()
   for t = steps, 1, -1 do
      of_taken:add(outputs[t]:backward(taken[t], criterions[t]:backward(results[t], text[t + 1])))
      local found = decoders[t]:backward(inputs[t], {of_state, of_taken})
      of_state = {found[2][1]:clone(), found[2][2]:clone()}
      of_taken:copy(found[3])
      of_context:add(found[4])
   end
   source:backward(words, of_context)
   local norm = gradients:norm()
   if norm > largest then gradients:mul(largest / norm) end
   weights:add(-learningRate, gradients)
   return loss / steps
end

return function(iterations)
   local loss
   for _ = 1, iterations do loss = iterate() end
   return loss
end
