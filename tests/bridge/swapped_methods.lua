-- Random programs that put methods in the place of built-in ones for one call and put the old ones back, and how often
-- theirs are called.
--
-- Arguments: the first and the last seed. Runs under the original too. A line is a step: what was swapped, the calls of the
-- script's functions by name, and sums of what the call gave.
require 'rnn'
require 'nngraph'

local any = torch.random
local function pick(list) return list[any(1, #list)] end

local function graph()
   local a, b = nn.Identity()(), nn.Identity()()
   local sum = nn.CAddTable()({nn.Linear(3, 4)(a), nn.Linear(4, 4)(b)})
   local out = nn.Sigmoid()(sum)
   return nn.gModule({a, b}, {nn.Narrow(2, 2, 2)(out), out})
end

local function layers()
   return nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Sequential():add(nn.Linear(4, 2)):add(nn.LogSoftMax()))
end

local function branches()
   return nn.Sequential():add(nn.ConcatTable():add(nn.Linear(3, 2)):add(nn.Linear(3, 2))):add(nn.CMulTable()):add(nn.ReLU())
end

-- A way to make a model, its input, and a gradient for its output.
local MODELS = {
   {graph, function() return {torch.randn(5, 3), torch.randn(5, 4)} end, function() return {torch.randn(5, 2), torch.randn(5, 4)} end},
   {layers, function() return torch.randn(5, 3) end, function() return torch.randn(5, 2) end},
   {branches, function() return torch.randn(5, 3) end, function() return torch.randn(5, 2) end},
}
local CRITERIONS = {
   {nn.MSECriterion, function() return torch.randn(5, 2), torch.randn(5, 2) end},
   {nn.ClassNLLCriterion, function() return torch.randn(5, 2), torch.Tensor(5):random(1, 2) end},
   {function() return nn.SequencerCriterion(nn.MSECriterion()) end, function()
      return {torch.randn(5, 2), torch.randn(5, 2)}, {torch.randn(5, 2), torch.randn(5, 2)}
   end},
}
local METHODS = {'forward', 'updateOutput', 'backward', 'updateGradInput', 'accGradParameters', 'training', 'zeroGradParameters',
                 'updateParameters', 'clearState'}
local CLASSES = {'Module', 'Module', 'Criterion', 'Linear', 'Sigmoid', 'Tanh', 'Sequential', 'Container', 'gModule',
                 'MSECriterion', 'CAddTable'}

-- Five digits, of which the sign of a rounded zero is none.
local function digits(number) return (('%.5f'):format(number):gsub('^%-(0%.00000)$', '%1')) end

local function sum(value)
   if type(value) == 'number' then return digits(value) end
   if type(value) ~= 'table' then return value == nil and 'nil' or digits(value:sum()) end
   local parts = {}
   for i = 1, #value do parts[i] = sum(value[i]) end
   return '{' .. table.concat(parts, ' ') .. '}'
end

local counts
-- Put a function that counts in the place of a method; returns what puts the old one back.
local function swap(class, name)
   local c = torch.getmetatable('nn.' .. class)
   local own, old = rawget(c, name), c[name]
   if type(old) ~= 'function' then return function() end end
   c[name] = function(self, ...)
      counts[name] = (counts[name] or 0) + 1
      return old(self, ...)
   end
   return function() c[name] = own end
end

local function show_counts()
   local parts = {}
   for _, name in ipairs(METHODS) do
      if counts[name] then parts[#parts + 1] = name .. '=' .. counts[name] end
   end
   return table.concat(parts, ',')
end

local function run(seed)
   torch.manualSeed(seed)
   local kind, loss = pick(MODELS), pick(CRITERIONS)
   local m, c = kind[1](), loss[1]()
   local models = {m, nn.Sequential():add(m)}
   m:zeroGradParameters()
   local input, target = loss[2]()
   local swaps = {}
   for i = 1, any(1, 3) do swaps[i] = {pick(CLASSES), pick(METHODS)} end
   local CALLS = {
      function(x) return sum(m:forward(x)) end,
      function(x) return sum(m:forward(x)) .. sum(m:backward(x, kind[3]())) end,
      function() return sum(c:forward(input, target)) .. sum(c:backward(input, target)) end,
      function() m:zeroGradParameters() return '' end,
      function() m:updateParameters(0.1) return '' end,
      function() m:training() return '' end,
   }
   for step = 1, 14 do
      counts, m = {}, pick(models)
      local x, back = kind[2](), {}
      local is_swapped = any(1, 3) > 1
      if is_swapped then
         for i, s in ipairs(swaps) do back[i] = swap(s[1], s[2]) end
      end
      local call = CALLS[any(1, 3) == 1 and any(1, #CALLS) or any(1, 3)]
      local is_half = any(1, 4) == 1   -- put back between a forward and its backward
      local ok, shown = pcall(function() return call(x) .. (is_half and sum(m:forward(x)) or '') end)
      for i = #back, 1, -1 do back[i]() end
      if not ok then error(shown, 0) end
      if is_half then shown = shown .. sum(m:backward(x, kind[3]())) end
      local _, gradients = m:parameters()
      print(seed, step, is_swapped and 'swapped' or 'plain', show_counts(), shown, sum(gradients))
   end
end

for seed = tonumber(arg[1]), tonumber(arg[2]) do
   local ok, err = pcall(run, seed)
   if not ok then print(seed, 'error ' .. tostring(err):gsub('.*: ', '')) end
end
