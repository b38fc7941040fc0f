-- nn.StochasticGradient, and the method by which containers written in Lua report which of their modules failed.
--
-- Arguments: core {fail}, host, nn, module_of (module.lua).

local core, _, nn, module_of = ...

local select, pcall, error, tostring, type, unpack = select, pcall, error, tostring, type, unpack
local torch = torch

local StochasticGradient = torch.class('nn.StochasticGradient')

-- nn.StochasticGradient(module, criterion): trains example by example, in a new order or, with shuffleIndices
-- false, in that of the data. Fields: learningRate 0.01; learningRateDecay 0, the rate of iteration i being
-- learningRate / (1 + i * learningRateDecay) after the first; maxIteration 25, 0 for no end; verbose true;
-- hookExample(self, example) and hookIteration(self, iteration, error).
function StochasticGradient:__init(module, criterion)
   self.module, self.criterion = module, criterion
   self.learningRate, self.learningRateDecay = 0.01, 0
   self.maxIteration = 25
   self.shuffleIndices, self.verbose = true, true
end

local function train_on(self, example, rate)
   local module, criterion = self.module, self.criterion
   if not example then core.fail('nn.StochasticGradient: the data set has fewer examples than its size says') end
   local input, target = example[1], example[2]
   local loss = criterion:forward(module:forward(input), target)
   module:updateGradInput(input, criterion:updateGradInput(module.output, target))
   module:accUpdateGradParameters(input, criterion.gradInput, rate)
   if self.hookExample then self.hookExample(self, example) end
   return loss
end

-- trainer:train(dataset): dataset:size() examples, dataset[i] = {input, target}.
function StochasticGradient:train(dataset)
   if not dataset or not dataset.size then
      core.fail('nn.StochasticGradient: the data set has no function size')
   end
   local order = torch.randperm(dataset:size(), 'torch.LongTensor')
   if not self.shuffleIndices then order = torch.range(1, dataset:size()):long() end
   print('# StochasticGradient: training')
   local iteration, rate = 1, self.learningRate
   while true do
      local loss = 0
      for i = 1, dataset:size() do loss = loss + train_on(self, dataset[order[i]], rate) end
      loss = loss / dataset:size()
      if self.hookIteration then self.hookIteration(self, iteration, loss) end
      if self.verbose then print('# current error = ' .. loss) end
      iteration = iteration + 1
      rate = self.learningRate / (1 + iteration * self.learningRateDecay)
      if self.maxIteration > 0 and iteration > self.maxIteration then
         print('# StochasticGradient: you have reached the maximum number of iterations')
         print('# training error = ' .. loss)
         return
      end
   end
end

-- container:rethrowErrors(module, i, method, ...): module:method(...), for its i-th module; an error says which.
module_of.redefine(torch.getmetatable('nn.Container'), 'rethrowErrors', function(self, module, i, method, ...)
   local there = self.modules[i]   -- nil for a module that was created by this call
   if there ~= nil and not rawequal(module, there) then core.fail('module %s is not number %s of its container', tostring(module), tostring(i)) end
   local function give(ok, result, ...)
      if ok then
         if select('#', ...) > 0 then core.fail('rethrowErrors: %s returned more than one value', method) end
         return result
      end
      if type(result) ~= 'string' then error(result, 0) end
      core.fail('\nIn %s module of %s:\n%s', tostring(i), torch.type(self), result)
   end
   return give(pcall(function(...) return module[method](module, ...) end, ...))
end)
