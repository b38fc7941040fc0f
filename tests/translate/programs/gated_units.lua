require 'rnn'
torch.manualSeed(5)
-- gated units with dropout inside, and those that mix functions of their states
local function learn(model, steps)
  local crit = nn.SequencerCriterion(nn.MSECriterion())
  local x, y = torch.randn(steps, 2, 4), torch.randn(steps, 2, 3)
  for turn = 1, 4 do
    model:training()
    local out = model:forward(x)
    local loss = crit:forward(out, y)
    model:zeroGradParameters()
    model:backward(x, crit:backward(out, y))
    model:updateParameters(0.1)
    model:evaluate()
    print(turn, loss, crit:forward(model:forward(x), y))
  end
end
local dropping = nn.Sequential():add(nn.Sequencer(nn.GRU(4, 4, 9, 0.25)))
dropping:add(nn.Sequencer(nn.GRU(4, 5, nil, 0.5))):add(nn.Sequencer(nn.Linear(5, 3)))
learn(dropping, 5)
learn(dropping, 7)
learn(dropping, 3)
for _, p in ipairs{0, 0.3} do
  local chosen = nn.Sequential():add(nn.Sequencer(nn.GRU(4, 3, nil, p)))
  learn(chosen, 3)
end
local whole = nn.Sequential():add(nn.Sequencer(nn.MuFuRu(4, 3)))
whole:remember('train')
learn(whole, 4)
local some = nn.Sequential():add(nn.Sequencer(nn.MuFuRu(4, 6, {'keep', 'replace', 'max'})))
some:add(nn.Sequencer(nn.Linear(6, 3)))
learn(some, 3)
local cell = nn.MuFuRu(4, 3)
local x = torch.randn(2, 4)
print(cell:forward(x):sum(), cell:forward(x):sum())
cell:forget()
print(cell:forward(x):sum())
