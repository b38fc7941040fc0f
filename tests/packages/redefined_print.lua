-- What the packages print, by way of a `print` that the program has redefined: it notes strings, and the types of
-- other values.
require 'nn'
require 'optim'
require 'nnx'

local lines, original = {}, print

function print(...)
   local texts = {}
   for i = 1, select('#', ...) do
      local value = select(i, ...)
      texts[i] = type(value) == 'string' and value or torch.type(value)
   end
   table.insert(lines, table.concat(texts, '|'))
end

local function part(name) table.insert(lines, '-- ' .. name) end
local function square(x) return x:dot(x), x * 2 end
local function power(x) return torch.pow(x, 4):sum(), torch.pow(x, 3) * 4 end

torch.manualSeed(1)
part 'lbfgs'
optim.lbfgs(square, torch.ones(2), {verbose = true, maxIter = 5})
optim.lbfgs(power, torch.ones(2), {verbose = true, maxIter = 1})
part 'cmaes'
optim.cmaes(function(x) return x:dot(x) end, torch.ones(2), {verb_disp = 1, maxEval = 12, sigma = 0.5})
part 'fista'
local function nothing() return 0 end
optim.FistaLS(square, nothing, nothing, torch.ones(2), {verbose = true, maxiter = 1})
part 'states'
optim.adagrad(square, torch.ones(2))
optim.rprop(square, torch.ones(2))
part 'logger'
optim.Logger()
part 'stochastic gradient'
local data = {{torch.ones(2), torch.ones(1)}}
function data:size() return 1 end
local trainer = nn.StochasticGradient(nn.Linear(2, 1), nn.MSECriterion())
trainer.maxIteration = 1
trainer:train(data)
part 'a field that cannot be written'
torch.class('Holder')
local holder = Holder()
holder.thread = coroutine.create(function() end)
torch.serialize(holder)
part 'PrintSize'
nn.PrintSize('here'):forward(torch.ones(2, 3))
part 'Probe'
nn.Probe('p'):forward(torch.ones(2, 3))
part 'CmdLine'
torch.CmdLine():string('x', {a = 1}, {})

print = original
for _, line in ipairs(lines) do print((line:gsub('probe = .*', 'probe = <time>'))) end
