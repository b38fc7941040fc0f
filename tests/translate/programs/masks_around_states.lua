-- A mask around layers that keep a state: rows of zeros give zeros, while the state goes on.
require 'rnn'
torch.manualSeed(3)
local rm = nn.Sequencer(nn.MaskZero(nn.FastLSTM(3, 4), 1))
local seq = {torch.randn(2, 3), torch.randn(2, 3), torch.randn(2, 3)}
seq[1][1]:zero()
seq[2][1]:zero()
local target = {torch.randn(2, 4), torch.randn(2, 4), torch.randn(2, 4)}
local crit = nn.SequencerCriterion(nn.MSECriterion())
for i = 1, 4 do
   rm:zeroGradParameters()
   local o = rm:forward(seq)
   print(crit:forward(o, target), o[1]:norm(), o[3]:norm())
   rm:backward(seq, crit:backward(o, target))
   rm:updateParameters(0.3)
end
local words = nn.Sequential():add(nn.Sequencer(nn.LookupTableMaskZero(5, 3))):add(nn.Sequencer(nn.MaskZero(nn.GRU(3, 4), 1)))
local steps = {torch.LongTensor{0, 2}, torch.LongTensor{1, 3}, torch.LongTensor{5, 0}}
for i = 1, 3 do
   words:zeroGradParameters()
   local o = words:forward(steps)
   print(crit:forward(o, target), o[1]:norm())
   words:backward(steps, crit:backward(o, target))
   words:updateParameters(0.3)
end
