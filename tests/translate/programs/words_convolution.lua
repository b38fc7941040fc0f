-- Text classification with a bag of words convolution
require 'nn'
require 'optim'
torch.manualSeed(7)
local cmd = torch.CmdLine()
cmd:option('-epochs', 3, 'number of epochs')
cmd:option('-lr', 0.05, 'learning rate')
cmd:option('-dim', 8, 'embedding size')
local opt = cmd:parse(arg)

local corpus = {
  {"the movie was great and fun", 1}, {"great acting great plot", 1}, {"i loved the film", 1},
  {"the movie was terrible", 2}, {"boring plot and bad acting", 2}, {"i hated the film", 2},
}
local vocab, words = {}, {}
for _, pair in ipairs(corpus) do
  for w in pair[1]:gmatch('%S+') do
    if not vocab[w] then
      words[#words + 1] = w
      vocab[w] = #words
    end
  end
end
print('vocabulary of ' .. #words .. ' words')

local function encode(s, len)
  local x = torch.LongTensor(len):fill(#words + 1)
  local i = 1
  for w in s:gmatch('%S+') do
    if i <= len then x[i] = vocab[w]; i = i + 1 end
  end
  return x
end

local N, L = #corpus, 7
local X = torch.LongTensor(N, L)
local Y = torch.LongTensor(N)
for i, pair in ipairs(corpus) do
  X[i]:copy(encode(pair[1], L))
  Y[i] = pair[2]
end

local model = nn.Sequential()
model:add(nn.LookupTable(#words + 1, opt.dim))
model:add(nn.TemporalConvolution(opt.dim, 6, 3))
model:add(nn.ReLU())
model:add(nn.Max(2))
model:add(nn.Dropout(0.2))
model:add(nn.Linear(6, 2))
model:add(nn.LogSoftMax())
local criterion = nn.ClassNLLCriterion()
local params, grads = model:getParameters()
print('parameters: ' .. params:nElement())
local state = {learningRate = opt.lr, momentum = 0.9}
for epoch = 1, opt.epochs do
  model:training()
  local perm = torch.randperm(N):long()
  local total = 0
  for b = 1, N, 2 do
    local idx = perm:narrow(1, b, math.min(2, N - b + 1))
    local x, y = X:index(1, idx), Y:index(1, idx)
    local feval = function(p)
      if p ~= params then params:copy(p) end
      grads:zero()
      local out = model:forward(x)
      local loss = criterion:forward(out, y)
      model:backward(x, criterion:backward(out, y))
      return loss, grads
    end
    local _, fs = optim.sgd(feval, params, state)
    total = total + fs[1] * x:size(1)
  end
  model:evaluate()
  local out = model:forward(X)
  local _, pred = out:max(2)
  local correct = pred:view(-1):eq(Y):sum()
  print(string.format('epoch %d loss %.6f accuracy %d/%d', epoch, total / N, correct, N))
end
