require 'nn'
torch.manualSeed(1)
local net = nn.Sequential():add(nn.SpatialConvolution(1, 3, 3, 3)):add(nn.Tanh()):add(nn.SpatialConvolution(3, 2, 3, 3))
local img = torch.randn(1, 8, 8)
for i = 1, 5 do
   local act = net:forward(img)
   local dx = net:updateGradInput(img, act)
   img:add(0.5 / torch.abs(dx):mean(), dx)
   print(i, act:norm(), img:mean())
end
