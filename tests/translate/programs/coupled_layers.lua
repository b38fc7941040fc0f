-- An encoder hands its states to a decoder, and takes the gradients of them back: three kinds of layers.
require 'rnn'
torch.manualSeed(29)
local symbols, size, depth, batch, steps = 7, 5, 2, 3, 4

local function copyStates(reader, writer)
   for k = 1, #reader.stack do
      writer.stack[k].userPrevOutput = reader.stack[k].output[steps]
      writer.stack[k].userPrevCell = reader.stack[k].cell[steps]
   end
end

-- the way back
local function copyGradients(reader, writer)
   for k = 1, #writer.stack do
      reader.stack[k].gradPrevOutput = writer.stack[k].userGradPrevOutput
      reader.stack[k].userNextGradCell = writer.stack[k].userGradPrevCell
   end
end

local reader = nn.Sequential()
reader:add(nn.LookupTableMaskZero(symbols, size))
reader.stack = {}
for k = 1, depth do
   reader.stack[k] = nn.SeqLSTM(size, size)
   reader.stack[k]:maskZero()
   reader:add(reader.stack[k])
end
reader:add(nn.Select(1, -1))
local writer = nn.Sequential()
writer:add(nn.LookupTableMaskZero(symbols, size))
writer.stack = {}
for k = 1, depth do
   writer.stack[k] = nn.SeqLSTM(size, size)
   writer:add(writer.stack[k])
end
writer:add(nn.Sequencer(nn.Linear(size, symbols))):add(nn.Sequencer(nn.LogSoftMax()))

local weights, gradients = reader:getParameters()
weights:uniform(-0.3, 0.3) -- also the vector of padding
local spell = nn.SequencerCriterion(nn.ClassNLLCriterion())
local heard = torch.LongTensor(steps, batch):random(1, symbols)
heard[1][1] = 0
local said = torch.LongTensor(steps + 2, batch):random(1, symbols)
local wanted = torch.LongTensor(steps + 2, batch):random(1, symbols)
for turn = 1, 3 do
   reader:zeroGradParameters()
   writer:zeroGradParameters()
   local thought = reader:forward(heard)
   copyStates(reader, writer)
   local spelled = writer:forward(said)
   print(turn, spell:forward(spelled, wanted))
   writer:backward(said, spell:backward(spelled, wanted))
   copyGradients(reader, writer)
   reader:backward(heard, thought:clone():zero())
   print(gradients:norm())
   writer:updateParameters(0.3)
   reader:updateParameters(0.3)
end

-- gated units, of which one hands its output on; nothing goes back to the first
local first, second = nn.SeqGRU(size, size), nn.SeqGRU(size, size)
local judge = nn.MSECriterion()
local one, two = torch.randn(steps, batch, size), torch.randn(steps, batch, size)
for turn = 1, 2 do
   first:forward(one)
   second.userPrevOutput = first.output[steps]
   local answer = second:forward(two)
   print(judge:forward(answer, one))
   first:zeroGradParameters()
   second:zeroGradParameters()
   second:backward(two, judge:backward(answer, one))
   first:updateParameters(0.2) -- by nothing
   second:updateParameters(0.2)
end
