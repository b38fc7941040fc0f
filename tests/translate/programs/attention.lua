-- attention over a small memory
require 'nngraph'
require 'optim'
torch.manualSeed(11)
local function attention(dim, slots)
  local query = nn.Identity()()
  local memory = nn.Identity()()
  local q3 = nn.View(-1, dim, 1)(query)
  local scores = nn.View(-1, slots)(nn.MM()({memory, q3}))
  local weights = nn.SoftMax()(scores):annotate{name = 'weights'}
  local w3 = nn.View(-1, 1, slots)(weights)
  local context = nn.View(-1, dim)(nn.MM()({w3, memory}))
  local joined = nn.JoinTable(2)({context, query})
  local out = nn.Tanh()(nn.Linear(2 * dim, dim)(joined))
  return nn.gModule({query, memory}, {out, weights})
end
local dim, slots, batch = 4, 5, 3
local net = attention(dim, slots)
local q, m = torch.randn(batch, dim), torch.randn(batch, slots, dim)
local target = torch.randn(batch, dim)
local crit = nn.MSECriterion()
local params, grads = net:getParameters()
params:uniform(-0.1, 0.1)
local config = {learningRate = 0.05}
for it = 1, 5 do
  local function feval()
    grads:zero()
    local out = net:forward({q, m})
    local loss = crit:forward(out[1], target)
    local d = crit:backward(out[1], target)
    net:backward({q, m}, {d, torch.zeros(batch, slots)})
    return loss, grads
  end
  local _, l = optim.adam(feval, params, config)
  print(it, l[1])
end
local w = net:forward({q, m})[2]
print(w:size(1), w:size(2))
print(w:sum(2))
