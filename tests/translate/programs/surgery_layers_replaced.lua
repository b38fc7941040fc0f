-- Layers replaced, inserted and set in place.
require 'nn'
torch.manualSeed(5)
local net = nn.Sequential()
net:add(nn.Linear(4, 6)):add(nn.Sigmoid())
net:add(nn.Sequential():add(nn.Linear(6, 6)):add(nn.Dropout(0.3)):add(nn.Sigmoid()))
net:add(nn.Linear(6, 2))
net:replace(function(module)
   if torch.typename(module) == 'nn.Dropout' then
      return nn.Identity()
   elseif torch.type(module) == 'nn.Sigmoid' then
      return nn.Tanh()
   else
      return module
   end
end)
net.modules[4] = nn.Linear(6, 1)
net:insert(nn.ReLU(), 4)
print(#net.modules)
local x = torch.randn(3, 4)
print(net:forward(x))
