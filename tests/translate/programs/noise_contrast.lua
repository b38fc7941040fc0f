-- A model of words that learns to tell the next word from noise; momentum and limits of dpnn.
require 'rnn'
torch.manualSeed(31)
local words, width, noises = 11, 4, 3

local counts = torch.range(1, words):float()
local guess = nn.NCEModule(width, words, noises, counts, 1)
guess.batchnoise = false -- each example has noise of its own
print(counts:sum() < 1.1) -- they are divided in place

local table_of_words = nn.LookupTable(words, width)
table_of_words.maxOutNorm = -1 -- never shortened
local reader = nn.Sequential():add(table_of_words):add(nn.SplitTable(1)):add(nn.Sequencer(nn.FastLSTM(width, width)))
local speaker = nn.Sequential()
   :add(nn.ParallelTable():add(reader):add(nn.Identity()))
   :add(nn.ZipTable())
speaker:add(nn.Sequencer(guess))
speaker:remember()

local told = nn.SequencerCriterion(nn.NCECriterion())
local surprise = nn.SequencerCriterion(nn.ClassNLLCriterion())
local story = torch.LongTensor(13, 2):random(1, words)
local pieces = nn.SplitTable(1)
for epoch = 1, 2 do
   speaker:training()
   local sum = 0
   for at = 1, 12, 4 do
      local heard, next = story:narrow(1, at, 4), pieces:forward(story:narrow(1, at + 1, 4))
      local said = speaker:forward({heard, next})
      sum = sum + told:forward(said, next)
      speaker:zeroGradParameters()
      speaker:backward({heard, next}, told:backward(said, next))
      if epoch == 1 then speaker:updateGradParameters(0.8) else speaker:updateGradParameters(0.8, 0.1, true) end
      speaker:updateParameters(0.2)
      speaker:maxParamNorm(0.9)
   end
   print(('epoch %d: %.6f'):format(epoch, sum))
   speaker:evaluate()
   guess.normalized, guess.logsoftmax = true, true
   local said = speaker:forward({story:narrow(1, 1, 12), pieces:forward(story:narrow(1, 2, 12))})
   print('surprise', surprise:forward(said, pieces:forward(story:narrow(1, 2, 12))))
   guess.normalized = false
end

-- by itself, with one noise for all
local alone = nn.NCEModule(width, words, 5, torch.ones(words))
local points, classes = torch.randn(6, width), torch.LongTensor{1, 5, 9, 11, 2, 2}
local one = nn.NCECriterion()
for turn = 1, 2 do
   local said = alone:forward({points, classes})
   print(turn, one:forward(said, classes))
   alone:zeroGradParameters()
   alone:backward({points, classes}, one:backward(said, classes))
   alone:updateParameters(0.5)
end
