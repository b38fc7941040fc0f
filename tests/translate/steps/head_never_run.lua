require 'nn'
require 'optim'
torch.manualSeed(7)
local enc = nn.Sequential():add(nn.Linear(3, 5)):add(nn.Tanh())
local head1, head2 = nn.Linear(5, 2), nn.Linear(5, 1)
local all = nn.Sequential():add(enc):add(head1):add(head2)
local mse = nn.MSECriterion()
local x, y1 = torch.randn(8, 3), torch.randn(8, 2)
local w, g = all:getParameters()
local s = {learningRate = 0.1, weightDecay = 0.1}
for i = 1, 6 do
  local function feval()
    g:zero()
    local h = enc:forward(x)
    local out = head1:forward(h)
    local err = mse:forward(out, y1)
    enc:backward(x, head1:backward(h, mse:backward(out, y1)))
    return err, g
  end
  local _, fs = optim.adam(feval, w, s)
  print(fs[1], w:norm())
end
