-- A model of a text by its characters, unrolled by hand: nodes of a graph, one vector of weights, copies that share them
require 'nn'
require 'nngraph'
require 'optim'
torch.manualSeed(11)

local file = torch.DiskFile('verse.txt', 'w')
file:writeString(('the cat sat on the mat and the rat sat on the cat '):rep(3))
file:close()
local input = torch.DiskFile('verse.txt')
local text = input:readString('*a')
input:close()

local seen, ordered, number_of = {}, {}, {}
for char in text:gmatch('.') do
   if not seen[char] then seen[char] = true end
end
for char in pairs(seen) do ordered[#ordered + 1] = char end
table.sort(ordered)
for i, char in ipairs(ordered) do number_of[char] = i end
local codes = torch.ByteTensor(#text)
for i = 1, #text do codes[i] = number_of[text:sub(i, i)] end

local size, layers, batch, length, dropout = 5, 2, 3, 4, 0

local function cell(classes)
   local inputs, outputs = {nn.Identity()()}, {}
   for L = 1, layers do table.insert(inputs, nn.Identity()()) end
   local below, below_size
   for L = 1, layers do
      local before = inputs[L + 1]
      if L == 1 then
         below, below_size = nn.LookupTable(classes, size)(inputs[1]), size
      else
         below, below_size = outputs[L - 1], size
         if dropout > 0 then below = nn.Dropout(dropout)(below) end
      end
      local sums = nn.CAddTable()({
         nn.Linear(below_size, size)(below):annotate{name = 'below_' .. L},
         nn.Linear(size, size)(before):annotate{name = 'before_' .. L},
      })
      table.insert(outputs, nn.Tanh()(sums))
   end
   local top = outputs[#outputs]
   if dropout > 0 then top = nn.Dropout(dropout)(top) end
   table.insert(outputs, nn.LogSoftMax()(nn.Linear(size, classes)(top)))
   return nn.gModule(inputs, outputs)
end

-- All weights of some models in one vector, and their gradients in another.
local function together(...)
   local weights, gradients = {}, {}
   for _, model in ipairs{...} do
      local w, g = model:parameters()
      for i = 1, #w do
         weights[#weights + 1], gradients[#gradients + 1] = w[i], g[i]
      end
   end
   local function lay(parts)
      local starts, total = {}, 0
      for _, part in ipairs(parts) do
         local key = torch.pointer(part:storage())
         if not starts[key] then
            starts[key] = total
            total = total + part:nElement()
         end
      end
      local flat = torch.Tensor(total)
      for _, part in ipairs(parts) do
         local start = starts[torch.pointer(part:storage())]
         flat:narrow(1, start + 1, part:nElement()):copy(part)
         part:set(flat:storage(), start + 1, part:size(), part:stride())
      end
      return flat
   end
   return lay(weights), lay(gradients)
end

-- As many copies of a model as there are steps, all with its weights.
local function copies(model, steps)
   local result = {}
   local weights, gradients = model:parameters()
   local memory = torch.MemoryFile('w'):binary()
   memory:writeObject(model)
   for t = 1, steps do
      local reader = torch.MemoryFile(memory:storage(), 'r'):binary()
      local copy = reader:readObject()
      reader:close()
      local w, g = copy:parameters()
      for i = 1, #weights do
         w[i]:set(weights[i])
         g[i]:set(gradients[i])
      end
      result[t] = copy
   end
   memory:close()
   return result
end

local model, criterion = cell(#ordered), nn.ClassNLLCriterion()
local weights, gradients = together(model)
weights:uniform(-0.1, 0.1)
print('weights:', weights:nElement(), 'classes:', #ordered)
local steps = copies(model, length)

local state = {}
for L = 1, layers do state[L] = torch.zeros(batch, size) end
local at = 1

local function next_batch()
   local x, y = torch.Tensor(length, batch), torch.Tensor(length, batch)
   for b = 1, batch do
      local start = (b - 1) * math.floor(codes:size(1) / batch) + at
      x:select(2, b):copy(codes:narrow(1, start, length))
      y:select(2, b):copy(codes:narrow(1, start + 1, length))
   end
   at = at + length
   return x, y
end

local function feval(w)
   if w ~= weights then weights:copy(w) end
   gradients:zero()
   local x, y = next_batch()
   local states, predictions, loss = {[0] = state}, {}, 0
   for t = 1, length do
      steps[t]:training()
      local outputs = steps[t]:forward{x[t], unpack(states[t - 1])}
      states[t] = {}
      for L = 1, layers do table.insert(states[t], outputs[L]) end
      predictions[t] = outputs[#outputs]
      loss = loss + criterion:forward(predictions[t], y[t])
   end
   local gradient_of_states = {[length] = {}}
   for L = 1, layers do gradient_of_states[length][L] = torch.zeros(batch, size) end
   for t = length, 1, -1 do
      table.insert(gradient_of_states[t], criterion:backward(predictions[t], y[t]))
      local inner = steps[t]:backward({x[t], unpack(states[t - 1])}, gradient_of_states[t])
      gradient_of_states[t - 1] = {}
      for k, gradient in pairs(inner) do
         if k > 1 then gradient_of_states[t - 1][k - 1] = gradient end
      end
   end
   state = states[length]
   gradients:clamp(-5, 5)
   return loss / length, gradients
end

local settings = {learningRate = 0.02, alpha = 0.95}
for i = 1, 10 do
   local _, loss = optim.rmsprop(feval, weights, settings)
   print(string.format('%d: %.6f, %.4e', i, loss[1], gradients:norm() / weights:norm()))
end
