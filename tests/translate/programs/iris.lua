-- tabular data from a CSV string, normalised, logistic regression with cross validation
require 'nn'
torch.manualSeed(9)
local csv = [[
5.1,3.5,1.4,0.2,a
4.9,3.0,1.4,0.2,a
4.7,3.2,1.3,0.2,a
7.0,3.2,4.7,1.4,b
6.4,3.2,4.5,1.5,b
6.9,3.1,4.9,1.5,b
6.3,3.3,6.0,2.5,c
5.8,2.7,5.1,1.9,c
7.1,3.0,5.9,2.1,c
]]
local rows, labels, classes = {}, {}, {}
local nclass = 0
for line in csv:gmatch('[^\n]+') do
  local fields = {}
  for f in line:gmatch('[^,]+') do fields[#fields + 1] = f end
  local label = table.remove(fields)
  if classes[label] == nil then
    nclass = nclass + 1
    classes[label] = nclass
  end
  for i, f in ipairs(fields) do fields[i] = tonumber(f) end
  table.insert(rows, fields)
  table.insert(labels, classes[label])
end
local X = torch.Tensor(rows)
local Y = torch.Tensor(labels)
local mean, std = X:mean(1), X:std(1)
X:add(-1, mean:expandAs(X)):cdiv(std:expandAs(X))
print(X:size())
local folds = 3
local accs = {}
for fold = 1, folds do
  local train, test = {}, {}
  for i = 1, X:size(1) do
    if i % folds == fold - 1 then table.insert(test, i) else table.insert(train, i) end
  end
  local net = nn.Sequential():add(nn.Linear(4, nclass)):add(nn.LogSoftMax())
  local crit = nn.ClassNLLCriterion()
  for epoch = 1, 30 do
    for _, i in ipairs(train) do
      local x, y = X[i], Y[i]
      crit:forward(net:forward(x), y)
      net:zeroGradParameters()
      net:backward(x, crit:backward(net.output, y))
      net:updateParameters(0.1)
    end
  end
  local right = 0
  for _, i in ipairs(test) do
    local out = net:forward(X[i])
    local _, best = torch.max(out, 1)
    if best[1] == Y[i] then right = right + 1 end
  end
  accs[fold] = right / #test
  print('fold ' .. fold, accs[fold])
end
local s = 0
for _, a in ipairs(accs) do s = s + a end
print(('mean accuracy %.3f'):format(s / #accs))
