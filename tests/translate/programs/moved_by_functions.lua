-- Functions that move tensors, modules and criterions to a graphics card, if one is to be used.
require 'nn'

torch.manualSeed(1)
local gpu = false
local function place(x) return gpu and x:cuda() or x end
local function to_gpu(x)
   if gpu then
      x = x:cuda()
   end
   return x
end
function on_card(x)
   if gpu then return x:cuda() else return x end
end

local data = place(torch.rand(8, 3))
local targets = to_gpu(data:sum(2):mul(2))
local net = on_card(nn.Sequential())
net:add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 1))
local model = to_gpu(nn.Sequential():add(nn.Linear(3, 4)):add(nn.Tanh()):add(nn.Linear(4, 1)))
local criterion = place(nn.MSECriterion())
print(data:type(), torch.type(place(targets)), torch.type(criterion.gradInput))
for i = 1, 5 do
   local loss = criterion:forward(model:forward(data), targets)
   model:zeroGradParameters()
   model:backward(data, criterion:backward(model.output, targets))
   model:updateParameters(0.1)
   print(loss, place(to_gpu(model.output)):sum())
end
local same = place(data)
same:fill(1)
print(data:sum())
