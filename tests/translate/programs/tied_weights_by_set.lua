-- a decoder whose weights and gradients lie in those of its encoder, turned
require 'nn'
torch.manualSeed(1)
local enc, dec = nn.Linear(4, 3), nn.Linear(3, 4)
dec.weight:set(enc.weight:t())
dec.gradWeight:set(enc.gradWeight:t())
local crit = nn.MSECriterion()
local x = torch.randn(5, 4)
print(dec.weight:storage() == enc.weight:storage())
for i = 1, 3 do
  local h = enc:forward(x)
  local y = dec:forward(h)
  print(crit:forward(y, x))
  enc:zeroGradParameters()
  dec:zeroGradParameters()
  enc:backward(x, dec:backward(h, crit:backward(y, x)))
  enc:updateParameters(0.1)
  dec.bias:add(-0.1, dec.gradBias)
end
