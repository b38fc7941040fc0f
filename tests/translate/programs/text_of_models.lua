-- A model as a text: PyTorch's own in the page, but for layers that say theirs
require 'nn'
torch.manualSeed(1)

do
   local Half, parent = torch.class('nn.Half', 'nn.Module')
   function Half:updateOutput(x) self.output = x / 2 return self.output end
   function Half:updateGradInput(x, gradOutput) self.gradInput = gradOutput / 2 return self.gradInput end
   function Half:__tostring__() return 'Half of it' end
end

local net = nn.Sequential():add(nn.Linear(2, 3)):add(nn.Half())
print('model: ' .. tostring(net))
print(tostring(nn.MSECriterion()), tostring(net:forward(torch.ones(2)):sum()))
print('layer: ' .. tostring(nn.Half()) .. '.', tostring(nil), tostring(false))
