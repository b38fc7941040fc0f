-- flat weights and gradients in a table, of a network by its name
require 'nn'
torch.manualSeed(1)
local models = {a = nn.Linear(2, 1), b = nn.Linear(2, 1)}
local flat = {}
for _, k in ipairs{'a', 'b'} do flat[k] = {models[k]:getParameters()} end
local crit = nn.MSECriterion()
local x, y = torch.randn(4, 2), torch.randn(4, 1)
for i = 1, 2 do
  for _, k in ipairs{'a', 'b'} do
    local p, g = unpack(flat[k])
    g:zero()
    local o = models[k]:forward(x)
    print(k, crit:forward(o, y))
    models[k]:backward(x, crit:backward(o, y))
    p:add(-0.1, g)
  end
end
print(flat.a[1]:norm(), #flat.b)
