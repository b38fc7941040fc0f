-- A layer that is defined at the end, and set and read by functions before.
require 'nn'
torch.manualSeed(3)
local function main()
  local net = nn.Sequential():add(nn.Linear(4, 3))
  local pen = nn.Penalty(0.1)
  net:add(pen):add(nn.Tanh())
  local mse = nn.MSECriterion()
  local x, y = torch.randn(5, 4), torch.randn(5, 3)
  for i = 1, 4 do
    if i == 3 then pen.mode = 'off' end
    local out = net:forward(x)
    local loss = mse:forward(out, y) + pen.loss
    net:zeroGradParameters()
    net:backward(x, mse:backward(out, y))
    net:updateParameters(0.1)
    print(i, loss, pen.mode)
  end
  net:type('torch.FloatTensor')
  print(net:forward(x:float()):size(1))
end
local P, parent = torch.class('nn.Penalty', 'nn.Module')
function P:__init(w)
  parent.__init(self)
  self.w = w
  self.mode = 'on'
  self.loss = 0
end
function P:updateOutput(input)
  if self.mode == 'on' then
    self.loss = self.w * torch.pow(input, 2):sum()
  else
    self.loss = 0
  end
  self.output = input
  return self.output
end
function P:updateGradInput(input, gradOutput)
  self.gradInput:resizeAs(input):copy(gradOutput)
  if self.mode == 'on' then self.gradInput:add(2 * self.w, input) end
  return self.gradInput
end
main()
