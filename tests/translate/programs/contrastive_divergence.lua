-- A restricted Boltzmann machine trained by contrastive divergence
torch.manualSeed(3)

local RBM = {}
RBM.__index = RBM

function RBM.new(nv, nh)
   local self = setmetatable({}, RBM)
   self.W = torch.randn(nh, nv) * 0.1
   self.vbias = torch.zeros(nv)
   self.hbias = torch.zeros(nh)
   self.dW = self.W:clone():zero()
   self.k = 1
   return self
end

local function sigm(x) return x:clone():mul(-1):exp():add(1):pow(-1) end

function RBM:propup(v)
   local pre = torch.addmm(self.hbias:view(1, -1):expand(v:size(1), self.hbias:size(1)), v, self.W:t())
   return sigm(pre)
end

function RBM:propdown(h)
   local pre = h * self.W
   pre:add(self.vbias:view(1, self.vbias:size(1)):expandAs(pre))
   return sigm(pre)
end

local function bernoulli(p)
   return torch.rand(p:size()):lt(p):typeAs(p)
end

function RBM:cd(v0, lr, momentum)
   local n = v0:size(1)
   local h0 = self:propup(v0)
   local hs = bernoulli(h0)
   local vk, hk
   for step = 1, self.k do
      vk = self:propdown(hs)
      hk = self:propup(vk)
      hs = bernoulli(hk)
   end
   local positive, negative = h0:t() * v0, hk:t() * vk
   self.dW:mul(momentum):add(lr / n, positive - negative)
   self.W:add(self.dW)
   self.vbias:add(lr, (v0 - vk):mean(1):squeeze())
   self.hbias:add(lr, (h0 - hk):mean(1):squeeze())
   return torch.dist(v0, vk) ^ 2 / n
end

function RBM:freeEnergy(v)
   local wx = v * self.W:t()
   wx:add(self.hbias:view(1, -1):expandAs(wx))
   local hidden = torch.log(torch.exp(wx) + 1):sum(2)
   return -hidden:squeeze() - v * self.vbias
end

-- bars: every picture is one row or one column of a 4 x 4 grid
local bars = torch.zeros(8, 16)
for i = 1, 4 do
   bars[i]:view(4, 4):select(1, i):fill(1)
   bars[i + 4]:view(4, 4):select(2, i):fill(1)
end

local rbm = RBM.new(16, 8)
for epoch = 1, 200 do
   local order = torch.randperm(8):long()
   local batch = bars:index(1, order)
   local err = rbm:cd(batch, 0.3, epoch > 50 and 0.9 or 0.5)
   if epoch % 40 == 0 then
      io.write(string.format('epoch %d: reconstruction error %.4f\n', epoch, err))
   end
end
local inside = rbm:freeEnergy(bars):mean()
local outside = rbm:freeEnergy(bernoulli(torch.Tensor(8, 16):fill(0.25))):mean()
print(inside < outside)
print(string.format('%.6f %.6f', inside, outside))
print(rbm.W:size(), #rbm.W, rbm.hbias:nElement())
