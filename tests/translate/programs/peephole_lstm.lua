-- A time series with nn.LSTM, mean squared error, sine waves
require 'rnn'
torch.manualSeed(10)
local nIter, rho, batchSize, hiddenSize, lr = 12, 6, 4, 7, 0.05
local series = torch.Tensor(3, 60)
for i = 1, 3 do
  local j = 0
  series[i]:apply(function() j = j + 1; return math.sin(j * 0.3 * i) end)
end
local rnn = nn.Sequential()
  :add(nn.LSTM(1, hiddenSize))
  :add(nn.Linear(hiddenSize, 1))
rnn = nn.Sequencer(rnn)
local criterion = nn.SequencerCriterion(nn.MSECriterion())
local offsets = {}
for i = 1, batchSize do table.insert(offsets, i * 7) end
offsets = torch.LongTensor(offsets)
local function sample(s)
  local inputs, targets = {}, {}
  for step = 1, rho do
    inputs[step] = series[s]:index(1, offsets):view(batchSize, 1)
    offsets:add(1)
    for j = 1, batchSize do
      if offsets[j] > 60 then offsets[j] = 1 end
    end
    targets[step] = series[s]:index(1, offsets):view(batchSize, 1)
  end
  return inputs, targets
end
for i = 1, nIter do
  local inputs, targets = sample((i - 1) % 3 + 1)
  rnn:zeroGradParameters()
  local outputs = rnn:forward(inputs)
  local err = criterion:forward(outputs, targets)
  if i % 3 == 0 then print(string.format('Iteration %d ; MSE err = %f', i, err)) end
  local gradOutputs = criterion:backward(outputs, targets)
  rnn:backward(inputs, gradOutputs)
  rnn:updateParameters(lr)
end
