-- A layer of a lookup table and a net, with all gradients by hand.
require 'nn'
torch.manualSeed(3)
local layer, parent = torch.class('nn.BowModel', 'nn.Module')
function layer:__init(opt)
  parent.__init(self)
  self.vocab_size = opt.vocab_size
  self.hidden = opt.hidden
  self.lookup_table = nn.LookupTable(self.vocab_size + 1, self.hidden)
  self.core = nn.Sequential():add(nn.Linear(self.hidden, self.hidden)):add(nn.ReLU()):add(nn.Linear(self.hidden, self.vocab_size)):add(nn.LogSoftMax())
end
function layer:parameters()
  local p1, g1 = self.core:parameters()
  local p2, g2 = self.lookup_table:parameters()
  local params, grads = {}, {}
  for k, v in pairs(p1) do table.insert(params, v) end
  for k, v in pairs(p2) do table.insert(params, v) end
  for k, v in pairs(g1) do table.insert(grads, v) end
  for k, v in pairs(g2) do table.insert(grads, v) end
  return params, grads
end
function layer:training() self.core:training() end
function layer:evaluate() self.core:evaluate() end
function layer:updateOutput(input)
  self.emb = self.lookup_table:forward(input)
  self.mean = self.emb:mean(2):view(input:size(1), self.hidden)
  self.output = self.core:forward(self.mean)
  return self.output
end
function layer:updateGradInput(input, gradOutput)
  local d = self.core:backward(self.mean, gradOutput)
  local T = input:size(2)
  local de = d:view(input:size(1), 1, self.hidden):expandAs(self.emb):clone():div(T)
  self.lookup_table:backward(input, de)
  self.gradInput = torch.Tensor()
  return self.gradInput
end
local net = nn.BowModel{vocab_size = 5, hidden = 4}
local params, grads = net:getParameters()
params:uniform(-0.5, 0.5)
local crit = nn.ClassNLLCriterion()
local x, y = torch.LongTensor(6, 3):random(1, 5), torch.Tensor{1, 2, 3, 4, 5, 1}
for i = 1, 5 do
  local out = net:forward(x)
  local loss = crit:forward(out, y)
  grads:zero()
  net:backward(x, crit:backward(out, y))
  params:add(-0.3, grads)
  print(i, loss)
end
