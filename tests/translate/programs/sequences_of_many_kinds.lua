-- Sequences in the ways in which programs have them: steps by hand, padded, batches first, one answer for all.
require 'rnn'
torch.manualSeed(43)
local wide, h, kinds, length, rows = 3, 4, 3, 5, 2

-- steps by hand over copies that share their weights; the loss is a mean over the steps
local body = nn.Sequential()
   :add(nn.ParallelTable():add(nn.Linear(wide, h)):add(nn.Linear(h, h))):add(nn.CAddTable()):add(nn.Tanh())
local mouth = nn.Sequential():add(nn.Linear(h, kinds)):add(nn.LogSoftMax())
local bodies, mouths, judges, seen, truth = {}, {}, {}, {}, {}
for t = 1, length do
   bodies[t] = body:clone('weight', 'bias', 'gradWeight', 'gradBias')
   mouths[t] = mouth:clone('weight', 'bias', 'gradWeight', 'gradBias')
   judges[t] = nn.ClassNLLCriterion()
   seen[t], truth[t] = torch.randn(rows, wide), torch.LongTensor(rows):random(1, kinds)
end
for turn = 1, 3 do
   body:zeroGradParameters()
   mouth:zeroGradParameters()
   local state, said, loss = {[0] = torch.zeros(rows, h)}, {}, 0
   for t = 1, length do
      state[t] = bodies[t]:forward{seen[t], state[t - 1]}
      said[t] = mouths[t]:forward(state[t])
      loss = loss + judges[t]:forward(said[t], truth[t])
   end
   local back = torch.zeros(rows, h)
   for t = length, 1, -1 do
      local slope = judges[t]:backward(said[t], truth[t]):div(length)
      back:add(mouths[t]:backward(state[t], slope))
      back = bodies[t]:backward({seen[t], state[t - 1]}, back)[2]
   end
   body:updateParameters(0.4)
   mouth:updateParameters(0.4)
   print(turn, loss / length)
end

-- padded sentences, of which each ends with 1; several layers under one mask
local sentences = {}
for i = 1, 3 do
   local n = i + 1
   local words = {}
   for t = 1, n do words[t] = 1 + (i + t) % kinds end
   words[n + 1] = 1
   sentences[i] = words
end
local padded = torch.LongTensor(5, 3):zero()
for i, words in ipairs(sentences) do
   for t = 1, #words do padded[5 - #words + t][i] = words[t] end
end
local function layer(from, to) return nn.FastLSTM(from, to) end
local talker = nn.Sequential()
talker:add(nn.LookupTableMaskZero(kinds, wide)):add(nn.SplitTable(1))
for _ = 1, 2 do talker:add(nn.Sequencer(layer(wide, wide))) end
talker:add(nn.Sequencer(nn.MaskZero(nn.Sequential():add(nn.Linear(wide, kinds)):add(nn.LogSoftMax()), 1)))
local all, slopes = talker:getParameters()
all:normal(0, 0.3)
local masked = nn.SequencerCriterion(nn.MaskZeroCriterion(nn.ClassNLLCriterion(), 1))
local heard, next = padded:narrow(1, 1, 4), nn.SplitTable(1):forward(padded:narrow(1, 2, 4):clone():clamp(1, kinds))
for turn = 1, 2 do
   slopes:zero()
   local said = talker:forward(heard)
   print(masked:forward(said, next))
   talker:backward(heard, masked:backward(said, next))
   all:add(-0.2, slopes)
end

-- batches first; a recurrence whose size is called like its state; one loss for every step
local fast = nn.SeqLSTM(wide, h)
fast.batchfirst = true
local summary = nn.Sequential():add(fast):add(nn.Select(2, -1)):add(nn.Linear(h, 1))
local inside = nn.Sequential()
   :add(nn.ParallelTable():add(nn.Linear(wide, h)):add(nn.Linear(h, h))):add(nn.CAddTable()):add(nn.Sigmoid())
local looping = nn.Sequential():add(nn.SplitTable(1)):add(nn.Sequencer(nn.Recurrence(inside, h, 1)))
   :add(nn.Sequencer(nn.Linear(h, 1)))
local near, each = nn.MSECriterion(), nn.RepeaterCriterion(nn.MSECriterion())
local series, goal = torch.randn(rows, length, wide), torch.randn(rows, 1)
local turned = series:transpose(1, 2):contiguous()
for turn = 1, 2 do
   local last, steps = summary:forward(series), looping:forward(turned)
   print(near:forward(last, goal), each:forward(steps, goal))
   summary:zeroGradParameters()
   looping:zeroGradParameters()
   summary:backward(series, near:backward(last, goal))
   looping:backward(turned, each:backward(steps, goal))
   summary:updateParameters(0.1)
   looping:updateParameters(0.1)
end
