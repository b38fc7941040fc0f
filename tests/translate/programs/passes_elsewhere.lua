-- Modules whose backward pass stands in another function than their forward, or in a branch of its own.
require 'nn'
require 'optim'
torch.manualSeed(4)

do
   local Model = torch.class('Model')
   function Model:__init(hidden)
      self.net = nn.Sequential():add(nn.Linear(3, hidden)):add(nn.Tanh()):add(nn.Linear(hidden, 2)):add(nn.LogSoftMax())
   end
   function Model:forward(input)
      self.output = self.net:forward(input)
      return self.output
   end
   function Model:backward(input, gradOutput)
      self.gradInput = self.net:backward(input, gradOutput)
      return self.gradInput
   end
end

local model, loss = Model(4), nn.ClassNLLCriterion()
local w, dw = model.net:getParameters()
local function step(batch, labels)
   local objective = loss:forward(model:forward(batch), labels)
   dw:zero()
   local given = model:backward(batch, loss:backward(model.output, labels))
   w:add(-0.5, dw)
   return objective, given
end
local x, y = torch.randn(5, 3), torch.Tensor({1, 2, 1, 1, 2})
for i = 1, 3 do
   local objective, given = step(x, y)
   print(string.format('%.10f %.10f', objective, given:norm()))
end

-- two players, the first of which may see a condition
local function play(conditioned)
   local judge = nn.Sequential()
   if conditioned then judge:add(nn.JoinTable(2)) end
   judge:add(nn.Linear(conditioned and 4 or 2, 3)):add(nn.Tanh()):add(nn.Linear(3, 1)):add(nn.Sigmoid())
   local forger = nn.Sequential():add(nn.Linear(2, 2)):add(nn.Tanh())
   local criterion = nn.BCECriterion()
   local wJ, dJ = judge:getParameters()
   local wF, dF = forger:getParameters()
   local seen, noise, label = torch.randn(4, 2), torch.randn(4, 2), torch.ones(4, 1)
   local shown = torch.Tensor(4, 2)
   local lossOfJudge, lossOfForger

   local function judged(given)
      shown:copy(given)
      local output
      if conditioned then output = judge:forward({seen, shown}) else output = judge:forward(shown) end
      local err = criterion:forward(output, label)
      local gradient = criterion:backward(output, label)
      if conditioned then judge:backward({seen, shown}, gradient) else judge:backward(shown, gradient) end
      return err
   end
   local function first(z)
      dJ:zero()
      label:fill(1)
      local err = judged(seen)
      label:fill(0)
      lossOfJudge = err + judged(forger:forward(noise))
      return lossOfJudge, dJ
   end
   local function second(z)
      dF:zero()
      label:fill(1)
      local gradient = criterion:backward(judge.output, label)
      local given
      if conditioned then
         given = judge:updateGradInput({seen, shown}, gradient)[2]
      else
         given = judge:updateGradInput(shown, gradient)
      end
      forger:backward(noise, given)
      lossOfForger = criterion:forward(judge.output, label)
      return lossOfForger, dF
   end
   for i = 1, 3 do
      optim.adam(first, wJ, {learningRate = 0.1})
      optim.adam(second, wF, {learningRate = 0.1})
      print(string.format('%.10f %.10f', lossOfJudge, lossOfForger))
   end
end
play(true)
play(false)
