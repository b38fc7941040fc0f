-- The layers that `rnn.test` tries. Argument: chunk. Result: the function `test` of torch7py.packages.dpnn/layer_tests.lua.

local chunk = ...
local nn, torch = nn, torch

local function steps(count, ...)
   local list = {}
   for t = 1, count do list[t] = torch.randn(...) end
   return list
end

local cases = {}

for _, name in ipairs {'LSTM', 'FastLSTM', 'GRU', 'MuFuRu'} do
   cases[name] = function() return nn.Sequencer(nn[name](3, 2)), steps(3, 2, 3) end
end
for _, name in ipairs {'SeqLSTM', 'SeqGRU'} do
   cases[name] = function() return nn[name](3, 2), torch.randn(3, 2, 3) end
end
cases.SeqLSTMP = function() return nn.SeqLSTMP(3, 4, 2), torch.randn(3, 2, 3) end
cases.SeqBRNN = function() return nn.SeqBRNN(3, 2), torch.randn(3, 2, 3) end

function cases.Recurrent()
   local r = nn.Recurrent(2, nn.Linear(3, 2), nn.Linear(2, 2), nn.Tanh(), 5)
   return nn.Sequencer(r), steps(3, 2, 3)
end

function cases.Recurrence()
   local step = nn.Sequential():add(nn.JoinTable(1, 1)):add(nn.Linear(5, 2)):add(nn.Sigmoid())
   return nn.Sequencer(nn.Recurrence(step, 2, 1)), steps(3, 2, 3)
end

function cases.Recursor() return nn.Sequencer(nn.Recursor(nn.Linear(3, 2), 5)), steps(3, 2, 3) end
function cases.Repeater() return nn.Repeater(nn.LSTM(3, 3), 3), torch.randn(2, 3) end
function cases.BiSequencer() return nn.BiSequencer(nn.LSTM(3, 2), nn.GRU(3, 2)), steps(3, 2, 3) end
function cases.BiSequencerLM() return nn.BiSequencerLM(nn.LSTM(3, 2), nn.LSTM(3, 2)), steps(3, 2, 3) end
function cases.MaskZero() return nn.Sequencer(nn.MaskZero(nn.Linear(3, 2), 1)), steps(2, 2, 3) end

return chunk('torch7py.packages.dpnn/layer_tests.lua')(cases)
