require 'nn'
require 'optim'
torch.manualSeed(7)
local enc = nn.Sequential():add(nn.Linear(3, 5)):add(nn.Tanh())
local head1, head2 = nn.Linear(5, 2), nn.Linear(5, 1)
local all = nn.Sequential():add(enc):add(head1):add(head2)
local mse = nn.MSECriterion()
local x, y1, y2 = torch.randn(8, 3), torch.randn(8, 2), torch.randn(8, 1)
local w, g = all:getParameters()
local s = {learningRate = 0.1, momentum = 0.9}
for i = 1, 6 do
  local head, y = head1, y1
  if i % 2 == 0 then head, y = head2, y2 end
  local function feval()
    g:zero()
    local h = enc:forward(x)
    local out = head:forward(h)
    local err = mse:forward(out, y)
    enc:backward(x, head:backward(h, mse:backward(out, y)))
    return err, g
  end
  local _, fs = optim.sgd(feval, w, s)
  print(fs[1], w:norm())
end
