require 'rnn'
torch.manualSeed(3)
-- what is remembered in training alone, in evaluation alone, in both and in neither
local function run(model, x, y)
  local crit = nn.SequencerCriterion(nn.MSECriterion())
  for turn = 1, 3 do
    model:training()
    for i = 1, 2 do
      local out = model:forward(x)
      print('train', crit:forward(out, y))
      model:zeroGradParameters()
      model:backward(x, crit:backward(out, y))
      model:updateParameters(0.1)
    end
    model:evaluate()
    for i = 1, 3 do
      if i == 3 and turn == 2 then model:forget() end
      print('test', crit:forward(model:forward(x), y))
    end
  end
end
local x, y = torch.randn(4, 2, 3), torch.randn(4, 2, 3)
local a = nn.Sequential():add(nn.Sequencer(nn.FastLSTM(3, 5))):add(nn.Sequencer(nn.Linear(5, 3)))
a:remember('both')
run(a, x, y)
local b = nn.Sequential()
b:add(nn.SeqLSTM(3, 5))
b:add(nn.Sequencer(nn.Sequential():add(nn.Linear(5, 3)):add(nn.Tanh())))
b:remember('eval')
run(b, x, y)
local inner = nn.Sequential():add(nn.Sequencer(nn.GRU(3, 4)))
local c = nn.Sequential():add(inner)
c:remember('train')
c:add(nn.Sequencer(nn.LSTM(4, 3)))
run(c, x, y)
local d = nn.Sequential():add(nn.SeqGRU(3, 3)):remember()
d:add(nn.Sequencer(nn.Recurrent(4, nn.Linear(3, 4), nn.Linear(4, 4), nn.Tanh(), 5)):remember('eval'))
d:add(nn.Sequencer(nn.Linear(4, 3)))
run(d, x, y)
local cell = nn.Sequential():add(nn.JoinTable(1, 1)):add(nn.Linear(6, 3)):add(nn.Tanh())
local e = nn.Sequential():add(nn.Sequencer(nn.Recurrence(cell, 3, 1)))
e:remember('train')
run(e, x, y)
-- chosen when the program runs
local function made(opt)
  local model = nn.Sequential():add(nn.Sequencer(nn.GRU(3, 4))):add(nn.SeqLSTM(4, 3))
  model:remember((opt.long or opt.gated) and 'both' or 'eval')
  return model
end
run(made({long = false, gated = true}), x, y)
run(made({long = false, gated = false}), x, y)
