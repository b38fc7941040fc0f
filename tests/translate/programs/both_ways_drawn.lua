-- A sequence gone through both ways by copies of one layer, whose weights are drawn in one vector.
require 'rnn'
torch.manualSeed(3)
local model = nn.Sequential():add(nn.BiSequencer(nn.GRU(3, 2))):add(nn.Sequencer(nn.Linear(4, 2)))
local criterion = nn.SequencerCriterion(nn.MSECriterion())
local weights, gradients = model:getParameters()
weights:uniform(-0.2, 0.2)
for i = 1, 2 do
   local x, y = {torch.randn(2, 3), torch.randn(2, 3)}, {torch.randn(2, 2), torch.randn(2, 2)}
   gradients:zero()
   print(criterion:forward(model:forward(x), y))
   model:backward(x, criterion:backward(model.output, y))
   weights:add(-0.1, gradients)
end
