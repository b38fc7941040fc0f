-- nngraph: a model written as a graph of named values, with two inputs, a shortcut and a joined output. It learns the sum
-- and the product of its inputs at once.
--
--    graph.lua [iterations]
require 'nngraph'

torch.manualSeed(1)

iterations = tonumber(arg[1]) or 300

local function layer(from, inputs, outputs)
   return nn.Tanh()(nn.Linear(inputs, outputs)(from))
end

local function makeModel(hidden)
   local a, b = nn.Identity()(), nn.Identity()()
   local both = nn.JoinTable(2)({a, b})
   local first = layer(both, 2, hidden)
   local second = nn.CAddTable()({first, layer(first, hidden, hidden)})
   local sum = nn.Linear(2, 1)(both)
   local product = nn.Linear(hidden, 1)(second)
   return nn.gModule({a, b}, {nn.JoinTable(2)({sum, product})})
end

local model = makeModel(10)
local criterion = nn.MSECriterion()

local n = 50
local a, b = torch.rand(n, 1):mul(2):add(-1), torch.rand(n, 1):mul(2):add(-1)
local inputs, targets = {a, b}, torch.cat(a + b, torch.cmul(a, b), 2)

for i = 1, iterations do
   local outputs = model:forward(inputs)
   local loss = criterion:forward(outputs, targets)
   model:zeroGradParameters()
   model:backward(inputs, criterion:backward(outputs, targets))
   model:updateParameters(0.1)
   if i == 1 or i % 100 == 0 then print('iteration ' .. i .. ': loss ' .. loss) end
end
local outputs = model:forward({torch.Tensor{{0.5}}, torch.Tensor{{-0.5}}})
print(string.format('0.5 and -0.5: sum %.3f, product %.3f', outputs[1][1], outputs[1][2]))
