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
local params = {optimizer = 'adam', num_iterations = 3, rate = 0.1}
local optim_state = nil
if params.optimizer == 'lbfgs' then
  optim_state = {maxIter = params.num_iterations}
elseif params.optimizer == 'adam' then
  optim_state = {learningRate = params.rate}
else
  error('unrecognized')
end
if params.optimizer == 'lbfgs' then
  local _, losses = optim.lbfgs(feval, w, optim_state)
elseif params.optimizer == 'adam' then
  for t = 1, params.num_iterations do
    local _, losses = optim.adam(feval, w, optim_state)
  end
end
print(w:norm())
