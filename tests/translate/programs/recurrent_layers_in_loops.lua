-- Recurrent layers with names of their own, added to networks in loops and branches.
require 'rnn'

local cmd = torch.CmdLine()
cmd:option('-cell', 'lstm', 'lstm, gru or plain')
cmd:option('-sizes', 2, 'number of layers')
cmd:option('-carry', true, 'go on where the last batch ended')
local opt = cmd:parse(arg or {})
torch.manualSeed(17)
local vocabulary, width = 9, 4

-- what is done at each step grows layer by layer
local perStep = nn.Sequential()
local inputSize = width
for depth = 1, opt.sizes do
   local cell
   if opt.cell == 'gru' then
      cell = nn.GRU(inputSize, width + depth)
   elseif opt.cell == 'lstm' then
      cell = nn.FastLSTM(inputSize, width + depth) -- one bias for each gate
   else
      cell = nn.Recurrent(width + depth, nn.Linear(inputSize, width + depth), nn.Linear(width + depth, width + depth))
   end
   perStep:add(cell)
   perStep:add(nn.Tanh())
   inputSize = width + depth
end
perStep:add(nn.Linear(inputSize, vocabulary)):add(nn.LogSoftMax())

local speaker = nn.Sequential()
speaker:add(nn.LookupTable(vocabulary, width))
speaker:add(nn.SplitTable(1))
speaker:add(nn.Sequencer(perStep))
speaker:remember(opt.carry and 'both' or 'neither')
for _, weights in ipairs(speaker:parameters()) do weights:uniform(-0.4, 0.4) end

local eachStep = nn.SequencerCriterion(nn.ClassNLLCriterion())
local tape = torch.LongTensor(12, 3):random(1, vocabulary)
local function stretch(from, length)
   local answers = {}
   for k = 1, length do answers[k] = tape[from + k] end
   return tape:narrow(1, from, length), answers
end

for round = 1, 2 do
   speaker:training()
   speaker:forget()
   for from = 1, 8, 3 do
      local heard, answers = stretch(from, 3)
      local said = speaker:forward(heard)
      print(round, from, eachStep:forward(said, answers))
      speaker:zeroGradParameters()
      speaker:backward(heard, eachStep:backward(said, answers))
      speaker:updateParameters(0.3)
   end
   speaker:evaluate()
   local heard, answers = stretch(1, 5)
   print('evaluated', eachStep:forward(speaker:forward(heard), answers))
   print('again', eachStep:forward(speaker:forward(heard), answers))
end

-- sequencers around named layers, to one answer; fast layers over the whole sequence
local judge = nn.Sequential()
judge:add(nn.LookupTable(vocabulary, width))
judge:add(nn.SeqLSTM(width, width))
judge:add(nn.SplitTable(1))
for _ = 1, 2 do
   local layer = nn.FastLSTM(width, width)
   judge:add(nn.Sequencer(layer))
end
judge:add(nn.SelectTable(-1)):add(nn.Linear(width, 2)):add(nn.LogSoftMax())
for _, weights in ipairs(judge:parameters()) do weights:uniform(-0.5, 0.5) end
local verdict = nn.ClassNLLCriterion()
local guilty = torch.LongTensor{1, 2, 2}
for turn = 1, 3 do
   local opinion = judge:forward(tape)
   print(verdict:forward(opinion, guilty))
   judge:zeroGradParameters()
   judge:backward(tape, verdict:backward(opinion, guilty))
   judge:updateParameters(0.2)
end

-- a state that is made anew at each character
local counter = nn.Linear(3, 3)
local state = {}
for i = 1, 2 do state[i] = torch.ones(3) * i end
for turn = 1, 2 do
   local first, second = unpack(state)
   local next = counter:forward(first + second)
   state = {}
   for i = 1, 2 do state[i] = next:clone():mul(i) end
end
print(#state, state[2]:sum())

-- both ways, the second like the first with weights of its own
local ahead = nn.Sequential()
ahead:add(nn.FastLSTM(width, width)):add(nn.Linear(width, 2))
local behind = ahead:clone()
behind:reset() -- draws them
local both = nn.Sequential()
   :add(nn.LookupTable(vocabulary, width)):add(nn.SplitTable(1)):add(nn.BiSequencer(ahead, behind, nn.CAddTable()))
local nearness = nn.SequencerCriterion(nn.MSECriterion())
local aims = {}
for k = 1, 12 do aims[k] = torch.randn(3, 2) end
for turn = 1, 2 do
   local found = both:forward(tape)
   print(nearness:forward(found, aims))
   both:zeroGradParameters()
   both:backward(tape, nearness:backward(found, aims))
   both:updateParameters(0.1)
end
