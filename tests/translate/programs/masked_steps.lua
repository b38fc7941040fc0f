require 'rnn'
torch.manualSeed(2)
-- sequences of several lengths, filled up with zeros: a step of zeros clears the state
local model = nn.Sequential():add(nn.Sequencer(nn.LookupTableMaskZero(9, 4)))
model:add(nn.Sequencer(nn.FastLSTM(4, 5):maskZero(1)))
model:add(nn.Sequencer(nn.MaskZero(nn.Linear(5, 9), 1))):add(nn.Sequencer(nn.MaskZero(nn.LogSoftMax(), 1)))
local criterion = nn.SequencerCriterion(nn.MaskZeroCriterion(nn.ClassNLLCriterion(), 1))
local x = torch.Tensor{{0, 3, 7}, {2, 1, 0}, {4, 0, 0}, {5, 6, 8}}
local y = torch.Tensor{{0, 4, 1}, {2, 2, 0}, {9, 0, 0}, {1, 3, 8}}
for turn = 1, 8 do
  local out = model:forward(x)
  local loss = criterion:forward(out, y)
  model:zeroGradParameters()
  model:backward(x, criterion:backward(out, y))
  model:updateParameters(0.2)
  print(turn, loss, out[2]:sum())
end
local gated = nn.Sequential():add(nn.Sequencer(nn.GRU(3, 4):maskZero(1))):add(nn.Sequencer(nn.Linear(4, 2)))
gated:remember('both')
local mse = nn.SequencerCriterion(nn.MSECriterion())
local inputs, targets = torch.randn(4, 2, 3), torch.randn(4, 2, 2)
inputs[2][1]:zero()
inputs[3]:zero()
for turn = 1, 4 do
  local out = gated:forward(inputs)
  local loss = mse:forward(out, targets)
  gated:zeroGradParameters()
  gated:backward(inputs, mse:backward(out, targets))
  gated:updateParameters(0.2)
  print(turn, loss)
end
local cell = nn.FastLSTM(3, 2):maskZero(1)
for i = 1, 4 do
  local step = torch.randn(2, 3)
  if i == 3 then step[1]:zero() end
  print(cell:forward(step):sum())
end
