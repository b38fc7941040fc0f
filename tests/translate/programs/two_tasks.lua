-- Multi-task: shared trunk, two heads, weighted ParallelCriterion
require 'nn'
require 'optim'
torch.manualSeed(13)
local trunk = nn.Sequential():add(nn.Linear(5, 8)):add(nn.ReLU())
local heads = nn.ConcatTable()
heads:add(nn.Sequential():add(nn.Linear(8, 3)):add(nn.LogSoftMax()))
heads:add(nn.Linear(8, 2))
local model = nn.Sequential():add(trunk):add(heads)
local criterion = nn.ParallelCriterion():add(nn.ClassNLLCriterion(), 1):add(nn.MSECriterion(), 0.5)
local X, C, R = torch.randn(12, 5), torch.Tensor(12), torch.randn(12, 2)
C:apply(function() return torch.random(1, 3) end)
local w, dw = model:getParameters()
local config = {learningRate = 1e-2, beta1 = 0.9}
local losses = {}
for epoch = 1, 4 do
  local perm = torch.randperm(12)
  for b = 1, 12, 4 do
    local ids = perm:narrow(1, b, 4):long()
    local x, targets = X:index(1, ids), {C:index(1, ids), R:index(1, ids)}
    local function f()
      dw:zero()
      local out = model:forward(x)
      local loss = criterion:forward(out, targets)
      model:backward(x, criterion:backward(out, targets))
      dw:add(1e-4, w)
      return loss + 0.5 * 1e-4 * w:dot(w), dw
    end
    local _, l = optim.adam(f, w, config)
    losses[#losses + 1] = l[1]
  end
end
local t = torch.Tensor(losses)
print(t:size(1), string.format('%.6f %.6f', t:mean(), t[-1]))
for i, l in ipairs(losses) do io.write(string.format('%.3f%s', l, i % 6 == 0 and '\n' or ' ')) end
