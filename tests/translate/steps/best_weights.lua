require 'nn'
require 'optim'
torch.manualSeed(7)
local net = nn.Sequential():add(nn.Linear(3, 5)):add(nn.Tanh()):add(nn.Linear(5, 2))
local mse = nn.MSECriterion()
local x, y = torch.randn(8, 3), torch.randn(8, 2)
local w, g = net:getParameters()
-- minibatches with shuffling; a closure of each batch; dropout and evaluation
local model = nn.Sequential():add(nn.Linear(3, 6)):add(nn.BatchNormalization(6)):add(nn.ReLU()):add(nn.Dropout(0.5)):add(nn.Linear(6, 2))
local p, gp = model:getParameters()
local conf = {learningRate = 0.05, momentum = 0.9, weightDecay = 1e-4}
local function train(epoch)
  model:training()
  local order = torch.randperm(8)
  local total = 0
  for t = 1, 8, 4 do
    local bx, by = torch.Tensor(4, 3), torch.Tensor(4, 2)
    for k = 1, 4 do bx[k] = x[order[t + k - 1]]; by[k] = y[order[t + k - 1]] end
    local f = function(q)
      if q ~= p then p:copy(q) end
      gp:zero()
      local o = model:forward(bx)
      local l = mse:forward(o, by)
      model:backward(bx, mse:backward(o, by))
      return l, gp
    end
    local _, fs = optim.sgd(f, p, conf)
    total = total + fs[1] * 4
  end
  return total / 8
end
local function test()
  model:evaluate()
  return mse:forward(model:forward(x), y)
end
local best, bestp = math.huge, p:clone()
for epoch = 1, 4 do
  local tr = train(epoch)
  local te = test()
  if te < best then best = te; bestp:copy(p) end
  print(epoch, tr, te)
end
p:copy(bestp)
print(best, test())
