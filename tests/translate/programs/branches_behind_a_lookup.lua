-- Branches that are given what a lookup has made of places: one dimension more than the program's input has.
require 'nn'
torch.manualSeed(2)
local function build(c)
   local model = nn.Sequential()
   local lookup = nn.LookupTable(9, c.dim)
   model:add(lookup)
   local branches = nn.ConcatTable()
   for _, k in ipairs(c.kernels) do
      local b = nn.Sequential()
      b:add(nn.TemporalConvolution(c.dim, c.maps, k))
      b:add(nn.TemporalMaxPooling(c.maxlen - k + 1))
      b:add(nn.Reshape(c.maps, true))
      branches:add(b)
   end
   model:add(branches)
   model:add(nn.JoinTable(2))
   return model
end
local c = {maps = 6, dim = 4, maxlen = 5, kernels = {2, 3}}
local words = torch.LongTensor(3, 5):random(1, 9)
print(build(c):forward(words))
