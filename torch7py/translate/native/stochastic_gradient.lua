local StochasticGradient = torch.class('nn.StochasticGradient')
function StochasticGradient:__init(module, criterion)
   self.module, self.criterion = module, criterion
   self.learningRate, self.learningRateDecay, self.maxIteration = 0.01, 0, 25
   self.shuffleIndices, self.verbose = true, true
end
function StochasticGradient:train(dataset)
   local order = torch.randperm(dataset:size())
   if not self.shuffleIndices then order = torch.range(1, dataset:size()) end
   print('# StochasticGradient: training')
   local iteration, rate = 1, self.learningRate
   while true do
      local loss = 0
      for i = 1, dataset:size() do
         local example = dataset[order[i]]
         local input, target = example[1], example[2]
         local output = self.module:forward(input)
         loss = loss + self.criterion:forward(output, target)
         self.module:zeroGradParameters()
         self.module:backward(input, self.criterion:backward(output, target))
         self.module:updateParameters(rate, 'shared weights once')
         if self.hookExample then self:hookExample(example) end
      end
      loss = loss / dataset:size()
      if self.hookIteration then self:hookIteration(iteration, loss) end
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
