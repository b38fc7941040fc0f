-- Networks made by functions in a table, and an ensemble in a list.
require 'nn'
torch.manualSeed(3)
local zoo = {
  small = function(n, c) return nn.Sequential():add(nn.Linear(n, c)):add(nn.LogSoftMax()) end,
  big = function(n, c)
    local m = nn.Sequential()
    m:add(nn.Linear(n, 8)):add(nn.Tanh())
    m:add(nn.Linear(8, c)):add(nn.LogSoftMax())
    return m
  end,
}
local names = {'small', 'big'}
local x = torch.randn(10, 4)
local y = torch.Tensor(10):random(1, 3)
local crit = nn.ClassNLLCriterion()
for _, name in ipairs(names) do
  local model = zoo[name](4, 3)
  for e = 1, 3 do
    local total = 0
    for i = 1, 10 do
      local out = model:forward(x[i])
      total = total + crit:forward(out, y[i])
      model:zeroGradParameters()
      model:backward(x[i], crit:backward(out, y[i]))
      model:updateParameters(0.05)
    end
    print(name, e, total / 10)
  end
end
local ensemble = {}
for i = 1, 3 do ensemble[i] = nn.Linear(4, 2) end
local sum = torch.zeros(10, 2)
for _, m in ipairs(ensemble) do sum:add(m:forward(x)) end
print(sum:div(#ensemble):norm())
