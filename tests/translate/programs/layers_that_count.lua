-- A layer that changes variables of the program has its class where they are.
require 'nn'
torch.manualSeed(3)

local penalty, calls = 0, 0
do
   local Sparse, parent = torch.class('nn.SparsityOfCodes', 'nn.Module')
   function Sparse:__init(strength)
      parent.__init(self)
      self.strength = strength
   end
   function Sparse:updateOutput(input)
      calls = calls + 1
      penalty = self.strength * input:norm(1)
      self.output = input
      return self.output
   end
   function Sparse:updateGradInput(input, gradOutput)
      self.gradInput:resizeAs(input):copy(input):sign():mul(self.strength):add(gradOutput)
      return self.gradInput
   end
end

local coder = nn.Sequential():add(nn.Linear(6, 4)):add(nn.Tanh()):add(nn.SparsityOfCodes(0.01)):add(nn.Linear(4, 6))
local criterion = nn.MSECriterion()
local x = torch.randn(10, 6)
for step = 1, 5 do
   local loss = criterion:forward(coder:forward(x), x)
   coder:zeroGradParameters()
   coder:backward(x, criterion:backward(coder.output, x))
   coder:updateParameters(0.1)
   print(step, loss, penalty, calls)
end
