-- Hyper-parameter search with k-fold cross validation; early stop; two classes; hinge loss
require 'nn'
torch.manualSeed(8)
local n = 40
local X = torch.randn(n, 3)
local truth = torch.Tensor{1, -2, 0.5}
local Y = torch.sign(X * truth + torch.randn(n) * 0.1)
local K = 4
local function fold(k)
  local size = n / K
  local trainIdx, testIdx = {}, {}
  for i = 1, n do
    if i > (k - 1) * size and i <= k * size then testIdx[#testIdx + 1] = i else trainIdx[#trainIdx + 1] = i end
  end
  return torch.LongTensor(trainIdx), torch.LongTensor(testIdx)
end
local function makeModel(hidden)
  if hidden == 0 then return nn.Linear(3, 1) end
  local m = nn.Sequential()
  m:add(nn.Linear(3, hidden))
  m:add(nn.Tanh())
  m:add(nn.Linear(hidden, 1))
  return m
end
local results = {}
for _, hidden in ipairs({0, 2, 5}) do
  for _, lr in ipairs({0.01, 0.1}) do
    local accs = torch.zeros(K)
    for k = 1, K do
      local tr, te = fold(k)
      local model, crit = makeModel(hidden), nn.MarginCriterion()
      for it = 1, 20 do
        local x, y = X:index(1, tr), Y:index(1, tr)
        local out = model:forward(x)
        crit:forward(out, y)
        model:zeroGradParameters()
        model:backward(x, crit:backward(out, y))
        model:updateParameters(lr)
      end
      local pred = torch.sign(model:forward(X:index(1, te))):view(-1)
      accs[k] = pred:eq(Y:index(1, te)):double():mean()
    end
    results[#results + 1] = {hidden = hidden, lr = lr, mean = accs:mean(), std = accs:std()}
  end
end
table.sort(results, function(a, b)
  if a.mean == b.mean then
    if a.hidden == b.hidden then return a.lr < b.lr end
    return a.hidden < b.hidden
  end
  return a.mean > b.mean
end)
for i, r in ipairs(results) do
  print(('%d. hidden=%d lr=%g acc=%.3f +- %.3f'):format(i, r.hidden, r.lr, r.mean, r.std))
end
