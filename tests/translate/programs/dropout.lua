-- Dropout in a sequence, twice in one step, and of planes; slopes drawn at random
require 'rnn'
torch.manualSeed(1)
local step = nn.Sequential():add(nn.Linear(3, 4)):add(nn.Dropout(0.3)):add(nn.Tanh()):add(nn.Dropout(0.3)):add(nn.Linear(4, 2)):add(nn.LogSoftMax())
local model = nn.Sequential():add(nn.Sequencer(nn.FastLSTM(3, 3))):add(nn.Sequencer(nn.Dropout(0.5))):add(nn.Sequencer(step))
local crit = nn.SequencerCriterion(nn.ClassNLLCriterion())
local x, y = {}, {}
for t = 1, 5 do x[t] = torch.randn(2, 3); y[t] = torch.Tensor{1, 2} end
for i = 1, 4 do
  model:training()
  local out = model:forward(x)
  print(i, crit:forward(out, y))
  model:zeroGradParameters()
  model:backward(x, crit:backward(out, y))
  model:updateParameters(0.1)
  model:evaluate()
  print(crit:forward(model:forward(x), y))
end
local net = nn.Sequential():add(nn.SpatialConvolution(1, 4, 3, 3)):add(nn.SpatialDropout(0.4)):add(nn.RReLU()):add(nn.View(64)):add(nn.Linear(64, 2))
local z = torch.randn(3, 1, 6, 6)
for i = 1, 3 do
  local out = net:forward(z)
  net:zeroGradParameters()
  net:backward(z, out)
  net:updateParameters(0.01)
  print(out:sum())
end
