-- GRU language model with nngraph built by hand, sampling at the end
require 'nn'
require 'nngraph'
require 'optim'
torch.manualSeed(123)
local cmd = torch.CmdLine()
cmd:text('Train a character model')
cmd:option('-rnn_size', 12, 'size of the state')
cmd:option('-seq_length', 6, 'steps')
cmd:option('-batch_size', 3, 'batch')
cmd:option('-max_epochs', 2, 'epochs')
cmd:option('-grad_clip', 5, 'clip')
cmd:option('-temperature', 0.8, 'of the samples')
local opt = cmd:parse(arg)
local text = string.rep('hello torch world ', 20)
local vocab, chars = {}, {}
for i = 1, #text do
  local ch = text:sub(i, i)
  if not vocab[ch] then
    table.insert(chars, ch)
    vocab[ch] = #chars
  end
end
local V = #chars
local function gru(input_size, size)
  local x, prev = nn.Identity()(), nn.Identity()()
  local function gate(h)
    return nn.Sigmoid()(nn.CAddTable()({nn.Linear(input_size, size)(x), nn.Linear(size, size)(h)}))
  end
  local update, reset = gate(prev), gate(prev)
  local gated = nn.CMulTable()({reset, prev})
  local cand = nn.Tanh()(nn.CAddTable()({nn.Linear(input_size, size)(x), nn.Linear(size, size)(gated)}))
  local zh = nn.CMulTable()({update, cand})
  local keep = nn.CMulTable()({nn.AddConstant(1)(nn.MulConstant(-1)(update)), prev})
  local nexth = nn.CAddTable()({zh, keep})
  local logp = nn.LogSoftMax()(nn.Linear(size, V)(nexth))
  return nn.gModule({x, prev}, {nexth, logp})
end
local embed = nn.LookupTable(V, opt.rnn_size)
local cell = gru(opt.rnn_size, opt.rnn_size)
local crit = nn.ClassNLLCriterion()
local both = nn.Sequential():add(embed):add(cell)
local params, grads = both:getParameters()
params:uniform(-0.08, 0.08)
local T = opt.seq_length
local embeds, cells, crits = {}, {}, {}
for t = 1, T do
  embeds[t] = embed:clone('weight', 'bias', 'gradWeight', 'gradBias')
  cells[t] = cell:clone('weight', 'bias', 'gradWeight', 'gradBias')
  crits[t] = crit:clone()
end
local B = opt.batch_size
local per = math.floor((#text - 1) / B)
local data = torch.Tensor(B, per + 1)
for b = 1, B do
  for i = 1, per + 1 do data[b][i] = vocab[text:sub((b - 1) * per + i, (b - 1) * per + i)] end
end
local state0 = torch.zeros(B, opt.rnn_size)
local pos = 1
local function feval(x)
  if x ~= params then params:copy(x) end
  grads:zero()
  if pos + T > per + 1 then pos = 1; state0:zero() end
  local h = {[0] = state0}
  local e, out, loss = {}, {}, 0
  for t = 1, T do
    e[t] = embeds[t]:forward(data:select(2, pos + t - 1))
    h[t], out[t] = unpack(cells[t]:forward({e[t], h[t - 1]}))
    loss = loss + crits[t]:forward(out[t], data:select(2, pos + t))
  end
  loss = loss / T
  local dh = torch.zeros(B, opt.rnn_size)
  for t = T, 1, -1 do
    local dout = crits[t]:backward(out[t], data:select(2, pos + t))
    local d = cells[t]:backward({e[t], h[t - 1]}, {dh, dout})
    dh = d[2]:clone()
    embeds[t]:backward(data:select(2, pos + t - 1), d[1])
  end
  state0:copy(h[T])
  pos = pos + T
  grads:clamp(-opt.grad_clip, opt.grad_clip)
  return loss, grads
end
local state = {learningRate = 2e-2, alpha = 0.95}
local iterations = opt.max_epochs * math.floor(per / T)
for i = 1, iterations do
  local _, loss = optim.rmsprop(feval, params, state)
  if i % 8 == 0 then print(string.format('%d/%d loss %.6f', i, iterations, loss[1])) end
end
local h = torch.zeros(1, opt.rnn_size)
local current = torch.Tensor{vocab['h']}
local sampled = {'h'}
for i = 1, 10 do
  local res = cell:forward({embed:forward(current), h})
  h = res[1]:clone()
  local probs = torch.exp(torch.div(res[2], opt.temperature)):squeeze()
  probs:div(probs:sum())
  local _, best = probs:max(1)
  current[1] = best[1]
  sampled[#sampled + 1] = chars[best[1]]
end
print(table.concat(sampled))
