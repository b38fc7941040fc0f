require 'nn'
require 'optim'
torch.manualSeed(7)
local net = nn.Sequential():add(nn.Linear(3, 5)):add(nn.Tanh()):add(nn.Linear(5, 2))
local mse = nn.MSECriterion()
local x, y = torch.randn(8, 3), torch.randn(8, 2)
local w, g = net:getParameters()
local function feval()
  g:zero()
  local out = net:forward(x)
  local err = mse:forward(out, y)
  net:backward(x, mse:backward(out, y))
  return err, g
end
local opt = {optimization = arg[1] or 'CG', rate = 0.1}
function train()
  for t = 1, 2 do
    if opt.optimization == 'CG' then
      settings = settings or {maxIter = 3}
      optim.cg(feval, w, settings)
    elseif opt.optimization == 'LBFGS' then
      settings = settings or {learningRate = opt.rate, maxIter = 3, nCorrection = 10}
      optim.lbfgs(feval, w, settings)
    elseif opt.optimization == 'SGD' then
      settings = settings or {learningRate = opt.rate, momentum = 0.9, learningRateDecay = 5e-7}
      optim.sgd(feval, w, settings)
    else
      error('unknown optimization method')
    end
    print(w:norm())
  end
end
train()
train()
