-- Weights initialized by what the layers are called, as in GANs.
require 'nn'
torch.manualSeed(4)
local function weights_init(m)
   local name = torch.type(m)
   if name:find('Convolution') then
      m.weight:normal(0.0, 0.02)
      m:noBias()
   elseif name:find('BatchNormalization') then
      if m.weight then m.weight:normal(1.0, 0.02) end
      if m.bias then m.bias:fill(0) end
   end
end
local SpatialBatchNormalization = nn.SpatialBatchNormalization
local SpatialConvolution = nn.SpatialConvolution
local SpatialFullConvolution = nn.SpatialFullConvolution
local nz, ngf, nc, ndf = 5, 4, 1, 4
local netG = nn.Sequential()
netG:add(SpatialFullConvolution(nz, ngf * 2, 4, 4))
netG:add(SpatialBatchNormalization(ngf * 2)):add(nn.ReLU(true))
netG:add(SpatialFullConvolution(ngf * 2, nc, 4, 4, 2, 2, 1, 1))
netG:add(nn.Tanh())
netG:apply(weights_init)
local netD = nn.Sequential()
netD:add(SpatialConvolution(nc, ndf, 4, 4, 2, 2, 1, 1))
netD:add(nn.LeakyReLU(0.2, true))
netD:add(SpatialConvolution(ndf, 1, 4, 4))
netD:add(nn.Sigmoid())
netD:add(nn.View(1):setNumInputDims(3))
netD:apply(weights_init)
local noise = torch.randn(3, nz, 1, 1)
local fake = netG:forward(noise)
local p = netD:forward(fake)
print(fake:norm(), p:sum())
